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

/**
 * Korean carrier prefixes. None is the beginning of another. Since 2012, Korean operators show one before the
 * number of a call or text from abroad, so it is evidence of overseas ingress.
 */
export const KR_CARRIER_PREFIXES: readonly string[] = plan.carrierPrefixes;

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

const CLASS_NAMES: readonly string[] = CLASSES;

const TABLE_DIGITS = 4;
const TABLE_SIZE = 10_000;
const DEEP_DIGITS = 5;
const DEEP = 255;

const classByLengthAndPrefix = new Uint8Array((KR_NSN_DIGITS_MAX + 1) * TABLE_SIZE);
/** Classes of five-digit prefixes, by prefix and NSN length. */
const deepClasses = new Map<string, number>();

const byPrefixLength = plan.rows.toSorted((a, b) => a.prefix.length - b.prefix.length);
for (const { prefix, lengths, class: name } of byPrefixLength) {
  const classIndex = CLASS_NAMES.indexOf(name);
  if (classIndex < 0 || prefix.length > DEEP_DIGITS) throw new Error(`kr-plan.json: bad row ${prefix}`);
  const span = TABLE_SIZE / 10 ** Math.min(prefix.length, TABLE_DIGITS);
  const start = Number(prefix.slice(0, TABLE_DIGITS)) * span;
  const isDeep = prefix.length > TABLE_DIGITS;
  for (const length of lengths) {
    const base = length * TABLE_SIZE + start;
    classByLengthAndPrefix.fill(isDeep ? DEEP : classIndex, base, base + span);
    if (isDeep) deepClasses.set(`${Number(prefix)} ${length}`, classIndex);
  }
}

/** Class of an NSN given as integer and digit count (it may have leading zeros: `00308…`). O(1). */
export function krClassOfNational(nsn: number, length: number): KrClass {
  if (length < TABLE_DIGITS || length > KR_NSN_DIGITS_MAX) return 'unknown';
  const first = (nsn / POW10[length - TABLE_DIGITS]!) | 0;
  const classIndex = classByLengthAndPrefix[length * TABLE_SIZE + first]!;
  if (classIndex !== DEEP) return CLASSES[classIndex]!;
  const prefix = Math.floor(nsn / POW10[length - DEEP_DIGITS]!);
  return CLASSES[deepClasses.get(`${prefix} ${length}`) ?? 0]!;
}

/** Class of N; null if N is not a +82 number. O(1). */
export function krClassOf(n: number): KrClass | null {
  const length = digitCountOf(n) - 2;
  if (length < 0) return null;
  const scale = POW10[length]!;
  const nsn = n - KR_CODE * scale;
  return nsn >= 0 && nsn < scale ? krClassOfNational(nsn, length) : null;
}

/**
 * Short codes that must be reachable whatever the lists say: police, fire, and the wider set of
 * counter-espionage, coast guard, child and suicide lines that libphonenumber lists as emergency.
 */
const emergencyCodes = new Set(
  plan.shortCodes.filter(({ type }) => type !== 'COMMERCIAL').map(({ code }) => code),
);

export function isEmergency(code: string): boolean {
  return emergencyCodes.has(code);
}

/** Emergency codes can be dialled after any Korean area code, or without one. */
const AREA_CODES = [
  '',
  '2',
  ...[3, 4, 5, 6].flatMap((first) => [1, 2, 3, 4, 5].map((next) => `${first}${next}`)),
];

/** Emergency codes as numbers: +82 119, +82 2 119. */
export const EMERGENCY_NUMBERS: ReadonlySet<number> = new Set(
  AREA_CODES.flatMap((area) => [...emergencyCodes].map((code) => Number(`${KR_CODE}${area}${code}`))),
);

/** Whether a number is an emergency code after +82 or after a Korean area code. */
export function isEmergencyNumber(n: number): boolean {
  // Nearly every number is longer, so the comparison saves the look-up.
  return n < 1_000_000_000 && EMERGENCY_NUMBERS.has(n);
}
