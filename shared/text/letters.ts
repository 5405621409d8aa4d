/**
 * Folds a text into the letters that features and fingerprints are made of. Two texts that a reader sees as the same have
 * the same letters: full-width and look-alike letters, hidden characters, spaces and punctuation inside words, and
 * syllables that are split into jamo make no difference.
 */
import table from '../../data/look-alikes.json' with { type: 'json' };
import { LETTERS_MAX } from '../limits/text.ts';

/** Code of every digit, of a currency sign, and of a link (LINK_MARK). */
export const DIGIT = 0x30;
export const CURRENCY = 0x24;
export const LINK = 0xfffc;

/** Counts of a text that the letters do not show. */
export interface Traits {
  /** Letters with two cases, and capitals among them, before folding. */
  readonly cased: number;
  readonly capitals: number;
  readonly exclamations: number;
  /** Digits of the longest run, with separators inside it. */
  readonly digits: number;
}

export interface Folded extends Traits {
  /** UTF-16 units: basic jamo as U+3131 to U+3163, Latin in lower case, DIGIT, CURRENCY, LINK, and other letters. */
  readonly letters: Uint16Array;
}

/** Basic jamo by the offset of a leading consonant, vowel or trailing consonant (Unicode 3.12), as one or more letters. */
const LEADING = 'ㄱ,ㄱㄱ,ㄴ,ㄷ,ㄷㄷ,ㄹ,ㅁ,ㅂ,ㅂㅂ,ㅅ,ㅅㅅ,ㅇ,ㅈ,ㅈㅈ,ㅊ,ㅋ,ㅌ,ㅍ,ㅎ'.split(',');
const VOWELS =
  'ㅏ,ㅏㅣ,ㅑ,ㅑㅣ,ㅓ,ㅓㅣ,ㅕ,ㅕㅣ,ㅗ,ㅗㅏ,ㅗㅏㅣ,ㅗㅣ,ㅛ,ㅜ,ㅜㅓ,ㅜㅓㅣ,ㅜㅣ,ㅠ,ㅡ,ㅡㅣ,ㅣ'.split(',');
const TRAILING =
  ',ㄱ,ㄱㄱ,ㄱㅅ,ㄴ,ㄴㅈ,ㄴㅎ,ㄷ,ㄹ,ㄹㄱ,ㄹㅁ,ㄹㅂ,ㄹㅅ,ㄹㅌ,ㄹㅍ,ㄹㅎ,ㅁ,ㅂ,ㅂㅅ,ㅅ,ㅅㅅ,ㅇ,ㅈ,ㅊ,ㅋ,ㅌ,ㅍ,ㅎ'.split(
    ',',
  );
const JAMO = 0x3100;
const TYPED_JAMO = 0x3131;
const TYPED_JAMO_END = 0x3164;
const SYLLABLES = 0xac00;
const SYLLABLES_END = 0xd7a4;
const LEADING_JAMO = 0x1100;
const VOWEL_JAMO = 0x1161;
const TRAILING_JAMO = 0x11a7;
const TRAILING_JAMO_END = 0x11c3;

const EXCLAMATION = 0x21;
const SMALL = 1;
const CAPITAL = 2;

/** What a unit below 0x250 or in a table becomes: a letter, or 0 for a separator. */
const NARROW = new Uint16Array(0x250);
const CASES = new Uint8Array(0x250);
for (let code = 0; code < NARROW.length; code++) {
  const character = String.fromCharCode(code);
  if (/\p{Nd}/u.test(character)) NARROW[code] = DIGIT;
  else if (/\p{L}/u.test(character)) NARROW[code] = character.toLowerCase().charCodeAt(0);
  else if (/\p{Sc}/u.test(character)) NARROW[code] = CURRENCY;
  if (/\p{Lu}/u.test(character)) CASES[code] = CAPITAL;
  else if (/\p{Ll}/u.test(character)) CASES[code] = SMALL;
}
const LOOK_ALIKES = new Map<number, number>(
  Object.entries(table.letters).flatMap(([latin, letters]) =>
    [...letters].map((letter): [number, number] => [letter.charCodeAt(0), latin.charCodeAt(0)]),
  ),
);

/** Up to three letters in one number: each as its offset from U+3100, the first in the lowest byte. */
const pack = (part: string): number =>
  [...part].reduce((packed, letter, at) => packed | ((letter.charCodeAt(0) - JAMO) << (8 * at)), 0);
