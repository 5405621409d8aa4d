/**
 * The character level of the parser: one pass over a written number that keeps the digits and skips
 * separators.
 *
 * One table over the 65,536 UTF-16 units (64 KB, filled once) gives the kind of each unit. Digits are ASCII,
 * full-width, Arabic-Indic and Eastern Arabic-Indic. Separators are Unicode's spaces, dashes, dots, brackets
 * and quotation marks, zero-width and bidirectional controls and other invisible characters, `_`, telephone
 * signs, and two letters that are typed as dashes: the katakana long mark and the Hangul `ㅡ`.
 */
import { PARTY_CHARS_MAX } from '../limits/requests.ts';

/** Bit of `scan`'s result: a plus sign before the first digit. */
export const SCAN_PLUS = 128;

/** Mask of `scan`'s result: count of digits, 0 to 64. */
export const SCAN_COUNT_MASK = 127;

/** Shift of the breaks in `scan`'s result: bit i means a separator after i digits. */
export const SCAN_BREAKS_SHIFT = 8;

/** Breaks are recorded after at most this many digits, so that the result stays a small integer. */
const BREAK_DIGITS_MAX = 21;

/** `scan`'s result if a unit cannot be in a number, or if the text may contain two numbers. */
export const SCAN_FOREIGN = -1;

/** Digit values of the last scan. One per isolate: valid until the next `scan`, never across an await. */
export const digits = new Uint8Array(PARTY_CHARS_MAX);

const SEPARATOR = 10;
const PLUS = 11;
/** A separator that also joins two numbers: `02-123-4567~9` and `02-123-4567·8` abbreviate several. */
const JOINER = 12;
const FOREIGN = 13;

/** Fewer digits than this after a joiner abbreviate another number. */
const JOINED_DIGITS_MIN = 3;
/** Digits of the shortest number that a joiner can follow, if the number has other separators. */
const NUMBER_DIGITS_MIN = 7;

const DOT = 0x2e;
const ASCII_LIMIT = 0x80;

/** Code units and ranges of code units, in hexadecimal. */
const SEPARATORS = [
  // Spaces and line ends.
  '9-d 20 85 a0 1680 2000-200a 2028-2029 202f 205f 3000',
  // Dashes (general category Pd), the minus sign, the hyphen bullet, and letters typed as dashes.
  '2d 58a 5be 1400 1806 2010-2015 2043 2212 2e17 2e1a 2e3a-2e3b 2e40 2e5d 3030 30a0 30fc 3161',
  'fe31-fe32 fe58 fe63 ff0d',
  // Zero-width and bidirectional controls, fillers, variation selectors, the Braille blank: all invisible.
  'ad 34f 61c 115f-1160 17b4-17b5 180b-180f 200b-200f 202a-202e 2060-206f 2800 3164',
  'fe00-fe0f feff ffa0 fff0-fff8',
  // Quotation marks, and the accents typed in their place.
  '22 27 60 b4 2018-201f ff02 ff07',
  // Low lines, and telephone signs.
  '5f ff3f 2121 260e-260f 2706',
  // Dots and brackets.
  '28-29 2e 3c 3e 5b 5d 7b 7d 3008-3011 3014-301b ff08-ff09 ff0e ff1c ff1e ff3b ff3d ff5b ff5d',
];
const JOINERS = [
  // Solidus and tilde.
  '2f 7e 223c 301c ff0f ff5e',
  // Middle dots.
  'b7 387 119e 2022 2024 2027 2219 22c5 30fb 318d ff65',
];
const PLUSES = ['2b fe62 ff0b'];
const DIGIT_ZEROS = [0x0030, 0x0660, 0x06f0, 0xff10];

const kinds = new Uint8Array(65_536).fill(FOREIGN);
for (const [kind, rows] of [
  [SEPARATOR, SEPARATORS],
  [JOINER, JOINERS],
  [PLUS, PLUSES],
] as const) {
  for (const range of rows.join(' ').split(' ')) {
    const [from, to = from] = range.split('-').map((unit) => Number.parseInt(unit, 16));
    kinds.fill(kind, from, to! + 1);
  }
}
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

/** Whether the last joiner within the digits separates two numbers, by what follows or precedes it. */
function joinsNumbers(count: number, breaks: number, joins: number): boolean {
  const inner = (1 << Math.min(count, BREAK_DIGITS_MAX)) - 2;
  if ((joins & inner) === 0) return false;
  const last = 31 - Math.clz32(joins & inner);
  if (count - last < JOINED_DIGITS_MIN) return true;
  // 010~2000~5036 is one number; 02-123-4567~4570 is several.
  return last >= NUMBER_DIGITS_MIN && (breaks & ~joins & inner) !== 0;
}
