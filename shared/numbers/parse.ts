/**
 * Parses what people and gateways write into a number, a short code or a sender ID, from a Korean point of
 * view.
 *
 * A text without `+` can have several readings: a Korean national number, a number after a Korean carrier
 * prefix, or a number after `00`. The parser never guesses: it returns the only valid reading, or all of them
 * as `ambiguous`. The position of separators never changes which number is read, only whether the text is
 * rejected (`groups.ts`). The E.164 form of a number parses to itself. One 0 before another digit is a trunk
 * prefix; two are not.
 */
import { PARTY_CHARS_MAX } from '../limits/requests.ts';
import { callingCodeOfPrefix, dropsTrunkZero } from './calling-codes.ts';
import { removeDecoration } from './decoration.ts';
import { floatDigits, hasExtraDigits, hasShortLastGroup, KOREAN_LAST_GROUP } from './groups.ts';
import { digitCountOf, NUMBER_DIGITS_MAX, POW10 } from './number.ts';
import type { ParsedParty } from './party.ts';
import { isEmergency, isEmergencyNumber, KR_CARRIER_PREFIXES, KR_CODE, krClassOf } from './plan.ts';
import { PossibleNumbers } from './possible-numbers.ts';
import { digits, SCAN_COUNT_MASK, SCAN_FOREIGN, SCAN_PLUS, scan } from './scan.ts';
import { isValidNumber } from './validity.ts';

/**
 * How a client writes international numbers without a plus. `kr`: with a Korean carrier prefix (00700, 001
 * and so on), never with 00 alone. `00`: with 00 and the country code, never with a carrier prefix.
 */
export const INTERNATIONAL_PREFIXES = ['kr', '00'] as const;
export type InternationalPrefix = (typeof INTERNATIONAL_PREFIXES)[number];

export interface ParseOptions {
  /** Null if unknown: both forms are read. */
  readonly internationalPrefix: InternationalPrefix | null;
  /** The carrier prefix displayed before the number, if the gateway sent it in a separate field. */
  readonly carrierPrefix: string | null;
}

const NO_OPTIONS: ParseOptions = { internationalPrefix: null, carrierPrefix: null };

const MISSING: ParsedParty = { kind: 'invalid', code: 'NUMBER_MISSING' };
const TOO_LONG: ParsedParty = { kind: 'invalid', code: 'NUMBER_TOO_LONG' };
const CHARACTER: ParsedParty = { kind: 'invalid', code: 'NUMBER_CHARACTER' };

const GENERIC_PREFIX = '00';
const SHORT_CODE_DIGITS_MIN = 3;
const SHORT_CODE_DIGITS_MAX = 5;
const LOCAL_DIGITS_MIN = 7;
const LOCAL_DIGITS_MAX = 8;
const REPRESENTATIVE_DIGITS = 8;
/** Fewer digits without any prefix are a mistyped Korean number, not a foreign one. */
const BARE_INTERNATIONAL_DIGITS_MIN = 10;

const SMALL_DIGITS_MAX = 9;
/** Stands for a number with no digits, too many digits, or a 0 where a country code must begin. */
const DOES_NOT_FIT = 0;
const ZERO = 0x30;
/** A `tel:` URI: its number, without parameters (RFC 3966). */
const TEL_URI = /^\s*tel:([^;?]*)/i;

/** Readings of the text being parsed. One per isolate, like `digits`. */
const possibleNumbers = new PossibleNumbers();

/**
 * Parses one written party. Never throws. Digits that no subscriber can have are still a number if they fit
 * into 15 digits: check with `isValidNumber`.
 * - `NUMBER_MISSING`: no digit at all, or only zeros.
 * - `NUMBER_TOO_LONG`: more than `PARTY_CHARS_MAX` UTF-16 units, or more than 15 digits with country code.
 * - `NUMBER_CHARACTER`: a character that is not a digit, letter or separator, or that replaces bytes that are
 *   not UTF-8; a plus that is not leading; a 0 right after the plus, where a country code must begin; letters
 *   among the digits; more than one number, or digits beside the number.
 *
 * O(length). Korean numbers take well under a microsecond and allocate only the result.
 */
export function parseParty(text: string, options: ParseOptions = NO_OPTIONS): ParsedParty {
  if (text.length > PARTY_CHARS_MAX) return TOO_LONG;
  const scanned = scan(text);
  return scanned === SCAN_FOREIGN ? parseDecorated(text, options) : parseNumber(text, scanned, options);
}

