/**
 * The character level of the parser: one pass over a written number that keeps the digits and skips
 * separators.
 *
 * One table over the 65,536 UTF-16 units (64 KB, filled once) gives the kind of each unit. Digits are ASCII,
 * full-width, Arabic-Indic and Eastern Arabic-Indic. Separators are Unicode's spaces, dashes, dots, brackets
 * and quotation marks, zero-width and bidirectional controls and other invisible characters, `_`, telephone
 * signs, and two letters that are typed as dashes: the katakana long mark and the Hangul `ㅡ`.
 */
import { PARTY_CHARS_MAX } from '../limits.ts';

/** Bit of `scan`'s result: a plus sign before the first digit. */
export const SCAN_PLUS = 128;

/** Mask of `scan`'s result: count of digits, 0 to 64. */
export const SCAN_COUNT_MASK = 127;

/** Shift of the breaks in `scan`'s result: bit i means a separator after i digits. */
export const SCAN_BREAKS_SHIFT = 8;

/** Most digits after which a break is recorded, so that the result stays a small integer. */
const BREAK_DIGITS_MAX = 21;

/**
 * `scan`'s result if a unit is neither digit, separator nor leading plus, or if the text may contain two
 * numbers.
 */
export const SCAN_FOREIGN = -1;

/** Digit values of the last scan. One per isolate: valid until the next `scan`, never across an await. */
export const digits = new Uint8Array(PARTY_CHARS_MAX);

const SEPARATOR = 10;
const PLUS = 11;
/** A separator that also joins two numbers: `02-123-4567~9` and `02-123-4567·8` abbreviate several. */
const JOINER = 12;
const FOREIGN = 13;

/** Fewer digits than this after a joiner are the end of another number. */
const JOINED_DIGITS_MIN = 3;
/** Digits of the shortest number that a joiner, as a distinct separator, can follow. */
const NUMBER_DIGITS_MIN = 7;

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
  [0x3030, 0x3030],
  [0x30a0, 0x30a0],
  [0x30fc, 0x30fc],
  [0x3161, 0x3161],
  [0xfe31, 0xfe32],
  [0xfe58, 0xfe58],
  [0xfe63, 0xfe63],
  [0xff0d, 0xff0d],
  // Zero-width and bidirectional controls, fillers, variation selectors, the Braille blank: all invisible.
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
  // Quotation marks, and the accents typed in their place.
  [0x0022, 0x0022],
  [0x0027, 0x0027],
  [0x0060, 0x0060],
  [0x00b4, 0x00b4],
  [0x2018, 0x201f],
  [0xff02, 0xff02],
  [0xff07, 0xff07],
  // Low line.
  [0x005f, 0x005f],
  [0xff3f, 0xff3f],
  // Telephone signs.
  [0x2121, 0x2121],
  [0x260e, 0x260f],
  [0x2706, 0x2706],
  // Dot and brackets, each also full-width.
  [0x0028, 0x0029],
  [0x002e, 0x002e],
  [0x003c, 0x003c],
  [0x003e, 0x003e],
  [0x005b, 0x005b],
  [0x005d, 0x005d],
  [0x007b, 0x007b],
  [0x007d, 0x007d],
  [0x3008, 0x3011],
  [0x3014, 0x301b],
  [0xff08, 0xff09],
  [0xff0e, 0xff0e],
  [0xff1c, 0xff1c],
  [0xff1e, 0xff1e],
  [0xff3b, 0xff3b],
  [0xff3d, 0xff3d],
  [0xff5b, 0xff5b],
  [0xff5d, 0xff5d],
];

const JOINERS = [
  // Solidus and tilde.
  ...[0x002f, 0x007e, 0x223c, 0x301c, 0xff0f, 0xff5e],
  // Middle dots.
  ...[0x00b7, 0x0387, 0x119e, 0x2022, 0x2024, 0x2027, 0x2219, 0x22c5, 0x30fb, 0x318d, 0xff65],
];

const kinds = new Uint8Array(65_536).fill(FOREIGN);
for (const [from, to] of SEPARATOR_RANGES) kinds.fill(SEPARATOR, from, to + 1);
for (const joiner of JOINERS) kinds[joiner] = JOINER;
for (const plus of PLUSES) kinds[plus] = PLUS;
for (const zero of DIGIT_ZEROS) for (let value = 0; value < 10; value++) kinds[zero + value] = value;

/**
 * Fills `digits` from `text`. Returns the count of digits, `SCAN_PLUS` if a plus came first, and the breaks.
 * Returns `SCAN_FOREIGN` at the first unit that cannot be in a number (including a second or late plus), and
 * if a joiner separates two numbers. Expects at most `PARTY_CHARS_MAX` units. O(length), no allocation.
 */
export function scan(text: string): number {
  let count = 0;
  let plus = 0;
  let breaks = 0;
  let joins = 0;
  for (let index = 0; index < text.length; index++) {
    const kind = kinds[text.charCodeAt(index)]!;
    if (kind < SEPARATOR) digits[count++] = kind;
    else if (kind === SEPARATOR) breaks |= breakAt(count);
    else if (kind === JOINER) joins |= breakAt(count);
    else if (kind !== PLUS || count !== 0 || plus !== 0) return SCAN_FOREIGN;
    else plus = SCAN_PLUS;
  }
  return scanned(count, plus, breaks, joins);
}

/**
 * Like `scan`, for the ASCII bytes from `from` to `to` (exclusive), for file readers. Also returns
 * `SCAN_FOREIGN` at every non-ASCII byte, and at a dot, because two dots write a range. O(length), no
 * allocation.
 */
export function scanBytes(bytes: Uint8Array, from: number, to: number): number {
  let count = 0;
  let plus = 0;
  let breaks = 0;
  let joins = 0;
  for (let index = from; index < to; index++) {
    const byte = bytes[index]!;
    const kind = byte === DOT || byte >= ASCII_LIMIT ? FOREIGN : kinds[byte]!;
    if (kind < SEPARATOR) digits[count++] = kind;
    else if (kind === SEPARATOR) breaks |= breakAt(count);
    else if (kind === JOINER) joins |= breakAt(count);
    else if (kind !== PLUS || count !== 0 || plus !== 0) return SCAN_FOREIGN;
    else plus = SCAN_PLUS;
  }
  return scanned(count, plus, breaks, joins);
}

function breakAt(count: number): number {
  return count > BREAK_DIGITS_MAX ? 0 : 1 << count;
}

function scanned(count: number, plus: number, breaks: number, joins: number): number {
  if (joins !== 0 && joinsNumbers(count, breaks, joins)) return SCAN_FOREIGN;
  return count | plus | ((breaks | joins) << SCAN_BREAKS_SHIFT);
}

/** Whether the last joiner within the digits separates two numbers, judged by what follows or precedes it. */
function joinsNumbers(count: number, breaks: number, joins: number): boolean {
  const inner = (1 << Math.min(count, BREAK_DIGITS_MAX)) - 2;
  if ((joins & inner) === 0) return false;
  const last = 31 - Math.clz32(joins & inner);
  if (count - last < JOINED_DIGITS_MIN) return true;
  // 010~2000~5036 is one number; 02-123-4567~4570 is several.
  return last >= NUMBER_DIGITS_MIN && (breaks & ~joins & inner) !== 0;
}
