/**
 * Counts the changes between two sorted runs of entries, and the prefixes they fall under. Exact, not net:
 * one number removed and another added are two changes. Holds one entry of each run at a time.
 */
import { CHANGED_PREFIXES_MAX } from '../limits.ts';
import { BLOCK_FILLED_MIN, BLOCK_NUMBERS, countWholeBlocks } from '../numbers/blocks.ts';
import { prefixOf, SUFFIX_COUNT } from '../numbers/number.ts';
import type { Permutation } from '../set/permutation.ts';
import type { DatedEntry } from '../set/shard.ts';
import type { KeyCursor } from './release-reader.ts';

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
  /** Blocks of Korean numbers in use of which nearly all were added (BLOCK_FILLED_MIN). */
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

  /** Compares the dated entries of one slice, by key. */
  compareDated(before: Iterable<DatedEntry>, after: Iterable<DatedEntry>): void {
    const changes = compareRows(before, after, ({ key }) => key).sort((a, b) => a.key - b.key);
    for (const { key, old, now, added, removed, changed } of changes) {
      this.#enter(key);
      this.#added += added;
      this.#removed += removed;
      this.#changed += changed;
      if (now > 0 && (old === 0 || this.#isStricter)) this.#addToBlock(key);
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

interface Dated {
  readonly since: number;
  readonly until: number;
}

/**
 * Compares entries in any order: numbers, ranges or sources. Pairs up as many entries of a key as possible as
 * changed. @returns for each key the count of its entries, before and after, and the changes
 */
export function compareRows<Row extends Dated, Key>(
  before: Iterable<Row>,
  after: Iterable<Row>,
  keyOf: (row: Row) => Key,
): (ChangeCounts & { readonly key: Key; readonly old: number; readonly now: number })[] {
  const [oldRows, newRows] = [Map.groupBy(before, keyOf), Map.groupBy(after, keyOf)];
  return [...new Set([...oldRows.keys(), ...newRows.keys()])].map((key) => {
    const [old, now] = [datesOf(oldRows.get(key)), datesOf(newRows.get(key))];
    const kept = [...old].filter((dates) => now.has(dates)).length;
    const changed = Math.min(old.size, now.size) - kept;
    const [added, removed] = [now.size - kept - changed, old.size - kept - changed];
    return { key, old: old.size, now: now.size, added, removed, changed };
  });
}

function datesOf(rows: readonly Dated[] = []): ReadonlySet<string> {
  return new Set(rows.map(({ since, until }) => `${since} ${until}`));
}

export function sumOf(counts: readonly ChangeCounts[]): ChangeCounts {
  return counts.reduce(plus, NO_COUNTS);
}
