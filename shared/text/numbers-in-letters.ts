/** Finds numbers among the letters of a text, where the spelling of digits and syllables makes no difference. */
import { DIGIT } from './letter-units.ts';

/** 원 (won), and the multiples that may be between a number and 원: 십 백 천 만 억 조. */
const WON = Uint16Array.from('ㅇㅜㅓㄴ', (jamo) => jamo.charCodeAt(0));
const MULTIPLES = ['ㅅㅣㅂ', 'ㅂㅏㅣㄱ', 'ㅊㅓㄴ', 'ㅁㅏㄴ', 'ㅇㅓㄱ', 'ㅈㅗ'].map((multiple) =>
  Uint16Array.from(multiple, (jamo) => jamo.charCodeAt(0)),
);

export interface Numbers {
  /** Count of digits of the longest number. */
  readonly longest: number;
  /** Whether 원 follows a number. */
  readonly hasWon: boolean;
}

export function readNumbers(letters: Uint16Array): Numbers {
  let longest = 0;
  let hasWon = false;
  let run = 0;
  for (let at = 0; at < letters.length; at++) {
    if (letters[at] === DIGIT) {
      if (++run > longest) longest = run;
      continue;
    }
    if (run > 0) hasWon ||= isAmountTo(letters, at);
    run = 0;
  }
  return { longest, hasWon };
}

/** Whether 원 is at an index, after any multiples. */
function isAmountTo(letters: Uint16Array, start: number): boolean {
  let at = start;
  for (let size = multipleAt(letters, at); size > 0; size = multipleAt(letters, at)) at += size;
  return isAt(letters, at, WON);
}

/** Count of letters of the multiple at an index; 0 for none. */
function multipleAt(letters: Uint16Array, at: number): number {
  for (const multiple of MULTIPLES) if (isAt(letters, at, multiple)) return multiple.length;
  return 0;
}

function isAt(letters: Uint16Array, at: number, jamo: Uint16Array): boolean {
  if (at + jamo.length > letters.length) return false;
  for (let next = 0; next < jamo.length; next++) if (letters[at + next] !== jamo[next]) return false;
  return true;
}
