/**
 * Korea's numbering plan: the class of a Korean number, from its length and first digits.
 *
 * The plan is data (`data/kr-plan.json`): rows of prefix, lengths and class over the national significant
 * number (NSN, the digits after +82); the longest prefix wins. One table of NSN length by first four digits
 * (140 KB) is built once, so a class costs one read; only five-digit prefixes need a further search. The plan
 * never identifies the operator of a number, because numbers are portable.
 */
import plan from '../../data/kr-plan.json' with { type: 'json' };
import { digitCountOf, POW10 } from './number.ts';

/** Korea's calling code. */
export const KR_CODE = 82;

/** Longest NSN that fits into an E.164 number after +82. */
export const KR_NSN_DIGITS_MAX = 13;

const CLASSES = [
  'unknown',
  'mobile',
  'mobileLegacy',
  'telemetry',
  'pager',
  'fixed',
  'fixedService',
  'fixedRepresentative',
  'voip',
  'personal',
  'service',
  'premium',
  'tollFree',
  'tollFreeInbound',
  'representative',
] as const;

/** Class of a Korean number. `unknown`: no row of the plan has this prefix with this length. */
export type KrClass = (typeof CLASSES)[number];

/** Type of a Korean short code, as libphonenumber names it. */
export type ShortCodeType = 'EMERGENCY' | 'EXPANDED_EMERGENCY' | 'COMMERCIAL';

const CLASS_NAMES: readonly string[] = CLASSES;

interface DeepRow {
  readonly prefix: number;
  readonly lengths: readonly number[];
  readonly classIndex: number;
}

const TABLE_DIGITS = 4;
const TABLE_SIZE = 10_000;
const DEEP_DIGITS = 5;
const DEEP = 255;

const classByLengthAndPrefix = new Uint8Array((KR_NSN_DIGITS_MAX + 1) * TABLE_SIZE);
const deepRows: DeepRow[] = [];

for (const { prefix, lengths, class: name } of plan.rows.toSorted(
  (a, b) => a.prefix.length - b.prefix.length,
)) {
  const classIndex = CLASS_NAMES.indexOf(name);
  if (classIndex < 0 || prefix.length > DEEP_DIGITS) throw new Error(`kr-plan.json: bad row ${prefix}`);
  const span = TABLE_SIZE / 10 ** Math.min(prefix.length, TABLE_DIGITS);
  const start = Number(prefix.slice(0, TABLE_DIGITS)) * span;
  const isDeep = prefix.length > TABLE_DIGITS;
  for (const length of lengths) {
    const base = length * TABLE_SIZE + start;
    classByLengthAndPrefix.fill(isDeep ? DEEP : classIndex, base, base + span);
  }
  if (isDeep) deepRows.push({ prefix: Number(prefix), lengths, classIndex });
}

const shortCodeTypes = new Map<string, string>(plan.shortCodes.map(({ code, type }) => [code, type]));

/** Class of an NSN given as integer and digit count (it may have leading zeros: `00308…`). O(1). */
export function krClassOfNational(nsn: number, length: number): KrClass {
  if (length < TABLE_DIGITS || length > KR_NSN_DIGITS_MAX) return 'unknown';
  const first = (nsn / POW10[length - TABLE_DIGITS]!) | 0;
  const classIndex = classByLengthAndPrefix[length * TABLE_SIZE + first]!;
  if (classIndex !== DEEP) return CLASSES[classIndex]!;
  const prefix = Math.floor(nsn / POW10[length - DEEP_DIGITS]!);
  const row = deepRows.find((deep) => deep.prefix === prefix && deep.lengths.includes(length));
  return CLASSES[row?.classIndex ?? 0]!;
}

/** Class of N; null if N is not a +82 number. O(1). */
export function krClassOf(n: number): KrClass | null {
  const length = digitCountOf(n) - 2;
  if (length < 0) return null;
  const scale = POW10[length]!;
  const nsn = n - KR_CODE * scale;
  return nsn >= 0 && nsn < scale ? krClassOfNational(nsn, length) : null;
}

/** Type of a Korean short code; null if the plan does not list it. */
export function shortCodeTypeOf(code: string): ShortCodeType | null {
  const type = shortCodeTypes.get(code);
  return type === 'EMERGENCY' || type === 'EXPANDED_EMERGENCY' || type === 'COMMERCIAL' ? type : null;
}

/**
 * Whether a short code must be reachable whatever the lists say: police, fire, and the wider set of
 * counter-espionage, coast guard, child and suicide lines that libphonenumber lists as emergency.
 */
export function isEmergency(code: string): boolean {
  const type = shortCodeTypeOf(code);
  return type === 'EMERGENCY' || type === 'EXPANDED_EMERGENCY';
}

/** +82, an optional area code of one or two digits, and a short code of three to five digits. */
const WITH_AREA_CODE = /^82(?:2|[3-6][1-5])?(1\d{2,4})$/;
/** A longer number cannot be +82, an area code and a short code. */
const EMERGENCY_NUMBER_LIMIT = 1_000_000_000;

/** Whether a number is an emergency code after +82 or after a Korean area code. */
export function isEmergencyNumber(n: number): boolean {
  if (n >= EMERGENCY_NUMBER_LIMIT) return false;
  const code = WITH_AREA_CODE.exec(String(n))?.[1];
  return code !== undefined && isEmergency(code);
}
