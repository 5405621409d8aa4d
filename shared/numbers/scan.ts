/**
 * The character level of the parser: one pass over a written address that keeps the digits and forgets
 * everything that people put between them.
 *
 * One table over the 65,536 UTF-16 units (64 KB, filled once) gives each unit's kind. Digits are ASCII,
 * full-width, Arabic-Indic and Eastern Arabic-Indic. Separators are Unicode's spaces, dashes, brackets,
 * zero-width and bidirectional controls, fillers and whatever else nobody sees, `.`, `/`, and two letters that are typed as dashes: the katakana
 * long mark and the Hangul `ㅡ`. `~` is no separator: it writes ranges.
 */

import { ADDRESS_CHARS_MAX } from '../limits.ts';

/** Bit of `scan`'s answer: a plus sign stood before the first digit. */
export const SCAN_PLUS = 128;

/** Mask of `scan`'s answer: count of digits, 0 to 64. */
export const SCAN_COUNT_MASK = 127;

/** `scan`'s answer when a unit is neither digit, separator nor a leading plus. */
export const SCAN_FOREIGN = -1;

/** Digit values of the last scan. One per isolate: valid until the next `scan`, never across an await. */
export const digits = new Uint8Array(ADDRESS_CHARS_MAX);

const SEPARATOR = 10;
const PLUS = 11;
const FOREIGN = 12;

const DOT = 0x2e;
const ASCII_LIMIT = 0x80;

const DIGIT_ZEROS = [0x0030, 0x0660, 0x06f0, 0xff10];
const PLUSES = [0x002b, 0xfe62, 0xff0b];

const SEPARATOR_RANGES: readonly (readonly [from: number, to: number])[] = [
  // Spaces and line ends.
  [0x0009, 0x000d],
  [0x0020, 0x0020],
  [0x0085, 0x0085],
  [0x00a0, 0x00a0],
  [0x1680, 0x1680],
  [0x2000, 0x200a],
  [0x2028, 0x2029],
  [0x202f, 0x202f],
  [0x205f, 0x205f],
  [0x3000, 0x3000],
  // Dashes (general category Pd), the minus sign, the hyphen bullet, and letters typed as dashes.
  [0x002d, 0x002d],
  [0x058a, 0x058a],
  [0x05be, 0x05be],
  [0x1400, 0x1400],
  [0x1806, 0x1806],
  [0x2010, 0x2015],
  [0x2043, 0x2043],
  [0x2212, 0x2212],
  [0x2e17, 0x2e17],
  [0x2e1a, 0x2e1a],
  [0x2e3a, 0x2e3b],
  [0x2e40, 0x2e40],
  [0x2e5d, 0x2e5d],
  [0x301c, 0x301c],
  [0x3030, 0x3030],
  [0x30a0, 0x30a0],
  [0x30fc, 0x30fc],
  [0x3161, 0x3161],
  [0xfe31, 0xfe32],
  [0xfe58, 0xfe58],
  [0xfe63, 0xfe63],
  [0xff0d, 0xff0d],
  // Zero-width and bidirectional controls, fillers, variation selectors, the blank of Braille: nobody sees them.
  [0x00ad, 0x00ad],
  [0x034f, 0x034f],
  [0x061c, 0x061c],
  [0x115f, 0x1160],
  [0x17b4, 0x17b5],
  [0x180b, 0x180f],
  [0x200b, 0x200f],
  [0x202a, 0x202e],
  [0x2060, 0x2064],
  [0x2065, 0x206f],
  [0x2800, 0x2800],
  [0x3164, 0x3164],
  [0xfe00, 0xfe0f],
  [0xfeff, 0xfeff],
  [0xffa0, 0xffa0],
  [0xfff0, 0xfff8],
  // Dot, slash and brackets, each also full-width.
  [0x0028, 0x0029],
  [0x002e, 0x002f],
  [0x003c, 0x003c],
  [0x003e, 0x003e],
  [0x005b, 0x005b],
  [0x005d, 0x005d],
  [0x007b, 0x007b],
  [0x007d, 0x007d],
  [0x3008, 0x3011],
  [0x3014, 0x301b],
  [0xff08, 0xff09],
  [0xff0e, 0xff0f],
  [0xff1c, 0xff1c],
  [0xff1e, 0xff1e],
  [0xff3b, 0xff3b],
  [0xff3d, 0xff3d],
  [0xff5b, 0xff5b],
  [0xff5d, 0xff5d],
];

const kinds = new Uint8Array(65_536).fill(FOREIGN);
for (const [from, to] of SEPARATOR_RANGES) kinds.fill(SEPARATOR, from, to + 1);
for (const plus of PLUSES) kinds[plus] = PLUS;
for (const zero of DIGIT_ZEROS) for (let value = 0; value < 10; value++) kinds[zero + value] = value;

/**
 * Fills `digits` from `text` and answers the count of digits, with `SCAN_PLUS` set if a plus came first;
 * or `SCAN_FOREIGN` at the first unit that cannot stand in a number (a second or late plus too).
 * Expects at most `ADDRESS_CHARS_MAX` units. O(length), no allocation.
 */
export function scan(text: string): number {
  let count = 0;
  let plus = 0;
  for (let index = 0; index < text.length; index++) {
    const kind = kinds[text.charCodeAt(index)]!;
    if (kind < SEPARATOR) digits[count++] = kind;
    else if (kind !== SEPARATOR) {
      if (kind !== PLUS || count !== 0 || plus !== 0) return SCAN_FOREIGN;
      plus = SCAN_PLUS;
    }
  }
  return count | plus;
}

/**
 * As `scan`, of ASCII in bytes from `from` to before `to`, for readers of files: `SCAN_FOREIGN` also at every
 * other byte, and at a dot, since two of them write a range. O(length), no allocation.
 */
export function scanBytes(bytes: Uint8Array, from: number, to: number): number {
  let count = 0;
  let plus = 0;
  for (let index = from; index < to; index++) {
    const byte = bytes[index]!;
    const kind = kinds[byte]!;
    if (kind < SEPARATOR) digits[count++] = kind;
    else if (kind !== SEPARATOR || byte === DOT || byte >= ASCII_LIMIT) {
      if (kind !== PLUS || count !== 0 || plus !== 0) return SCAN_FOREIGN;
      plus = SCAN_PLUS;
    }
  }
  return count | plus;
}
