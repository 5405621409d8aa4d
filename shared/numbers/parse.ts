/**
 * From what people and gateways write to a number, a short code or a source; read from Korea. Separators
 * never change the answer, and its E.164 form parses to itself. Ambiguous beginnings are read so:
 * - `0082…`: 00 + 82 if a valid Korean number or an emergency code follows, else carrier 008 + `2…` (Africa).
 * - `00798…`, `00308…`, `00368…` of the right length: Korean inbound toll free, not 00 + 7, 30 or 36.
 * - `006…` (001, 0073, …): a carrier if a possible number follows, else 00 + 6…; so `0065 8123 4567` is
 *   Singapore, but `0063 917 123 4567` is carrier 006 + Italy.
 * - One 0 before a non-zero digit is a trunk prefix; two or more stay and make junk, never a guess.
 */
import { ADDRESS_CHARS_MAX } from '../limits.ts';
import { callingCodeOfPrefix, dropsTrunkZero, isPossible } from './calling-codes.ts';
import { carrierPrefixOf } from './carriers.ts';
import { digitCountOf, NUMBER_DIGITS_MAX, POW10 } from './number.ts';
import { isEmergencyNumber, KR_CODE, krClassOf } from './plan.ts';
import { digits, SCAN_COUNT_MASK, SCAN_FOREIGN, SCAN_PLUS, scan } from './scan.ts';

/** Why a text is no address. */
export type AddressError = 'NUMBER_MISSING' | 'NUMBER_TOO_LONG' | 'NUMBER_CHARACTER';

/** What a written address turned out to be. */
export type Address =
  /** `carrierPrefix`: the Korean international prefix that stood before it, evidence of overseas ingress. */
  | { readonly kind: 'number'; readonly n: number; readonly carrierPrefix: string | null }
  /** 3 to 5 digits that begin with 1, written without plus or 0: 112, 1335, 10114. */
  | { readonly kind: 'shortCode'; readonly code: string }
  /** Text with at least one letter, trimmed. */
  | { readonly kind: 'source'; readonly text: string }
  | { readonly kind: 'invalid'; readonly code: AddressError };

/** U+FFFD, which decoders put in the place of what is no UTF-8: another sender id than the one that was meant. */
const REPLACEMENT = '\ufffd';

const MISSING: Address = { kind: 'invalid', code: 'NUMBER_MISSING' };
const TOO_LONG: Address = { kind: 'invalid', code: 'NUMBER_TOO_LONG' };
const CHARACTER: Address = { kind: 'invalid', code: 'NUMBER_CHARACTER' };

const GENERIC_PREFIX = '00';
const SHORT_CODE_DIGITS_MIN = 3;
const SHORT_CODE_DIGITS_MAX = 5;
/** Fewer digits without any prefix are taken for a mistyped Korean number, not for one from abroad. */
const BARE_INTERNATIONAL_DIGITS_MIN = 10;

const SMALL_DIGITS_MAX = 9;
const DOES_NOT_FIT = 0;
const LETTER = /\p{L}/u;

/**
 * Reads one written address. Never throws. A digit sequence that no subscriber can have is still a number
 * as long as it fits 15 digits: ask `isValidNumber`.
 * - `NUMBER_MISSING`: no digit at all, or only zeros.
 * - `NUMBER_TOO_LONG`: more than `ADDRESS_CHARS_MAX` UTF-16 units, or more than 15 digits with country code.
 * - `NUMBER_CHARACTER`: a character that is no digit, letter or separator, or stands for bytes that are no
 *   UTF-8; a plus not in front; a 0 right after the plus, where a country code must begin.
 *
 * O(length), well under a microsecond; allocates nothing but the answer.
 */
export function parseAddress(text: string): Address {
  if (text.length > ADDRESS_CHARS_MAX) return TOO_LONG;
  const scanned = scan(text);
  if (scanned === SCAN_FOREIGN) {
    const isSource = LETTER.test(text) && !text.includes(REPLACEMENT);
    return isSource ? { kind: 'source', text: text.trim() } : CHARACTER;
  }
  return parseScanned(scanned);
}

/** As `parseAddress`, of what `scan` or `scanBytes` has just read, and found nothing foreign in. */
export function parseScanned(scanned: number): Address {
  const count = scanned & SCAN_COUNT_MASK;
  if (isAllZeros(count)) return MISSING;
  if ((scanned & SCAN_PLUS) !== 0)
    return digits[0] === 0 ? CHARACTER : numberOr(international(0, count), null);
  if (digits[0] !== 0) return bare(count);
  if (digits[1] !== 0) return numberOr(korean(0, count), null);
  return doubleZero(count);
}

/**
 * Whether N can be somebody's: in Korea a class of the plan, abroad an assigned calling code with a
 * possible length. False is proof that no subscriber has it.
 */