function parseDecorated(text: string, options: ParseOptions): ParsedParty {
  const written = removeDecoration(text);
  if (written.kind === 'invalid') return CHARACTER;
  if (written.kind === 'senderId') return { kind: 'source', text: written.text };
  const scanned = scan(written.text);
  if (scanned === SCAN_FOREIGN) return CHARACTER;
  // The text removed beside the number may have been its last digits.
  return parseNumber(written.text, scanned, options, written.isBare ? undefined : KOREAN_LAST_GROUP);
}

function parseNumber(
  text: string,
  scanned: number,
  options: ParseOptions,
  lastGroupMin?: number,
): ParsedParty {
  const whole = floatDigits(scanned, text);
  if (whole !== 0) return parseScanned((scanned & SCAN_PLUS) | whole, options);
  return parseScanned(scanned, options, lastGroupMin);
}

/**
 * Like `parseParty`, for lists and entries. A number with letters or an extension beside it is
 * `NUMBER_CHARACTER`: in a list it is a slip that would block the wrong subscriber. Accepts `tel:` URIs.
 */
export function parseListed(text: string): ParsedParty {
  const party = parseParty(text);
  if (party.kind === 'source' || party.kind === 'invalid') return party;
  return scan(TEL_URI.exec(text)?.[1] ?? text) === SCAN_FOREIGN ? CHARACTER : party;
}

/**
 * Like `parseParty`, for text that `scan` or `scanBytes` has just read without a foreign character.
 * @param lastGroupMin minimum digits of the last group of a Korean number
 */
export function parseScanned(
  scanned: number,
  options: ParseOptions = NO_OPTIONS,
  lastGroupMin?: number,
): ParsedParty {
  const count = scanned & SCAN_COUNT_MASK;
  if (isAllZeros(count)) return MISSING;
  if (hasExtraDigits(scanned)) return CHARACTER;
  const party = readDigits(count, (scanned & SCAN_PLUS) !== 0, options);
  return hasShortLastGroup(scanned, lastGroupMin) && canBeKorean(party) ? CHARACTER : party;
}

function canBeKorean(party: ParsedParty): boolean {
  if (party.kind === 'number') return krClassOf(party.n) !== null;
  return party.kind === 'ambiguous' && party.readings.some(({ n }) => krClassOf(n) !== null);
}

function readDigits(count: number, hasPlus: boolean, options: ParseOptions): ParsedParty {
  if (hasPlus) {
    if (digits[0] === 0) return CHARACTER;
    // +112 belongs to no subscriber, and the call must not be stopped.
    return emergencyCode(0, count) ?? numberOr(international(0, count), null);
  }
  if (options.carrierPrefix !== null)
    return afterPrefix(options.carrierPrefix, count, options.internationalPrefix);
  if (digits[0] !== 0) return unprefixed(0, count);
  if (digits[1] !== 0) return numberOr(korean(0, count), null);
  return doubleZero(count, options.internationalPrefix);
}

/** The short code that consists of all digits from `from`; null if they are no short code. */
function shortCode(from: number, count: number): string | null {
  const length = count - from;
  if (digits[from] !== 1 || length < SHORT_CODE_DIGITS_MIN || length > SHORT_CODE_DIGITS_MAX) return null;
  return String(integer(from, count));
}

/** The emergency code that consists of all digits from `from`; null if they are no emergency code. */
function emergencyCode(from: number, count: number): ParsedParty | null {
  const code = shortCode(from, count);
  return code !== null && isEmergency(code) ? { kind: 'shortCode', code } : null;
}

/** Digits without plus or leading 0: a short code, local number, Korean number without its 0, or E.164. */
function unprefixed(from: number, count: number): ParsedParty {
  const code = shortCode(from, count);
  if (code !== null) return { kind: 'shortCode', code };
  const length = count - from;
  const isKorean = digits[from] === 8 && digits[from + 1] === 2;
  // 82-51-119 is +82, an area code and an emergency code: that call must always pass.
  const isEmergencyCall = isKorean && isEmergencyNumber(international(from, count));
  if (!isEmergencyCall && digits[from] !== 1 && length >= LOCAL_DIGITS_MIN && length <= LOCAL_DIGITS_MAX) {
    return { kind: 'localNumber', digits: String(integer(from, count)) };
  }
  const national = korean(from, count);
  const foreign =
    isKorean || length >= BARE_INTERNATIONAL_DIGITS_MIN ? international(from, count) : DOES_NOT_FIT;
  possibleNumbers.clear();
  possibleNumbers.add(national, null);
  possibleNumbers.add(foreign, null);
  return possibleNumbers.settle() ?? numberOr(national === DOES_NOT_FIT ? foreign : national, null);
}

