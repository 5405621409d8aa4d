/**
 * The groups in which digits were written: `02-123-4567` has groups of 2, 3 and 4. They reveal text that was
 * read as part of the number by mistake: a list number before it, or an extension, a floor or a second number
 * after it. Every function expects the result of `scan` while `digits` still holds its digits.
 */
import { digits, SCAN_BREAKS_SHIFT, SCAN_COUNT_MASK, SCAN_PLUS } from './scan.ts';

/** Korean numbers end in a group of four digits. */
export const KOREAN_LAST_GROUP = 4;
/** A shorter last group occurs in no usual form, unless the number is written in pairs. */
const LAST_GROUP_MIN = 3;
const PAIR = 2;
const REPRESENTATIVE_DIGITS = 8;
/** Spreadsheets write a float with up to three zeros. */
const FLOAT_ZEROS_MAX = 3;

/** The breaks between two digits, without those before the first or after the last digit. */
function innerBreaks(scanned: number): number {
  const count = scanned & SCAN_COUNT_MASK;
  const before = count > 21 ? -1 : (1 << count) - 1;
  return (scanned >>> SCAN_BREAKS_SHIFT) & before & ~1;
}

function hasBreak(breaks: number, at: number): boolean {
  return ((breaks >>> at) & 1) === 1;
}

/**
 * Whether a Korean number ends before the text does: `02-123-4567 8`, `1588-1234 (24`.
 * @param lastGroupMin no number ends in a shorter group, unless it is written in pairs: `02 21 23 45 67`
 */
export function hasShortLastGroup(scanned: number, lastGroupMin = LAST_GROUP_MIN): boolean {
  const breaks = innerBreaks(scanned);
  if (breaks === 0) return false;
  const last = 31 - Math.clz32(breaks);
  const rest = breaks & ~(1 << last);
  const before = last - (rest === 0 ? 0 : 31 - Math.clz32(rest));
  const lastGroup = (scanned & SCAN_COUNT_MASK) - last;
  return lastGroup < lastGroupMin && (lastGroup > PAIR || before > PAIR);
}

/**
 * Whether a text without plus has a list number before it (`1. 02-123-4567`), or digits after a complete
 * representative number (`1588-1234 123`).
 */
export function hasExtraDigits(scanned: number): boolean {
  const breaks = innerBreaks(scanned);
  if (breaks === 0 || (scanned & SCAN_PLUS) !== 0 || digits[0] === 0) return false;
  const count = scanned & SCAN_COUNT_MASK;
  const isRepresentative = (at: number): boolean =>
    digits[at] === 1 && (digits[at + 1] === 5 || digits[at + 1] === 6 || digits[at + 1] === 8);
  if (
    hasBreak(breaks, 1) &&
    (digits[1] === 0 || (isRepresentative(1) && count === 1 + REPRESENTATIVE_DIGITS))
  )
    return true;
  if (hasBreak(breaks, 2) && digits[0] === 1 && digits[2] === 0) return true;
  return isRepresentative(0) && hasBreak(breaks, REPRESENTATIVE_DIGITS) && count > REPRESENTATIVE_DIGITS;
}

/** Count of digits before the `.0` that spreadsheets append (`1078022941.0`); 0 if there is none. */
export function floatDigits(scanned: number, text: string): number {
  const breaks = innerBreaks(scanned);
  if (breaks === 0 || (breaks & (breaks - 1)) !== 0) return 0;
  const count = scanned & SCAN_COUNT_MASK;
  const whole = 31 - Math.clz32(breaks);
  if (count - whole > FLOAT_ZEROS_MAX) return 0;
  for (let index = whole; index < count; index++) if (digits[index] !== 0) return 0;
  return /[.．]\p{Nd}{1,3}\P{Nd}*$/u.test(text) ? whole : 0;
}
