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
  PAIR_SIZES,
  rowOfConjoining,
  SYLLABLES,
  SYLLABLES_END,
  TRAILING_COUNT,
  TRAILING_JAMO_ROWS,
  TRAILING_SIZES,
  TYPED_JAMO,
  TYPED_JAMO_END,
  TYPED_JAMO_ROWS,
} from './hangul.ts';
import { CAPITAL, CASE_SHIFT, CURRENCY, DIGIT, isPlainSeparator, LINK, unitOf } from './letter-units.ts';
import { readNumbers } from './numbers-in-letters.ts';

/** The letters of a text, and facts that the letters do not show, or not quickly. */
export interface Folded {
  /** UTF-16 units: basic jamo (U+3131 to U+3163), Latin in lower case, DIGIT, CURRENCY, LINK, and other letters. */
  readonly letters: Uint16Array<ArrayBuffer>;
  /** Letters with two cases, and capitals among them, before folding. */
  readonly cased: number;
  readonly capitals: number;
  readonly exclamations: number;
  /** Count of digits in the longest run, which may have separators inside it. */
  readonly digits: number;
  /** Whether there is a currency sign, or a number before 원 (won). */
  readonly hasMoney: boolean;
}

/**
 * Kinds of ASCII characters. Those below NUMERAL are read without a branch, because no processor predicts where words end:
 * the lowest bit says whether the character is a letter, the next bit whether it is a capital.
 */
const SEPARATOR = 0;
const SMALL_LETTER = 1;
const CAPITAL_LETTER = 3;
const NUMERAL = 4;
const DOLLAR = 5;
const EXCLAMATION_MARK = 6;
const CONTROL = 7;
const KINDS = Uint8Array.from({ length: 0x80 }, (_, code) => {
  const character = String.fromCharCode(code);
  if (/[a-z]/.test(character)) return SMALL_LETTER;
  if (/[A-Z]/.test(character)) return CAPITAL_LETTER;
  if (/\d/.test(character)) return NUMERAL;
  if (/[^ -~\t-\r]/.test(character)) return CONTROL;
  return { $: DOLLAR, '!': EXCLAMATION_MARK }[character] ?? SEPARATOR;
});
const SMALL_BIT = 0x20;
const EXCLAMATION = 0x21;

/** NFKC takes time quadratic in the count of unordered marks. They fold to nothing, so they can be removed before it. */
const MARKS = /\p{M}+/gu;

/** More than the most letters that one unit adds. */
const MARGIN = 8;
/** Letters of one allocation for many texts. One allocation for each text would take as long as folding it. */
const CHUNK_LETTERS = 32_768;
let chunk = new Uint16Array(0);
let used = 0;

/** Memory with room for the letters of a text from `used` on. No two texts share the same part. */
function reserve(): Uint16Array<ArrayBuffer> {
  if (used + LETTERS_MAX + MARGIN > chunk.length) {
    chunk = new Uint16Array(CHUNK_LETTERS);
    used = 0;
  }
  return chunk;
}

/** @param end of the letters in the chunk */
function take(end: number): Uint16Array<ArrayBuffer> {
  const start = used;
  used = Math.min(end, start + LETTERS_MAX);
  return chunk.subarray(start, used);
}

/** @param text without hidden characters, with LINK for links */
export function fold(text: string): Folded {
  const normalized = text.replace(MARKS, '').normalize('NFKC');
  const { length } = normalized;
  const memory = reserve();
  const last = used + LETTERS_MAX;
  let end = used;
  let cased = 0;
  let capitals = 0;
  let exclamations = 0;
  let hasDigit = false;
  let hasCurrency = false;
  for (let at = 0; at < length && end < last; at++) {
    const code = normalized.charCodeAt(at);
    if (code >= SYLLABLES && code < SYLLABLES_END) {
      end = writeSyllable(code, memory, end);
    } else if (code >= TYPED_JAMO && code < TYPED_JAMO_END) {
      end = writeRow(TYPED_JAMO_ROWS[code - TYPED_JAMO]!, memory, end);
    } else if (isConjoining(code)) {
      end = writeRow(rowOfConjoining(code), memory, end);
    } else {
      if (code === EXCLAMATION) exclamations++;
      const unit = unitOf(code, at + 1 < length ? normalized.charCodeAt(at + 1) : 0);
      const letter = unit & 0xffff;
      if (letter === 0) continue;
      memory[end++] = letter;
      hasDigit ||= letter === DIGIT;
      hasCurrency ||= letter === CURRENCY;
      const letterCase = unit >>> CASE_SHIFT;
      if (letterCase !== 0) cased++;
      if (letterCase === CAPITAL) capitals++;
    }
  }
  return finish(take(end), cased, capitals, exclamations, hasDigit, hasCurrency);
}

