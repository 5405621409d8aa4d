/**
 * Calling codes of the world: the calling code of a number, and the numbers that its country uses.
 *
 * The data is `data/calling-codes.json` (215 codes). No code is the beginning of another, so three digits
 * always decide. Patterns are compiled when a number first needs them.
 */
import table from '../../data/calling-codes.json' with { type: 'json' };
import { digitCountOf, POW10 } from './number.ts';

/** One calling code, as `data/compile-calling-codes.ts` writes it. */
export interface CallingCodeRow {
  readonly code: number;
  /** ISO 3166-1 alpha-2, the main region first. Empty for global codes (satellite, freephone). */
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
const rowByCode: (CallingCodeRow | undefined)[] = new Array(PREFIX_COUNT).fill(undefined);

for (const row of table.codes as readonly CallingCodeRow[]) {
  const span = PREFIX_COUNT / POW10[digitCountOf(row.code)]!;
  codeByPrefix.fill(row.code, row.code * span, (row.code + 1) * span);
  rowByCode[row.code] = row;
}

/** Compiled patterns. None repeats without bound, so the cost of a match is bounded by its length. */
const compiled = new Map<string, RegExp>();

function matches(text: string, pattern: string): boolean {
  const expression = compiled.get(pattern) ?? new RegExp(`^(?:${pattern})$`);
  compiled.set(pattern, expression);
  return expression.test(text);
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
  return rowByCode[code]?.trunkZero === true;
}

/**
 * Whether N can belong to a subscriber abroad: an assigned calling code, one of its lengths, and leading
 * digits that the country uses. False proves that no subscriber has it; true does not prove that one does.
 * Not for Korea, where `krClassOf` is more precise. O(15 digits).
 */
export function isPossible(n: number): boolean {
  return hasForm(n, (row) => row.possible);
}

/**
 * Whether N is possible, and its leading digits belong to some type of line or service (mobile, fixed, toll
 * free and so on). New ranges can be missing, so false proves nothing. Use it only to choose between two
 * readings of a text.
 */
export function isAssigned(n: number): boolean {
  return isPossible(n) && hasForm(n, (row) => row.assigned ?? row.possible);
}

function hasForm(n: number, patternOf: (row: CallingCodeRow) => string | undefined): boolean {
  const row = rowByCode[callingCodeOf(n)];
  if (row === undefined) return false;
  const codeDigits = digitCountOf(row.code);
  const pattern = row.lengths.includes(digitCountOf(n) - codeDigits) ? patternOf(row) : undefined;
  // The national number may begin with 0.
  return pattern !== undefined && matches(String(n).slice(codeDigits), pattern);
}

/** The main region of a calling code, and the other regions in alphabetical order; null if the code is unassigned. */
export function regionOf(code: number): { readonly main: string; readonly others: readonly string[] } | null {
  const row = rowByCode[code];
  if (row === undefined) return null;
  const [main = '001', ...others] = row.regions;
  return { main, others };
}