/** All readings of digits that begin with 00. */
function doubleZero(count: number, internationalPrefix: InternationalPrefix | null): ParsedParty {
  const carriers = internationalPrefix === '00' ? [] : KR_CARRIER_PREFIXES;
  const carrier = carriers.find((prefix) => beginsWith(prefix, count)) ?? null;
  const generic = internationalPrefix === 'kr' ? DOES_NOT_FIT : international(GENERIC_PREFIX.length, count);
  // 00 before 82 is another way to write +82, so it is no evidence of overseas ingress.
  const genericPrefix = krClassOf(generic) === null ? GENERIC_PREFIX : null;
  // 00798 and 00308 are Korean toll-free numbers as dialled.
  const asWritten = internationalPrefix === '00' ? DOES_NOT_FIT : korean(0, count);
  const afterCarrier = carrier === null ? DOES_NOT_FIT : international(carrier.length, count);

  possibleNumbers.clear();
  possibleNumbers.add(asWritten, null);
  possibleNumbers.add(generic, genericPrefix);
  possibleNumbers.add(afterCarrier, carrier);
  if (carrier !== null) possibleNumbers.add(dialled(carrier.length, count), carrier);
  const result = possibleNumbers.settle() ?? (carrier === null ? null : emergencyCode(carrier.length, count));
  if (result !== null) return result;
  if (afterCarrier !== DOES_NOT_FIT) return numberOr(afterCarrier, carrier);
  return generic === DOES_NOT_FIT ? numberOr(asWritten, null) : numberOr(generic, genericPrefix);
}

/**
 * Reads the digits after a known prefix: a country code, with or without 00, or a number as dialled in Korea.
 * If neither is valid, returns any other Korean reading.
 */
function afterPrefix(
  prefix: string,
  count: number,
  internationalPrefix: InternationalPrefix | null,
): ParsedParty {
  const start = beginsWith(prefix, count) ? prefix.length : 0;
  const from = digits[start] === 0 && digits[start + 1] === 0 ? start + 2 : start;
  possibleNumbers.clear();
  possibleNumbers.add(international(from, count), null);
  possibleNumbers.add(dialled(start, count), null);
  // The prefix may already be removed: 006 and 0063… can be 00 and the Philippines.
  if (start !== 0 && internationalPrefix !== 'kr')
    possibleNumbers.add(international(GENERIC_PREFIX.length, count), null);
  const result = possibleNumbers.settle();
  if (result !== null || start === count) return result ?? MISSING;
  return digits[start] === 0 ? numberOr(korean(start, count), null) : unprefixed(start, count);
}

function beginsWith(prefix: string, count: number): boolean {
  if (count < prefix.length) return false;
  // Backwards, because all carrier prefixes begin alike.
  for (let index = prefix.length - 1; index >= 0; index--) {
    if (digits[index] !== prefix.charCodeAt(index) - ZERO) return false;
  }
  return true;
}

/** The number whose country code begins at `from`, without a trunk 0. `DOES_NOT_FIT` if the code begins with 0. */
function international(from: number, count: number): number {
  if (from >= count || digits[from] === 0) return DOES_NOT_FIT;
  const prefixDigits = Math.min(3, count - from);
  const code = callingCodeOfPrefix(integer(from, from + prefixDigits) * POW10[3 - prefixDigits]!);
  if (code === KR_CODE) return korean(from + 2, count);
  const national = from + digitCountOf(code);
  if (dropsTrunkZero(code) && hasTrunkZero(national, count)) return join(code, national + 1, count);
  return count - from > NUMBER_DIGITS_MAX ? DOES_NOT_FIT : integer(from, count);
}

/** The Korean number as dialled from `from`: with its trunk 0, or 8 digits of a representative number. */
function dialled(from: number, count: number): number {
  if (hasTrunkZero(from, count)) return join(KR_CODE, from + 1, count);
  const isRepresentative = digits[from] === 1 && count - from === REPRESENTATIVE_DIGITS;
  return isRepresentative ? join(KR_CODE, from, count) : DOES_NOT_FIT;
}

/**
 * The Korean number whose national digits begin at `from`, with or without trunk 0. After a trunk 0, skips a
 * domestic carrier selection (081 to 084, 086 to 088, 085xx) if the number is valid only without it.
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

/** Joins a calling code and the digits from `from`; `DOES_NOT_FIT` if the result has more than 15 digits. */
function join(code: number, from: number, count: number): number {
  const length = Math.max(0, count - from);
  if (digitCountOf(code) + length > NUMBER_DIGITS_MAX) return DOES_NOT_FIT;
  return code * POW10[length]! + integer(from, count);
}

/** Digits `from` to `to` as an integer. Two parts that each fit 31 bits take half the time of one double. */
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

function numberOr(n: number, carrierPrefix: string | null): ParsedParty {
  return n === DOES_NOT_FIT ? TOO_LONG : { kind: 'number', n, carrierPrefix };
}
