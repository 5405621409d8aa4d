/**
 * Parses the number of a plain-text line from its bytes, as `EntryReader` would list it. Returns 0 if only
 * that reader can decide. `test/cli/import/plain-lines.test.ts` compares the two.
 */
import { PARTY_CHARS_MAX } from '../../shared/limits/requests.ts';
import { POW10 } from '../../shared/numbers/number.ts';
import { parseScanned } from '../../shared/numbers/parse.ts';
import { KR_CODE, KR_NSN_DIGITS_MAX, krClassOfNational } from '../../shared/numbers/plan.ts';
import { SCAN_FOREIGN, scanBytes } from '../../shared/numbers/scan.ts';
import { findTestNumber } from '../../shared/test-numbers.ts';
import { refusalOf } from './entry.ts';

const ZERO = 0x30;
const EIGHT = 0x38;
const DASH = 0x2d;
const CR = 0x0d;

/**
 * Minimum digits of a national number here, because fewer may be an emergency number. Also the digits that
 * one integer keeps.
 */
const FIRST_DIGITS = 8;
/** Minimum digits of the last group. With fewer digits, the parser decides. */
const LAST_GROUP_MIN = 4;

/**
 * @param to index of the LF
 * @returns 0 if the line is not ASCII, not a number, or a number that cannot be listed. O(length), about 30
 * ns for a Korean number as dialled, 90 ns for any other; allocates nothing.
 */
export function plainNumberOf(bytes: Uint8Array, from: number, to: number): number {
  const n = dialledNumberOf(bytes, from, to);
  if (n !== 0) return n;
  if (to - from > PARTY_CHARS_MAX) return 0;
  const scanned = scanBytes(bytes, from, to);
  if (scanned === SCAN_FOREIGN) return 0;
  const address = parseScanned(scanned);
  return address.kind === 'number' && refusalOf(address) === null ? address.n : 0;
}

/**
 * Nearly all lines have this form: one 0 and a national number that does not begin like a carrier selection
 * (08…), with or without dashes. The parser reads them as +82 and the digits after the 0.
 */
function dialledNumberOf(bytes: Uint8Array, from: number, to: number): number {
  if (to - from > PARTY_CHARS_MAX || bytes[from] !== ZERO) return 0;
  const first = bytes[from + 1]!;
  // A dash here may precede another 0.
  if (first <= ZERO || first === EIGHT) return 0;
  let count = 0;
  let groupStart = 0;
  let isBroken = false;
  let high = 0;
  let low = 0;
  for (let at = from + 1; at < to; at++) {
    const digit = bytes[at]! - ZERO;
    if (digit < 0 || digit > 9) {
      if (digit !== DASH - ZERO && digit !== CR - ZERO) return 0;
      isBroken = true;
      continue;
    }
    if (isBroken) groupStart = count;
    isBroken = false;
    if (count < FIRST_DIGITS) high = (high * 10 + digit) | 0;
    else low = (low * 10 + digit) | 0;
    count++;
  }
  if (count < FIRST_DIGITS || count > KR_NSN_DIGITS_MAX) return 0;
  // 02-123-4567-8 is shorthand for two numbers.
  if (groupStart > 0 && count - groupStart < LAST_GROUP_MIN) return 0;
  const national = high * POW10[count - FIRST_DIGITS]! + low;
  if (krClassOfNational(national, count) === 'unknown') return 0;
  const n = KR_CODE * POW10[count]! + national;
  return findTestNumber(n) === null ? n : 0;
}
