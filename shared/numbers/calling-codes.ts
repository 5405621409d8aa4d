/**
 * Calling codes of the world: the calling code of a number, and the numbers that its country uses.
 *
 * Three tables of 1,000 entries (22 KB) are built once from `data/calling-codes.json` (215 codes). No code is
 * the beginning of another, so three digits always decide. Patterns are compiled when a number first needs
 * them.
 */
import table from '../../data/calling-codes.json' with { type: 'json' };
import { digitCountOf, POW10 } from './number.ts';

/** Regions of one calling code, ISO 3166-1 alpha-2; `001` is the world (satellite, freephone). */
export interface CallingCodeRegions {
  /** The main region of the code: `US` for 1. */
  readonly main: string;
  /** Other regions with the same code, in alphabetical order. */
  readonly others: readonly string[];
}

/** One calling code, as `data/compile-calling-codes.ts` writes it. */
export interface CallingCodeRow {
  readonly code: number;
  /** ISO 3166-1 alpha-2, the main region first. Empty for codes without a country. */
  readonly regions: readonly string[];
  /** Lengths of a national number. */
  readonly lengths: readonly number[];
  readonly trunkZero: boolean;
  /** Pattern that every national number matches. */
  readonly possible?: string;
  /** Pattern of the numbers that are assigned to a type of line or service. Omitted if it equals `possible`. */
  readonly assigned?: string;
}

const PREFIX_COUNT = 1000;
const codeByPrefix = new Uint16Array(PREFIX_COUNT);
const lengthBitsByCode = new Uint32Array(PREFIX_COUNT);
const trunkZeroByCode = new Uint8Array(PREFIX_COUNT);
const regionsByCode = new Map<number, CallingCodeRegions>();
const patternsByCode = new Map<number, Patterns>();

/** Patterns of the national numbers of one code, as text until first use. */
interface Patterns {
  readonly possible: Pattern;
  /** Equal to `possible` if the country's plan says no more. */
  readonly assigned: Pattern;
}

/** A regular expression without unbounded repetition: its cost is bounded by its length. */
class Pattern {
  readonly #source: string;
  #compiled: RegExp | null = null;

  constructor(source: string) {
    this.#source = source;
  }

  matches(text: string): boolean {
    this.#compiled ??= new RegExp(`^(?:${this.#source})$`);
    return this.#compiled.test(text);
  }
}

for (const { code, regions, lengths, trunkZero, ...patterns } of table.codes as readonly CallingCodeRow[]) {
  const span = PREFIX_COUNT / POW10[digitCountOf(code)]!;
  codeByPrefix.fill(code, code * span, (code + 1) * span);
  for (const length of lengths) lengthBitsByCode[code]! |= 1 << length;
  trunkZeroByCode[code] = trunkZero ? 1 : 0;
  const [main = '001', ...others] = regions;
  regionsByCode.set(code, { main, others });
  if (patterns.possible === undefined) continue;
  const possible = new Pattern(patterns.possible);
  const assigned = patterns.assigned === undefined ? possible : new Pattern(patterns.assigned);
  patternsByCode.set(code, { possible, assigned });
}

/**
 * The calling code at the start of the first three digits of an international number, 0 if unassigned. The
 * caller pads a number of fewer than three digits with zeros on the right.
 */
export function callingCodeOfPrefix(prefix3: number): number {
  return codeByPrefix[prefix3] ?? 0;
}

/** The calling code of N, 0 if unassigned. */
export function callingCodeOf(n: number): number {
  const count = digitCountOf(n);
  const prefix3 = count >= 3 ? Math.floor(n / POW10[count - 3]!) : n * POW10[3 - count]!;
  const code = callingCodeOfPrefix(prefix3);
  return digitCountOf(code) > count ? 0 : code;
}

/** Whether a trunk 0 after this code is dropped (`+44 (0)20…`). False where numbers keep it (Italy). */
export function dropsTrunkZero(code: number): boolean {
  return trunkZeroByCode[code] === 1;
}

/**
 * Whether N can belong to a subscriber abroad: an assigned calling code, one of its lengths, and leading
 * digits that the country uses. False proves that no subscriber has it; true does not prove that one does.
 * Not for Korea, where `krClassOf` is more precise. O(15 digits).
 */
export function isPossible(n: number): boolean {
  const code = callingCodeOf(n);
  if (!hasLength(n, code)) return false;
  return patternsByCode.get(code)?.possible.matches(nationalOf(n, code)) ?? false;
}

/**
 * Whether N is possible, and its leading digits belong to some type of line or service (mobile, fixed, toll
 * free and so on). New ranges can be missing, so false proves nothing. Use it only to choose between two
 * readings of a text.
 */
export function isAssigned(n: number): boolean {
  const code = callingCodeOf(n);
  return isPossible(n) && patternsByCode.get(code)!.assigned.matches(nationalOf(n, code));
}

function hasLength(n: number, code: number): boolean {
  const length = digitCountOf(n) - digitCountOf(code);
  return code !== 0 && ((lengthBitsByCode[code]! >>> length) & 1) === 1;
}

/** The digits after the calling code; they may begin with 0. */
function nationalOf(n: number, code: number): string {
  return String(n).slice(digitCountOf(code));
}

/** Main and other regions of a calling code; null if unassigned. */
export function regionOf(code: number): CallingCodeRegions | null {
  return regionsByCode.get(code) ?? null;
}
