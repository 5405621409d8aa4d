/** Dated entries of numbers: sorted columns in shared memory, so threads read them without a copy. */
import type { Dates } from '../../shared/build/list-entries.ts';
import { FOREVER } from '../../shared/set/layout.ts';
import { NOT_LISTED } from '../../shared/set/number-set.ts';
import { lowerBound, shared } from './plain-set.ts';

/** One element per entry, sorted by number, start and expiry, without duplicates. A number may have several entries. */
export interface DatedNumbers {
  readonly numbers: Float64Array<SharedArrayBuffer>;
  /** Seconds since 1970. */
  readonly since: Float64Array<SharedArrayBuffer>;
  readonly until: Float64Array<SharedArrayBuffer>;
}

export interface DatedNumber extends Dates {
  readonly n: number;
}

export function datedNumbers(entries: readonly DatedNumber[]): DatedNumbers {
  const sorted = entries
    .toSorted((a, b) => a.n - b.n || a.since - b.since || a.until - b.until)
    .filter(({ n, since, until }, index, all) => {
      const before = all[index - 1];
      return before?.n !== n || before.since !== since || before.until !== until;
    });
  const column = (of: (entry: DatedNumber) => number) => shared(Float64Array.from(sorted, of));
  return {
    numbers: column(({ n }) => n),
    since: column(({ since }) => since),
    until: column(({ until }) => until),
  };
}

/** All entries in order. */
export function* datedIn({ numbers, since, until }: DatedNumbers): Generator<DatedNumber> {
  for (let at = 0; at < numbers.length; at++) yield { n: numbers[at]!, since: since[at]!, until: until[at]! };
}

/** Whether the entries have exactly this one. */
export function hasDated({ numbers, since, until }: DatedNumbers, entry: DatedNumber): boolean {
  for (let at = lowerBound(numbers, entry.n); numbers[at] === entry.n; at++)
    if (since[at] === entry.since && until[at] === entry.until) return true;
  return false;
}

/** The latest expiry of a number's entries in force, or NOT_LISTED. @param now seconds since 1970 */
export function datedUntil({ numbers, since, until }: DatedNumbers, n: number, now: number): number {
  let latest = NOT_LISTED;
  for (let at = lowerBound(numbers, n); numbers[at] === n; at++)
    if (since[at]! <= now && now < until[at]!) latest = Math.max(latest, until[at]!);
  return latest;
}

/** Moments around both ends of an entry. FOREVER is excluded, because lookups always happen before it. */
export function momentsOf({ since, until }: Dates): number[] {
  return [since - 1, since, until - 1, until].filter((moment) => moment >= 0 && moment < FOREVER);
}
