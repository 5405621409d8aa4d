/**
 * Calling codes of the world: which country code a number begins with, and how long it may be there.
 *
 * Built once from `data/calling-codes.json` (215 codes) into three tables of 1,000 entries (22 KB), so each
 * question is one or two reads. No code is the beginning of another, so three digits always decide.
 */
import table from '../../data/calling-codes.json' with { type: 'json' };
import { digitCountOf, POW10 } from './number.ts';

/** Regions of one calling code, ISO 3166-1 alpha-2; `001` is the world (satellite, freephone). */
export interface CallingCodeRegions {
  /** The region that the code mainly serves: `US` for 1. */
  readonly main: string;
  /** Further regions behind the same code, in alphabetical order. */
  readonly others: readonly string[];
}

const PREFIX_COUNT = 1000;
const codeByPrefix = new Uint16Array(PREFIX_COUNT);
const lengthBitsByCode = new Uint32Array(PREFIX_COUNT);
const trunkZeroByCode = new Uint8Array(PREFIX_COUNT);
const regionsByCode = new Map<number, CallingCodeRegions>();

for (const { code, regions, lengths, trunkZero } of table.codes) {
  const span = PREFIX_COUNT / POW10[digitCountOf(code)]!;
  codeByPrefix.fill(code, code * span, (code + 1) * span);
  for (const length of lengths) lengthBitsByCode[code]! |= 1 << length;
  trunkZeroByCode[code] = trunkZero ? 1 : 0;
  const [main = '001', ...others] = regions;
  regionsByCode.set(code, { main, others });
}

/**
 * The calling code among the first three digits of an international number, 0 if unassigned.
 * A number of fewer than three digits is padded with zeros on the right by the caller.
 */
export function callingCodeOfPrefix(prefix3: number): number {
  return codeByPrefix[prefix3] ?? 0;
}

/** The calling code that N begins with, 0 if it is unassigned. */
export function callingCodeOf(n: number): number {
  const count = digitCountOf(n);
  const prefix3 = count >= 3 ? Math.floor(n / POW10[count - 3]!) : n * POW10[3 - count]!;
  const code = callingCodeOfPrefix(prefix3);
  return digitCountOf(code) > count ? 0 : code;
}

/** Whether a national trunk 0 written after this code is dropped (`+44 (0)20…`). False where numbers keep it (Italy). */
export function dropsTrunkZero(code: number): boolean {
  return trunkZeroByCode[code] === 1;
}

/**
 * Whether N has an assigned calling code and one of its possible lengths, and no 0 where that country drops
 * it (`00…` forms are dialled only inside a country). Says nothing about allocation: false is proof that no
 * subscriber abroad has the number, true proves nothing. For Korea the plan knows more: `krClassOf`.
 */
export function isPossible(n: number): boolean {
  const code = callingCodeOf(n);
  const length = digitCountOf(n) - digitCountOf(code);
  if (code === 0 || ((lengthBitsByCode[code]! >>> length) & 1) === 0) return false;
  return trunkZeroByCode[code] === 0 || n - code * POW10[length]! >= POW10[length - 1]!;
}

/** Main and other regions of a calling code, null if it is unassigned. */
export function regionOf(code: number): CallingCodeRegions | null {
  return regionsByCode.get(code) ?? null;
}