/**
 * Like `fold`, in one pass, for most texts. Null if the text has a character that is not plain: a hidden character, or one
 * that is neither ASCII nor Hangul nor common punctuation.
 * @param link LINK if it stands for a link in this text, 0 otherwise
 */
export function foldPlain(text: string, link: number): Folded | null {
  const { length } = text;
  const memory = reserve();
  const last = used + LETTERS_MAX;
  let end = used;
  let cased = 0;
  let capitals = 0;
  let exclamations = 0;
  let hasDigit = false;
  let hasCurrency = false;
  for (let at = 0; at < length && end < last; at++) {
    const code = text.charCodeAt(at);
    if (code >= 0x80) {
      if (code >= SYLLABLES && code < SYLLABLES_END) end = writeSyllable(code, memory, end);
      else if (code >= TYPED_JAMO && code < TYPED_JAMO_END)
        end = writeRow(TYPED_JAMO_ROWS[code - TYPED_JAMO]!, memory, end);
      else if (code === link) memory[end++] = LINK;
      else if (!isPlainSeparator(code)) return null;
      continue;
    }
    const kind = KINDS[code]!;
    if (kind < NUMERAL) {
      memory[end] = code | SMALL_BIT;
      const letters = kind & 1;
      end += letters;
      cased += letters;
      capitals += kind >> 1;
    } else if (kind === NUMERAL) {
      memory[end++] = DIGIT;
      hasDigit = true;
    } else if (kind === EXCLAMATION_MARK) {
      exclamations++;
    } else if (kind === DOLLAR) {
      memory[end++] = CURRENCY;
      hasCurrency = true;
    } else {
      return null;
    }
  }
  return finish(take(end), cased, capitals, exclamations, hasDigit, hasCurrency);
}

function finish(
  letters: Uint16Array<ArrayBuffer>,
  cased: number,
  capitals: number,
  exclamations: number,
  hasDigit: boolean,
  hasCurrency: boolean,
): Folded {
  if (!hasDigit) return { letters, cased, capitals, exclamations, digits: 0, hasMoney: hasCurrency };
  const { longest, hasWon } = readNumbers(letters);
  return { letters, cased, capitals, exclamations, digits: longest, hasMoney: hasCurrency || hasWon };
}

/** Without branches for most syllables: the next letter overwrites those past the end. @returns where that letter goes */
function writeSyllable(code: number, memory: Uint16Array, at: number): number {
  const offset = code - SYLLABLES;
  const pair = (offset / TRAILING_COUNT) | 0;
  const row = PAIR_JAMO[pair]!;
  memory[at] = JAMO_BASE + (row & JAMO_MASK);
  memory[at + 1] = JAMO_BASE + ((row >>> JAMO_BITS) & JAMO_MASK);
  memory[at + 2] = JAMO_BASE + ((row >>> (2 * JAMO_BITS)) & JAMO_MASK);
  const more = row >>> (3 * JAMO_BITS);
  if (more !== 0) writeRow(more, memory, at + 3);
  const end = at + PAIR_SIZES[pair]!;
  const trailing = offset - pair * TRAILING_COUNT;
  const last = TRAILING_JAMO_ROWS[trailing]!;
  memory[end] = JAMO_BASE + (last & JAMO_MASK);
  memory[end + 1] = JAMO_BASE + (last >>> JAMO_BITS);
  return end + TRAILING_SIZES[trailing]!;
}

/** @returns where the next letter goes */
function writeRow(jamo: number, memory: Uint16Array, at: number): number {
  let end = at;
  for (let row = jamo; row !== 0; row >>>= JAMO_BITS) memory[end++] = JAMO_BASE + (row & JAMO_MASK);
  return end;
}