export function isValidNumber(n: number): boolean {
  const krClass = krClassOf(n);
  return krClass === null ? isPossible(n) : krClass !== 'unknown';
}

/** Digits with neither plus nor 0 in front: short code, Korean NSN, 82 + NSN, a number abroad, else junk. */
function bare(count: number): Address {
  if (digits[0] === 1 && count >= SHORT_CODE_DIGITS_MIN && count <= SHORT_CODE_DIGITS_MAX) {
    return { kind: 'shortCode', code: String(integer(0, count)) };
  }
  const national = korean(0, count);
  if (isValidNumber(national)) return numberOr(national, null);
  const foreign = international(0, count);
  const isKorean = digits[0] === 8 && digits[1] === 2;
  if ((isKorean || count >= BARE_INTERNATIONAL_DIGITS_MIN) && isValidNumber(foreign))
    return numberOr(foreign, null);
  return numberOr(national === DOES_NOT_FIT ? foreign : national, null);
}

/** Digits that begin with 00: see the ambiguities in the header. */
function doubleZero(count: number): Address {
  if (digits[2] === 8 && digits[3] === 2) {
    const n = korean(4, count);
    // 00 is how +82 is written without a plus: no evidence of overseas ingress.
    if (isValidNumber(n) || isEmergencyNumber(n)) return numberOr(n, null);
  }
  const asWritten = korean(0, count);
  if (isValidNumber(asWritten)) return numberOr(asWritten, null);

  const carrier = carrierPrefixOf(digits, count);
  const behindCarrier = carrier === null ? DOES_NOT_FIT : international(carrier.length, count);
  if (isValidNumber(behindCarrier)) return numberOr(behindCarrier, carrier);
  const generic = international(GENERIC_PREFIX.length, count);
  if (isValidNumber(generic)) return numberOr(generic, GENERIC_PREFIX);

  if (behindCarrier !== DOES_NOT_FIT) return numberOr(behindCarrier, carrier);
  if (generic !== DOES_NOT_FIT) return numberOr(generic, GENERIC_PREFIX);
  return numberOr(asWritten, null);
}

/** The number whose country code begins at `from`, without a trunk 0. `DOES_NOT_FIT` also if a 0 is there. */
function international(from: number, count: number): number {
  if (from >= count || digits[from] === 0) return DOES_NOT_FIT;
  const prefixDigits = Math.min(3, count - from);
  const code = callingCodeOfPrefix(integer(from, from + prefixDigits) * POW10[3 - prefixDigits]!);
  if (code === KR_CODE) return korean(from + 2, count);
  const national = from + digitCountOf(code);
  if (dropsTrunkZero(code) && hasTrunkZero(national, count)) return join(code, national + 1, count);
  return count - from > NUMBER_DIGITS_MAX ? DOES_NOT_FIT : integer(from, count);
}

/**
 * The Korean number whose national digits begin at `from`, with or without trunk 0. Behind a trunk 0 also
 * with a domestic carrier selection (081 to 084, 086 to 088, 085xx), if only that makes it valid.
 */
function korean(from: number, count: number): number {
  if (!hasTrunkZero(from, count)) return join(KR_CODE, from, count);
  const n = join(KR_CODE, from + 1, count);
  if (digits[from + 1] !== 8 || isValidNumber(n)) return n;
  const second = digits[from + 2]!;
  const isSelection = second >= 1 && second <= 8;
  const selected = isSelection ? join(KR_CODE, from + (second === 5 ? 5 : 3), count) : DOES_NOT_FIT;
  return isValidNumber(selected) ? selected : n;
}

function hasTrunkZero(at: number, count: number): boolean {
  return at + 1 < count && digits[at] === 0 && digits[at + 1] !== 0;
}

/** Calling code and the digits from `from`, `DOES_NOT_FIT` if that is more than 15 digits. */
function join(code: number, from: number, count: number): number {
  const length = Math.max(0, count - from);
  if (digitCountOf(code) + length > NUMBER_DIGITS_MAX) return DOES_NOT_FIT;
  return code * POW10[length]! + integer(from, count);
}

/** Digits `from` to `to` as an integer. In two parts that each fit 31 bits: half the time of one double. */
function integer(from: number, to: number): number {
  const middle = Math.min(to, from + SMALL_DIGITS_MAX);
  const high = smallInteger(from, middle);
  return middle === to ? high : high * POW10[to - middle]! + smallInteger(middle, to);
}

function smallInteger(from: number, to: number): number {
  let value = 0;
  for (let index = from; index < to; index++) value = (value * 10 + digits[index]!) | 0;
  return value;
}

function isAllZeros(count: number): boolean {
  for (let index = 0; index < count; index++) if (digits[index] !== 0) return false;
  return true;
}

function numberOr(n: number, carrierPrefix: string | null): Address {
  return n === DOES_NOT_FIT ? TOO_LONG : { kind: 'number', n, carrierPrefix };
}
