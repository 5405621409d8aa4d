/** Compares the ranges and sources of a reopened release with the models, and counts the differences. */
import type { Dates } from '../../shared/build/list-entries.ts';
import { NUMBER_LIMIT } from '../../shared/numbers/number.ts';
import type { Release } from '../../shared/release/release.ts';
import { NOT_LISTED } from '../../shared/set/number-set.ts';
import type { RangeRow } from '../../shared/set/range-table.ts';
import { fingerprint as printOf } from '../../shared/set/xxhash.ts';
import { momentsOf } from './dated-numbers.ts';
import { latest, type TableModel } from './list-model.ts';

export class TableProver {
  lookups = 0;
  wrong = 0;
  readonly #release: Release;
  readonly #now: number;

  /** @param now seconds since 1970 */
  constructor(release: Release, now: number) {
    this.#release = release;
    this.#now = now;
  }

  #count(right: boolean): void {
    this.lookups++;
    if (!right) this.wrong++;
  }

  check(list: number, model: TableModel): void {
    this.#checkRanges(list, model.ranges);
    this.#checkSources(list, model);
  }

  /**
   * Decides every number at any time. Numbers are cut into pieces where a range of the release or of the model begins or ends.
   * Within a piece, all lookups give the same result, and so does the model. So both ends of a piece are looked up, now and
   * around the dates of all ranges over the piece.
   */
  #checkRanges(list: number, expected: readonly RangeRow[]): void {
    const stored = [...(this.#release.ranges?.rows(list) ?? [])];
    const cuts = new Set([0, NUMBER_LIMIT]);
    for (const { from, to } of [...stored, ...expected]) cuts.add(from).add(to + 1);
    const starts = Float64Array.from(cuts).sort();
    const overStored = new OpenRanges(stored);
    const overExpected = new OpenRanges(expected);
    for (let index = 0; index + 1 < starts.length; index++) {
      const from = starts[index]!;
      overStored.moveTo(from);
      overExpected.moveTo(from);
      const dates = [...overExpected.dates()];
      const moments = new Set([this.#now, ...[...overStored.dates(), ...dates].flatMap(momentsOf)]);
      for (const n of new Set([from, starts[index + 1]! - 1])) {
        for (const now of moments) {
          const until = this.#release.ranges?.until(list, n, now) ?? NOT_LISTED;
          this.#count(until === latest(dates, now));
        }
      }
    }
  }

  /** Looks up every source of the release and of the model, now and around its dates. */
  #checkSources(list: number, { sources, fingerprints }: TableModel): void {
    const { sourceSeed } = this.#release.keys;
    const expected = new Map<bigint, Dates[]>();
    const add = (into: Map<bigint, Dates[]>, fingerprint: bigint, dates: readonly Dates[]): void =>
      void into.set(fingerprint, [...(into.get(fingerprint) ?? []), ...dates]);
    for (const [text, dates] of sources) add(expected, printOf(text, sourceSeed), dates);
    for (const [fingerprint, dates] of fingerprints) add(expected, fingerprint, dates);
    const all = new Map(expected);
    for (const { fingerprint, ...dates } of this.#release.sources?.rows(list) ?? [])
      add(all, fingerprint, [dates]);
    for (const [fingerprint, dates] of all) {
      for (const now of new Set([this.#now, ...dates.flatMap(momentsOf)])) {
        const until = this.#release.sources?.until(list, fingerprint, now) ?? NOT_LISTED;
        this.#count(until === latest(expected.get(fingerprint) ?? [], now));
      }
    }
    const count = [...expected.values()].reduce((sum, dates) => sum + dates.length, 0);
    this.#count((this.#release.sources?.count(list) ?? 0) === count);
  }
}

/** The dates of the ranges over a number, for ascending numbers. */
class OpenRanges {
  readonly #byFrom: readonly RangeRow[];
  readonly #byTo: readonly RangeRow[];
  /** The open ranges by their dates, which many ranges may share. */
  readonly #open = new Map<string, { readonly dates: Dates; count: number }>();
  #nextFrom = 0;
  #nextTo = 0;

  constructor(ranges: readonly RangeRow[]) {
    this.#byFrom = ranges.toSorted((a, b) => a.from - b.from);
    this.#byTo = ranges.toSorted((a, b) => a.to - b.to);
  }

  /** @param n at least the number of the last call */
  moveTo(n: number): void {
    for (; (this.#byFrom[this.#nextFrom]?.from ?? NUMBER_LIMIT) <= n; this.#nextFrom++) {
      const { since, until } = this.#byFrom[this.#nextFrom]!;
      const open = this.#open.get(`${since} ${until}`) ?? { dates: { since, until }, count: 0 };
      open.count++;
      this.#open.set(`${since} ${until}`, open);
    }
    for (; (this.#byTo[this.#nextTo]?.to ?? NUMBER_LIMIT) < n; this.#nextTo++) {
      const { since, until } = this.#byTo[this.#nextTo]!;
      const open = this.#open.get(`${since} ${until}`)!;
      if (--open.count === 0) this.#open.delete(`${since} ${until}`);
    }
  }

  *dates(): Generator<Dates> {
    for (const { dates } of this.#open.values()) yield dates;
  }
}
