/**
 * A straightforward in-memory model of a list, made from the inputs. `prove` compares a built release with it.
 * It holds numbers and dates as the inputs give them.
 */
import { type Dates, isDated } from '../../shared/build/list-entries.ts';
import { prefixOf, SUFFIX_COUNT, suffixOf } from '../../shared/numbers/number.ts';
import { FOREVER } from '../../shared/set/layout.ts';
import { NOT_LISTED } from '../../shared/set/number-set.ts';
import type { RangeRow } from '../../shared/set/range-table.ts';
import { formFor, textsOf } from '../../shared/sources/source.ts';
import type { Effect } from '../../shared/verdict.ts';
import type { Listed } from '../import/entry.ts';
import type { FoldedEntry } from '../import/fold.ts';
import { type DatedNumber, type DatedNumbers, datedNumbers, datedUntil } from './dated-numbers.ts';
import {
  type Bitmap,
  bitmap,
  countBits,
  isIn,
  lowerBound,
  type PlainSet,
  PlainSetBuilder,
  setBit,
  sizeOf,
} from './plain-set.ts';

/** The numbers of a list. Shared memory only, so it can be passed to threads. */
export interface NumberModel {
  readonly plain: PlainSet;
  readonly dated: DatedNumbers;
  /** The suffixes of the dense prefix that are in `dated`, to skip the search for all others. Null if none. */
  readonly datedBits: Bitmap | null;
}

/** Ranges and sources of a list. */
export interface TableModel {
  readonly ranges: readonly RangeRow[];
  /** Sources by the text that their fingerprint is computed from. */
  readonly sources: ReadonlyMap<string, readonly Dates[]>;
  /** Folded sources by their fingerprint. Nothing else is known about them. */
  readonly fingerprints: ReadonlyMap<bigint, readonly Dates[]>;
}

export interface ListModel {
  readonly numbers: NumberModel;
  readonly tables: TableModel;
}

/** Collects the entries of one list. */
export class ListModelBuilder {
  readonly #effect: Effect;
  readonly #densePrefix: number;
  readonly #plain: PlainSetBuilder;
  readonly #dated: DatedNumber[] = [];
  readonly #ranges: RangeRow[] = [];
  readonly #sources = new Map<string, Dates[]>();
  readonly #fingerprints = new Map<bigint, Dates[]>();

  /** @param densePrefix the prefix whose numbers may all be looked up */
  constructor(effect: Effect, densePrefix: number) {
    this.#effect = effect;
    this.#densePrefix = densePrefix;
    this.#plain = new PlainSetBuilder(densePrefix);
  }

  add(what: Listed, dates: Dates): void {
    const { since, until } = dates;
    if (what.kind === 'source') addDates(this.#sources, formFor(textsOf(what.source), this.#effect), dates);
    else if (what.kind === 'ranges')
      for (const { from, to } of what.ranges) this.#ranges.push({ from, to, since, until });
    else if (isDated(dates)) this.#dated.push({ n: what.n, since, until });
    else this.#plain.add(what.n);
  }

  /** Adds a number without dates. */
  addNumber(n: number): void {
    this.#plain.add(n);
  }

  addFolded({ what, since, until }: FoldedEntry): void {
    if (what.kind === 'number') this.add(what, { since, until });
    else addDates(this.#fingerprints, BigInt(`0x${what.hex}`), { since, until });
  }

  finish(): ListModel {
    const dated = datedNumbers(this.#dated);
    const numbers = {
      plain: this.#plain.finish(),
      dated,
      datedBits: bitsOf(dated.numbers, this.#densePrefix),
    };
    const tables = { ranges: this.#ranges, sources: this.#sources, fingerprints: this.#fingerprints };
    return { numbers, tables };
  }
}

function bitsOf(sorted: Float64Array, prefix: number): Bitmap | null {
  const first = lowerBound(sorted, prefix * SUFFIX_COUNT);
  if (first === sorted.length || prefixOf(sorted[first]!) !== prefix) return null;
  const bits = bitmap();
  for (let at = first; at < sorted.length && prefixOf(sorted[at]!) === prefix; at++)
    setBit(bits, suffixOf(sorted[at]!));
  return bits;
}

function addDates<Key>(all: Map<Key, Dates[]>, key: Key, dates: Dates): void {
  const known = all.get(key);
  if (known === undefined) all.set(key, [dates]);
  else if (!known.some(({ since, until }) => since === dates.since && until === dates.until))
    known.push(dates);
}

/** When the model's own entries for a number expire, without ranges. Comparable to Part.until. */
export function exactUntil({ plain, dated }: NumberModel, n: number, now: number): number {
  if (isIn(plain, n)) return FOREVER;
  return dated.numbers.length === 0 ? NOT_LISTED : datedUntil(dated, n, now);
}

/** Number of dated entries as a release counts them: without entries of a number that also has an undated entry. */
export function countDated({ plain, dated }: NumberModel): number {
  return dated.numbers.reduce((count, n) => count + Number(!isIn(plain, n)), 0);
}

export function countPlain({ plain }: NumberModel): number {
  return sizeOf(plain);
}

/** Number of undated numbers with other prefixes, and all dated numbers. */
export function countElsewhere({ plain, dated }: NumberModel, prefix: number): number {
  const bits = plain.bitmaps.get(prefix);
  const datedNumbers = dated.numbers.filter((n, index, all) => n !== all[index - 1]).length;
  return sizeOf(plain) - (bits === undefined ? 0 : countBits(bits)) + datedNumbers;
}

export function latest(all: Iterable<Dates>, now: number): number {
  let until = NOT_LISTED;
  for (const dates of all) {
    if (dates.since <= now && now < dates.until) until = Math.max(until, dates.until);
  }
  return until;
}
