/**
 * What a list holds while a release is being built: numbers by head in growing arrays, and the few
 * things that are not plain numbers. Ten million numbers take about 64 MB.
 */
import { headOf, tailOf } from '../numbers/number.ts';
import { FOREVER } from '../set/layout.ts';
import type { Permutation } from '../set/permutation.ts';
import type { DatedEntry } from './shard.ts';
import { lowerBound } from './sorted.ts';

/** Numbers from `from` to `to`, both included. */
export interface RangeEntry {
  readonly from: number;
  readonly to: number;
  readonly since: number;
  readonly until: number;
}

export interface SourceEntry {
  readonly fingerprint: bigint;
  readonly since: number;
  readonly until: number;
}

/** When an entry holds, in seconds since 1970; `always` is the common case. */
export interface Dates {
  readonly since: number;
  readonly until: number;
}
export const ALWAYS: Dates = { since: 0, until: FOREVER };

/** Whether an entry's answer ever changes by itself. */
export function isDated({ since, until }: Dates): boolean {
  return since !== ALWAYS.since || until !== ALWAYS.until;
}

class Tails {
  #values = new Uint32Array(64);
  #count = 0;

  push(tail: number): void {
    if (this.#count === this.#values.length) {
      const grown = new Uint32Array(this.#values.length * 2);
      grown.set(this.#values);
      this.#values = grown;
    }
    this.#values[this.#count++] = tail;
  }

  /** Sorted and distinct. */
  finish(): Uint32Array {
    const sorted = this.#values.subarray(0, this.#count).sort();
    let distinct = 0;
    for (let index = 0; index < sorted.length; index++) {
      if (index === 0 || sorted[index] !== sorted[index - 1]) sorted[distinct++] = sorted[index]!;
    }
    return sorted.subarray(0, distinct);
  }
}

/** The finished content of a list, ready to be laid out. */
export interface ListContent {
  /** Sorted distinct permuted tails by head. */
  readonly plain: ReadonlyMap<number, Uint32Array>;
  /** Sorted by head, tail, since; without numbers that are in `plain`. */
  readonly dated: readonly DatedEntry[];
  readonly ranges: readonly RangeEntry[];
  readonly sources: readonly SourceEntry[];
}

export class ListEntries {
  readonly #permutation: Permutation;
  readonly #plain = new Map<number, Tails>();
  readonly #dated: DatedEntry[] = [];
  readonly ranges: RangeEntry[] = [];
  readonly sources: SourceEntry[] = [];

  constructor(permutation: Permutation) {
    this.#permutation = permutation;
  }

  addNumber(n: number, dates: Dates): void {
    const head = headOf(n);
    const tail = this.#permutation.permute(tailOf(n));
    if (isDated(dates)) {
      this.#dated.push({ head, tail, since: dates.since, until: dates.until });
      return;
    }
    let tails = this.#plain.get(head);
    if (tails === undefined) {
      tails = new Tails();
      this.#plain.set(head, tails);
    }
    tails.push(tail);
  }

  finish(): ListContent {
    const plain = new Map<number, Uint32Array>();
    for (const head of [...this.#plain.keys()].sort((a, b) => a - b))
      plain.set(head, this.#plain.get(head)!.finish());
    const dated = this.#dated
      .filter(({ head, tail }) => !contains(plain.get(head), tail))
      .sort((a, b) => a.head - b.head || a.tail - b.tail || a.since - b.since || a.until - b.until)
      .filter((entry, index, all) => index === 0 || !isSame(entry, all[index - 1]!));
    return { plain, dated, ranges: this.ranges, sources: this.sources };
  }
}

function contains(sorted: Uint32Array | undefined, tail: number): boolean {
  return sorted !== undefined && sorted[lowerBound(sorted, tail)] === tail;
}

function isSame(a: DatedEntry, b: DatedEntry): boolean {
  return a.head === b.head && a.tail === b.tail && a.since === b.since && a.until === b.until;
}
