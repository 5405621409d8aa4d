/**
 * The content of a list while a release is built: numbers by prefix, and the few entries that are not plain
 * numbers.
 */
import { prefixOf, SUFFIX_COUNT, suffixOf } from '../numbers/number.ts';
import { FOREVER } from '../set/layout.ts';
import type { Permutation } from '../set/permutation.ts';
import type { RangeRow } from '../set/range-table.ts';
import type { DatedEntry } from '../set/shard.ts';
import type { SourceRow } from '../set/source-table.ts';
import { lowerBound } from './sorted.ts';
import { SuffixSet } from './suffix-set.ts';

/** Numbers buffered before permutation. In a loop of its own, the table reads of different numbers overlap. */
const WAITING = 4_096;

/** When an entry is in force, in seconds since 1970. `ALWAYS` is the common case. */
export interface Dates {
  readonly since: number;
  readonly until: number;
}
export const ALWAYS: Dates = { since: 0, until: FOREVER };

/** Whether the entry has a start or an expiry. */
export function isDated({ since, until }: Dates): boolean {
  return since !== ALWAYS.since || until !== ALWAYS.until;
}

/** The final content of a list, ready to encode. */
export interface ListContent {
  /** Sorted distinct permuted suffixes by prefix. */
  readonly plain: ReadonlyMap<number, Uint32Array>;
  /** Sorted by key and dates, distinct; excludes numbers in `plain`. */
  readonly dated: readonly DatedEntry[];
  readonly ranges: readonly RangeRow[];
  readonly sources: readonly SourceRow[];
}

export class ListEntries {
  readonly #permutation: Permutation;
  readonly #plain = new Map<number, SuffixSet>();
  readonly #prefixes = new Uint32Array(WAITING);
  /** Not yet permuted. */
  readonly #suffixes = new Uint32Array(WAITING);
  #waiting = 0;
  readonly #dated: DatedEntry[] = [];
  readonly ranges: RangeRow[] = [];
  readonly sources: SourceRow[] = [];

  constructor(permutation: Permutation) {
    this.#permutation = permutation;
  }

  /** Takes about 60 ns, and 4 to 8 bytes: at most 12.5 MB per prefix. */
  addNumber(n: number, dates: Dates): void {
    const prefix = prefixOf(n);
    if (isDated(dates)) {
      const key = prefix * SUFFIX_COUNT + this.#permutation.permute(suffixOf(n));
      this.#dated.push({ key, since: dates.since, until: dates.until });
      return;
    }
    this.#prefixes[this.#waiting] = prefix;
    this.#suffixes[this.#waiting] = n - prefix * SUFFIX_COUNT;
    if (++this.#waiting === WAITING) this.#flush();
  }

  #flush(): void {
    const prefixes = this.#prefixes;
    const suffixes = this.#suffixes;
    const waiting = this.#waiting;
    const permutation = this.#permutation;
    for (let index = 0; index < waiting; index++) suffixes[index] = permutation.permute(suffixes[index]!);
    for (let from = 0, to = 0; from < waiting; from = to) {
      const prefix = prefixes[from]!;
      while (to < waiting && prefixes[to] === prefix) to++;
      const plain = this.#plain.get(prefix) ?? new SuffixSet();
      this.#plain.set(prefix, plain);
      plain.add(suffixes, from, to);
    }
    this.#waiting = 0;
  }

  finish(): ListContent {
    this.#flush();
    const plain = new Map<number, Uint32Array>();
    for (const prefix of [...this.#plain.keys()].sort((a, b) => a - b))
      plain.set(prefix, this.#plain.get(prefix)!.finish());
    const dated = this.#dated
      .filter(({ key }) => !contains(plain.get(prefixOf(key)), suffixOf(key)))
      .sort((a, b) => a.key - b.key || a.since - b.since || a.until - b.until)
      .filter(({ key, since, until }, index, all) => {
        const before = all[index - 1];
        return before?.key !== key || before.since !== since || before.until !== until;
      });
    return { plain, dated, ranges: this.ranges, sources: this.sources };
  }
}

function contains(sorted: Uint32Array | undefined, suffix: number): boolean {
  return sorted !== undefined && sorted[lowerBound(sorted, suffix)] === suffix;
}