const LEADING_LETTERS = Uint32Array.from(LEADING, pack);
const VOWEL_LETTERS = Uint32Array.from(VOWELS, pack);
const TRAILING_LETTERS = Uint32Array.from(TRAILING, pack);
/** The compatibility jamo that people type, U+3131 to U+3163, by what NFKC makes of them. */
const TYPED_LETTERS = Uint32Array.from({ length: TYPED_JAMO_END - TYPED_JAMO }, (_, at) =>
  jamoLetters(
    String.fromCharCode(TYPED_JAMO + at)
      .normalize('NFKC')
      .charCodeAt(0),
  ),
);

const scratch = new Uint16Array(LETTERS_MAX + 16);

/** Texts that NFKC does not change, but for jamo, which have the same letters before and after it. */
const UNCHANGED = /^[ -~\n\u3131-\u3163\uac00-\ud7a3\ufffc]*$/;

/** @param text without hidden characters, with LINK_MARK for links */
export function fold(text: string): Folded {
  const folded = UNCHANGED.test(text) ? text : text.normalize('NFKC');
  let length = 0;
  let cased = 0;
  let capitals = 0;
  let exclamations = 0;
  let digits = 0;
  let run = 0;
  for (let at = 0; at < folded.length && length < LETTERS_MAX; at++) {
    const code = folded.charCodeAt(at);
    if (code >= SYLLABLES && code < SYLLABLES_END) {
      const offset = code - SYLLABLES;
      length = write(LEADING_LETTERS[(offset / 588) | 0]!, length);
      length = write(VOWEL_LETTERS[((offset % 588) / 28) | 0]!, length);
      length = write(TRAILING_LETTERS[offset % 28]!, length);
      run = 0;
      continue;
    }
    if (code >= TYPED_JAMO && code < TYPED_JAMO_END) {
      length = write(TYPED_LETTERS[code - TYPED_JAMO]!, length);
      run = 0;
      continue;
    }
    if (code >= LEADING_JAMO && code < TRAILING_JAMO_END) {
      length = write(jamoLetters(code), length);
      run = 0;
      continue;
    }
    if (code === EXCLAMATION) exclamations++;
    const letter = code < NARROW.length ? NARROW[code]! : otherLetter(code);
    if (letter === 0) continue;
    scratch[length++] = letter;
    if (letter === DIGIT) {
      if (++run > digits) digits = run;
      continue;
    }
    run = 0;
    const letterCase = code < NARROW.length ? CASES[code]! : caseOf(code);
    if (letterCase !== 0) cased++;
    if (letterCase === CAPITAL) capitals++;
  }
  return { letters: scratch.slice(0, Math.min(length, LETTERS_MAX)), cased, capitals, exclamations, digits };
}

/** @returns the length after the letters */
function write(letters: number, length: number): number {
  let end = length;
  for (let rest = letters; rest !== 0; rest >>>= 8) scratch[end++] = JAMO + (rest & 0xff);
  return end;
}

/** The letters of a jamo that is in no syllable; none for one of Old Korean. */
function jamoLetters(code: number): number {
  if (code < VOWEL_JAMO) return LEADING_LETTERS[code - LEADING_JAMO] ?? 0;
  if (code <= TRAILING_JAMO) return VOWEL_LETTERS[code - VOWEL_JAMO] ?? 0;
  return TRAILING_LETTERS[code - TRAILING_JAMO] ?? 0;
}

/** A unit of another script: the Latin letter that it looks like, the letter itself, or 0 for what is no letter. */
function otherLetter(code: number): number {
  if (code === LINK) return LINK;
  const character = String.fromCharCode(code);
  if (/\p{Nd}/u.test(character)) return DIGIT;
  if (/\p{Sc}/u.test(character)) return CURRENCY;
  if (!/[\p{L}\p{N}]/u.test(character)) return 0;
  const small = character.toLowerCase().charCodeAt(0);
  const latin = LOOK_ALIKES.get(code) ?? LOOK_ALIKES.get(small);
  return latin === undefined ? small : latin | 0x20;
}

function caseOf(code: number): number {
  const character = String.fromCharCode(code);
  if (character.toLowerCase() === character.toUpperCase()) return 0;
  return character === character.toUpperCase() ? CAPITAL : SMALL;
}
