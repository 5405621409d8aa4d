/**
 * The integer form of a telephone number: its E.164 digits read as one integer N < 10^15.
 *
 * ITU-T E.164 allows at most 15 digits, and no country code begins with 0, so N and the written number
 * determine each other, and N stays far below 2^53. Sets are keyed by prefix (N div 10^8) and suffix (N mod
 * 10^8), for every country alike. All functions are O(1) up to the 15 digits.
 */
import { flat } from '../flat.ts';

/** Count of suffixes per prefix. */
export const SUFFIX_COUNT = 100_000_000;

/** First integer that is too long for an E.164 number (ITU-T E.164, 6.1: at most 15 digits). */
export const NUMBER_LIMIT = 1_000_000_000_000_000;

/** Most decimal digits of a number. */
export const NUMBER_DIGITS_MAX = 15;

/** Powers of ten, 10^0 to 10^15, all exact. */
export const POW10: Float64Array = Float64Array.from(
  { length: NUMBER_DIGITS_MAX + 1 },
  (_, power) => 10 ** power,
);

/** Character codes. */
const PLUS = 0x2b;
const ZERO = 0x30;

/** N div 10^8: country and leading digits. 8210 for Korea's 010-2000-5036. */
export function prefixOf(n: number): number {
  return Math.floor(n / SUFFIX_COUNT);
}

/**
 * N mod 10^8: the last eight digits. 20005036 for Korea's 010-2000-5036.
 * Avoids `%`, which on doubles takes a tenth of the time of a look-up. Exact, since N div 10^8 is below 2^24.
 */
export function suffixOf(n: number): number {
  return n - Math.floor(n / SUFFIX_COUNT) * SUFFIX_COUNT;
}

/** Count of decimal digits of N, 1 to 15. Expects 0 <= N < 10^15. */
export function digitCountOf(n: number): number {
  // Most numbers have at least nine digits.
  let count = n >= SUFFIX_COUNT ? 9 : 1;
  while (count < NUMBER_DIGITS_MAX && n >= POW10[count]!) count++;
  return count;
}

/** The written E.164 form, `+` and digits, as a flat string (flat.ts). */
export function toE164(n: number): string {
  // Short strings are always flat.
  if (n < 100_000_000_000) return `+${n}`;
  if (n > 999_999_999_999) return flat('+', n);
  // Twelve digits, as in every Korean mobile number: takes half the time.
  const high = Math.floor(n / 1_000_000);
  const low = n - high * 1_000_000;
  return String.fromCharCode(
    PLUS,
    digit(high, 100_000),
    digit(high, 10_000),
    digit(high, 1000),
    digit(high, 100),
    digit(high, 10),
    digit(high, 1),
    digit(low, 100_000),
    digit(low, 10_000),
    digit(low, 1000),
    digit(low, 100),
    digit(low, 10),
    digit(low, 1),
  );
}

/** Character code of one digit. @param value below 2^31 @param place a power of ten */
function digit(value: number, place: number): number {
  return ZERO + (((value / place) | 0) % 10);
}
