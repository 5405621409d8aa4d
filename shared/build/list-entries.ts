/**
 * What a list holds while a release is being built: numbers by head, and the few things that are not
 * plain numbers.
 */
import { headOf, TAILS, tailOf } from '../numbers/number.ts';
import { FOREVER } from '../set/layout.ts';
import type { Permutation } from '../set/permutation.ts';
import type { RangeRow } from '../set/range-table.ts';
import type { SourceRow } from '../set/source-table.ts';
import type { DatedEntry } from './shard.ts';
import { lowerBound } from './sorted.ts';
import { Tails } from './tails.ts';

/** Numbers that wait to be permuted: in a loop of their own, one does not wait for the look-ups of another. */
const WAITING = 4_096;

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

/** The finished content of a list, ready to be laid out. */
export interface ListContent {
  /** Sorted distinct permuted tails by head. */
  readonly plain: ReadonlyMap<number, Uint32Array>;
  /** Sorted by head, tail, since; without numbers that are in `plain`. */
  readonly dated: readonly DatedEntry[];
  readonly ranges: readonly RangeRow[];
  readonly sources: readonly SourceRow[];
}

export class ListEntries {
  readonly #permutation: Permutation;
  readonly #plain = new Map<number, Tails>();
  readonly #heads = new Uint32Array(WAITING);
  /** Not yet permuted. */
  readonly #tails = new Uint32Array(WAITING);
  #waiting = 0;
  readonly #dated: DatedEntry[] = [];
  readonly ranges: RangeRow[] = [];
  readonly sources: SourceRow[] = [];

  constructor(permutation: Permutation) {
    this.#permutation = permutation;
  }

  /** About 60 ns, and 4 to 8 bytes: at most 12.5 MB a head. */
  addNumber(n: number, dates: Dates): void {
    const head = headOf(n);
    if (isDated(dates)) {
      const tail = this.#permutation.permute(tailOf(n));
      this.#dated.push({ head, tail, since: dates.since, until: dates.until });
      return;
    }
    this.#heads[this.#waiting] = head;
    this.#tails[this.#waiting] = n - head * TAILS;
    if (++this.#waiting === WAITING) this.#flush();
  }

  #flush(): void {
    const heads = this.#heads;
    const tails = this.#tails;
    const waiting = this.#waiting;
    const permutation = this.#permutation;
    for (let index = 0; index < waiting; index++) tails[index] = permutation.permute(tails[index]!);
    for (let from = 0, to = 0; from < waiting; from = to) {
      const head = heads[from]!;
      while (to < waiting && heads[to] === head) to++;
      this.#tailsOf(head).add(tails, from, to);
    }
    this.#waiting = 0;
  }

  #tailsOf(head: number): Tails {
    const tails = this.#plain.get(head) ?? new Tails();
    this.#plain.set(head, tails);
    return tails;
  }

  finish(): ListContent {
    this.#flush();
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
