/**
 * Folds a text into the letters that features and fingerprints are made of. Two texts that a reader sees as the same have
 * the same letters: width, case, accents and look-alikes of letters, spaces and punctuation anywhere, and syllables that
 * are split into jamo make no difference. All digits are one letter.
 */
import { LETTERS_MAX } from '../limits/text.ts';
import {
  isConjoining,
  JAMO_BASE,
  JAMO_BITS,
  JAMO_MASK,
  PAIR_JAMO,
  rowOfConjoining,
  SYLLABLES,
  SYLLABLES_END,
  TRAILING_COUNT,
  TRAILING_JAMO_ROWS,
  TYPED_JAMO,
  TYPED_JAMO_END,
  TYPED_JAMO_ROWS,
} from './hangul.ts';
import { CAPITAL, CASE_SHIFT, CURRENCY, DIGIT, isPlainSeparator, unitOf } from './letter-units.ts';

/** What the letters do not show, or not at a glance. */
export interface Folded {
  /** UTF-16 units: basic jamo (U+3131 to U+3163), Latin in lower case, DIGIT, CURRENCY, LINK, and other letters. */
  readonly letters: Uint16Array<ArrayBuffer>;
  /** Letters with two cases, and capitals among them, before folding. */
  readonly cased: number;
  readonly capitals: number;
  readonly exclamations: number;
  /** Digits of the longest run, with separators inside it. */
  readonly digits: number;
  /** Whether there is a currency sign, or a number before 원 (won). */
  readonly hasMoney: boolean;
}

/** Kinds of ASCII characters. */
const SEPARATOR = 0;
const SMALL_LETTER = 1;
const CAPITAL_LETTER = 2;
const NUMERAL = 3;
const DOLLAR = 4;
const EXCLAMATION_MARK = 5;
const FULL_STOP = 6;
const COLON = 7;
const CONTROL = 8;
const KINDS = Uint8Array.from({ length: 0x80 }, (_, code) => {
  const character = String.fromCharCode(code);
  if (/[a-z]/.test(character)) return SMALL_LETTER;
  if (/[A-Z]/.test(character)) return CAPITAL_LETTER;
  if (/\d/.test(character)) return NUMERAL;
  if (/[^ -~\t-\r]/.test(character)) return CONTROL;
  return { $: DOLLAR, '!': EXCLAMATION_MARK, '.': FULL_STOP, ':': COLON }[character] ?? SEPARATOR;
});
/** 한, 삼, 닷: the first syllables of all Korean endings of hosts (hosts.ts). */
const KOREAN_ENDINGS = [0xd55c, 0xc0bc, 0xb2f7];
/** So many full stops between digits could be an address. */
const ADDRESS_STOPS = 3;

/** More than the most that one unit adds. */
const MARGIN = 8;
const scratch = new Uint16Array(LETTERS_MAX + MARGIN);

/** @param text without hidden characters, with LINK for links */
export function fold(text: string): Folded {
  return foldUnits(text.normalize('NFKC'), false)!;
}

/**
 * The same for most texts, in one pass. Null if the text may have a hidden character, a link, or a character that is not
 * plain: one that is neither ASCII nor Hangul nor usual punctuation.
 */
export function foldPlain(text: string): Folded | null {
  return foldUnits(text, true);
}

