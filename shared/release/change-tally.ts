/**
 * Counts the changes between two sorted runs of entries, and the prefixes they fall under. Exact, not net:
 * one number removed and another added are two changes. Holds one entry of each run at a time.
 */
import { CHANGED_PREFIXES_MAX } from '../limits/lists.ts';
import { BLOCK_FILLED_MIN, BLOCK_NUMBERS, countWholeBlocks } from '../numbers/blocks.ts';
import { prefixOf, SUFFIX_COUNT } from '../numbers/number.ts';
import type { Permutation } from '../set/permutation.ts';
import type { DatedCursor, KeyCursor } from './release-reader.ts';

/** Entries that were added, removed, or kept with other dates. */
export interface ChangeCounts {
  readonly added: number;
  readonly removed: number;
  readonly changed: number;
}

export const NO_COUNTS: ChangeCounts = { added: 0, removed: 0, changed: 0 };

function plus(a: ChangeCounts, b: ChangeCounts): ChangeCounts {
  return { added: a.added + b.added, removed: a.removed + b.removed, changed: a.changed + b.changed };
}

function totalOf({ added, removed, changed }: ChangeCounts): number {
  return added + removed + changed;
}

export interface PrefixChange extends ChangeCounts {
  /** The prefix. */
  readonly head: number;
}

/** Counts the changes of a list, which arrive in ascending key order, and the blocks that were added whole. */
export class ChangeTally {
  /** Blocks of Korean numbers in use that were added whole, or nearly (BLOCK_FILLED_MIN). */
  wholeBlocks = 0;
  readonly #permutation: Permutation;
  readonly #isStricter: boolean;
  #sum = NO_COUNTS;
  #top: PrefixChange[] = [];
  #prefix = -1;
  /** First key of the prefix, and of the next one. */
  #start = 0;
  #end = 0;
  /** Changes under the prefix. */
  #added = 0;
  #removed = 0;
  #changed = 0;
  #hasBlocks = false;
  /** Added numbers of each block of the prefix. */
  readonly #filled = new Uint16Array(SUFFIX_COUNT / BLOCK_NUMBERS);

  /** @param isStricter whether kept entries count as added to a block because the terms are stricter */
  constructor(permutation: Permutation, isStricter: boolean) {
    this.#permutation = permutation;
    this.#isStricter = isStricter;
  }

  /** Compares plain entries up to key `end` (exclusive). */
  compareKeys(before: KeyCursor, after: KeyCursor, end: number): void {
    while (before.key < end || after.key < end) {
      const key = after.key;
      if (before.key < key) {
        this.#enter(before.key);
        this.#removed++;
        before.advance();
        continue;
      }
      const isNew = before.key > key;
      if (isNew || this.#isStricter) {
        this.#enter(key);
        this.#addToBlock(key);
      }
      if (isNew) this.#added++;
      else before.advance();
      after.advance();
    }
  }

  /** Compares dated entries up to key `end` (exclusive). */
  compareDated(before: DatedCursor, after: DatedCursor, end: number): void {
    for (;;) {
      const key = Math.min(before.key, after.key);
      if (key >= end) return;
      const [old, now] = [before.take(key), after.take(key)];
      const { added, removed, changed } = compareDates(old, now);
      this.#enter(key);
      this.#added += added;
      this.#removed += removed;
      this.#changed += changed;
      if (now.size > 0 && (old.size === 0 || this.#isStricter)) this.#addToBlock(key);
    }
  }

  /** The sums, and the prefixes that changed most: largest first, ties by prefix. */
  result(): ChangeCounts & { readonly heads: readonly PrefixChange[] } {
    this.#leave();
    return { ...this.#sum, heads: this.#top };
  }

  #enter(key: number): void {
    if (key < this.#end) return;
    this.#leave();
    this.#prefix = prefixOf(key);
    this.#start = this.#prefix * SUFFIX_COUNT;
    this.#end = this.#start + SUFFIX_COUNT;
    this.#hasBlocks = countWholeBlocks(this.#start, this.#end - 1) > 0;
    if (this.#hasBlocks) this.#filled.fill(0);
  }

  #leave(): void {
    const change = {
      head: this.#prefix,
      added: this.#added,
      removed: this.#removed,
      changed: this.#changed,
    };
    this.#added = this.#removed = this.#changed = 0;
    const total = totalOf(change);
    this.#sum = plus(this.#sum, change);
    const least = this.#top[CHANGED_PREFIXES_MAX - 1];
    if (total === 0 || (least !== undefined && total <= totalOf(least))) return;
    // Stable sort of prefixes that arrive in order: equal changes stay sorted by prefix.
    this.#top = [...this.#top, change].sort((a, b) => totalOf(b) - totalOf(a)).slice(0, CHANGED_PREFIXES_MAX);
  }

  #addToBlock(key: number): void {
    if (!this.#hasBlocks) return;
    const block = Math.floor(this.#permutation.invert(key - this.#start) / BLOCK_NUMBERS);
    this.#filled[block]!++;
    if (this.#filled[block] !== BLOCK_FILLED_MIN) return;
    const first = this.#start + block * BLOCK_NUMBERS;
    this.wholeBlocks += countWholeBlocks(first, first + BLOCK_NUMBERS - 1);
  }
}

/** Compares the dates of one number, range or source. Counts a removed and an added date together as one changed date. */
function compareDates(before: ReadonlySet<string>, after: ReadonlySet<string>): ChangeCounts {
  let kept = 0;
  for (const dates of before) if (after.has(dates)) kept++;
  const changed = Math.min(before.size, after.size) - kept;
  return { added: after.size - kept - changed, removed: before.size - kept - changed, changed };
}

/** Compares the rows of a list in two tables, in any order. @param keyOf what a row lists */
export function compareTables<Row extends { readonly since: number; readonly until: number }>(
  before: Iterable<Row>,
  after: Iterable<Row>,
  keyOf: (row: Row) => string,
): ChangeCounts {
  const [old, now] = [Map.groupBy(before, keyOf), Map.groupBy(after, keyOf)];
  const datesOf = (rows: readonly Row[] = []) => new Set(rows.map(({ since, until }) => `${since} ${until}`));
  return [...new Set([...old.keys(), ...now.keys()])]
    .map((key) => compareDates(datesOf(old.get(key)), datesOf(now.get(key))))
    .reduce(plus, NO_COUNTS);
}