function foldUnits(text: string, isPlain: boolean): Folded | null {
  let length = 0;
  let cased = 0;
  let capitals = 0;
  let exclamations = 0;
  let digits = 0;
  let run = 0;
  let stops = 0;
  let hasMoney = false;
  for (let at = 0; at < text.length && length < LETTERS_MAX; at++) {
    const code = text.charCodeAt(at);
    if (code < 0x80) {
      switch (KINDS[code]) {
        case SMALL_LETTER:
          scratch[length++] = code;
          cased++;
          run = 0;
          break;
        case CAPITAL_LETTER:
          scratch[length++] = code | 0x20;
          cased++;
          capitals++;
          run = 0;
          break;
        case NUMERAL:
          scratch[length++] = DIGIT;
          if (++run > digits) digits = run;
          break;
        case DOLLAR:
          scratch[length++] = CURRENCY;
          hasMoney = true;
          run = 0;
          break;
        case EXCLAMATION_MARK:
          exclamations++;
          break;
        case FULL_STOP:
          if (!isPlain) break;
          if (isNumeral(text.charCodeAt(at + 1)) && ++stops === ADDRESS_STOPS) return null;
          if (isInHost(text, at)) return null;
          break;
        case COLON:
          if (isPlain && isSlash(text.charCodeAt(at + 1)) && isSlash(text.charCodeAt(at + 2))) return null;
          break;
        case CONTROL:
          if (isPlain) return null;
      }
      continue;
    }
    let row: number;
    if (code >= SYLLABLES && code < SYLLABLES_END) {
      const offset = code - SYLLABLES;
      const pair = (offset / TRAILING_COUNT) | 0;
      row = PAIR_JAMO[pair]!;
      for (; row !== 0; row >>>= JAMO_BITS) scratch[length++] = JAMO_BASE + (row & JAMO_MASK);
      row = TRAILING_JAMO_ROWS[offset - pair * TRAILING_COUNT]!;
    } else if (code >= TYPED_JAMO && code < TYPED_JAMO_END) {
      row = TYPED_JAMO_ROWS[code - TYPED_JAMO]!;
    } else if (isPlain) {
      if (isPlainSeparator(code)) continue;
      return null;
    } else if (isConjoining(code)) {
      row = rowOfConjoining(code);
      if (row === 0) continue;
    } else {
      const unit = unitOf(code, text.charCodeAt(at + 1));
      const letter = unit & 0xffff;
      if (letter === 0) continue;
      scratch[length++] = letter;
      if (letter === DIGIT) {
        if (++run > digits) digits = run;
        continue;
      }
      run = 0;
      hasMoney ||= letter === CURRENCY;
      const letterCase = unit >>> CASE_SHIFT;
      if (letterCase !== 0) cased++;
      if (letterCase === CAPITAL) capitals++;
      continue;
    }
    run = 0;
    for (; row !== 0; row >>>= JAMO_BITS) scratch[length++] = JAMO_BASE + (row & JAMO_MASK);
  }
  const letters = scratch.slice(0, length < LETTERS_MAX ? length : LETTERS_MAX);
  hasMoney ||= digits > 0 && hasWon(letters);
  return { letters, cased, capitals, exclamations, digits, hasMoney };
}

/** 원 (won), and what may be between it and a number: 십 백 천 만 억 조. */
const WON = 'ㅇㅜㅓㄴ';
const MULTIPLES = ['ㅅㅣㅂ', 'ㅂㅏㅣㄱ', 'ㅊㅓㄴ', 'ㅁㅏㄴ', 'ㅇㅓㄱ', 'ㅈㅗ'];

/** Whether a number is followed by 원. By letters, so that it can be split into jamo. */
function hasWon(letters: Uint16Array): boolean {
  for (let at = 1; at < letters.length; at++) {
    if (letters[at - 1] !== DIGIT || letters[at] === DIGIT) continue;
    let end = at;
    for (let size = multipleAt(letters, end); size > 0; size = multipleAt(letters, end)) end += size;
    if (hasAt(letters, end, WON)) return true;
  }
  return false;
}

/** Letters of the multiple that is there; 0 for none. */
function multipleAt(letters: Uint16Array, at: number): number {
  for (const multiple of MULTIPLES) if (hasAt(letters, at, multiple)) return multiple.length;
  return 0;
}

function hasAt(letters: Uint16Array, at: number, jamo: string): boolean {
  for (let next = 0; next < jamo.length; next++)
    if (letters[at + next] !== jamo.charCodeAt(next)) return false;
  return true;
}

function isNumeral(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

function isSlash(code: number): boolean {
  return code === 0x2f || code === 0x5c;
}

/** Whether a full stop may be inside a host: two letters follow, which an ending has at least, or a Korean ending. */
function isInHost(text: string, at: number): boolean {
  const next = text.charCodeAt(at + 1);
  if (!(isLatin(next) && isLatin(text.charCodeAt(at + 2))) && !KOREAN_ENDINGS.includes(next)) return false;
  const before = text.charCodeAt(at - 1);
  return isLatin(before) || isNumeral(before) || before === 0x2d || before === 0x5f || before >= 0x80;
}

function isLatin(code: number): boolean {
  return (code | 0x20) >= 0x61 && (code | 0x20) <= 0x7a;
}
