/**
 * Compares two sorted runs of entries: additions, removals, and the prefixes they fall under. Exact, not net:
 * one number removed and another added are two changes. Holds one entry of each run at a time.
 */
import { CHANGED_PREFIXES_MAX } from '../limits.ts';
import { BLOCK_FILLED_MIN, BLOCK_NUMBERS, wholeBlocksIn } from '../numbers/blocks.ts';
import { prefixOf, SUFFIX_COUNT } from '../numbers/number.ts';
import type { DatedRow } from '../set/dated-set.ts';
import type { Permutation } from '../set/permutation.ts';

/** Entries that were added, removed, or kept with other dates. */
export interface Counts {
  readonly added: number;
  readonly removed: number;
  readonly changed: number;
}

export const NO_COUNTS: Counts = { added: 0, removed: 0, changed: 0 };

export interface PrefixChange extends Counts {
  readonly head: number;
}

/** Sums changes, which arrive in ascending key order, and keeps the prefixes that change most. */
export class PrefixTally {
  added = 0;
  removed = 0;
  changed = 0;
  #top: PrefixChange[] = [];
  #head = -1;
  /** First key after the prefix. */
  #end = 0;
  /** The sums at the start of the prefix. */
  #addedBefore = 0;
  #removedBefore = 0;
  #changedBefore = 0;

  count(key: number, added: number, removed: number, changed: number): void {
    if (key >= this.#end) this.#open(prefixOf(key));
    this.added += added;
    this.removed += removed;
    this.changed += changed;
  }

  #open(prefix: number): void {
    const added = this.added - this.#addedBefore;
    const removed = this.removed - this.#removedBefore;
    const changed = this.changed - this.#changedBefore;
    if (added + removed + changed > 0) this.#keep({ head: this.#head, added, removed, changed });
    this.#head = prefix;
    this.#end = (prefix + 1) * SUFFIX_COUNT;
    this.#addedBefore = this.added;
    this.#removedBefore = this.removed;
    this.#changedBefore = this.changed;
  }

  #keep(change: PrefixChange): void {
    const least = this.#top.at(-1);
    if (
      this.#top.length === CHANGED_PREFIXES_MAX &&
      least !== undefined &&
      weightOf(change) <= weightOf(least)
    )
      return;
    // Stable sort of prefixes that arrive in order: equal changes stay sorted by prefix.
    this.#top = [...this.#top, change]
      .sort((a, b) => weightOf(b) - weightOf(a))
      .slice(0, CHANGED_PREFIXES_MAX);
  }

  /** The sums, and the prefixes that changed most: largest first, ties by prefix. */
  result(): Counts & { readonly heads: readonly PrefixChange[] } {
    this.#open(-1);
    return { added: this.added, removed: this.removed, changed: this.changed, heads: this.#top };
  }
}

function weightOf({ added, removed, changed }: Counts): number {
  return added + removed + changed;
}

/**
 * Counts whole blocks among added keys, which must be distinct and ascending. Holds the blocks of one prefix.
 */
export class BlockCounter {
  /** Whole blocks that the plan uses. */
  whole = 0;
  readonly #permutation: Permutation;
  readonly #filled = new Uint16Array(SUFFIX_COUNT / BLOCK_NUMBERS);
  /** First number of the prefix, and of the next one. */
  #start = 0;
  #end = 0;
  #hasBlocks = false;

  constructor(permutation: Permutation) {
    this.#permutation = permutation;
  }

  add(key: number): void {
    if (key >= this.#end) this.#open(prefixOf(key));
    if (!this.#hasBlocks) return;
    const block = Math.floor(this.#permutation.invert(key - this.#start) / BLOCK_NUMBERS);
    this.#filled[block]!++;
    if (this.#filled[block] !== BLOCK_FILLED_MIN) return;
    const first = this.#start + block * BLOCK_NUMBERS;
    this.whole += wholeBlocksIn(first, first + BLOCK_NUMBERS - 1);
  }

  #open(prefix: number): void {
    this.#start = prefix * SUFFIX_COUNT;
    this.#end = this.#start + SUFFIX_COUNT;
    this.#hasBlocks = wholeBlocksIn(this.#start, this.#end - 1) > 0;
    if (this.#hasBlocks) this.#filled.fill(0);
  }
}

/** Iterates over the keys of a list. `key` is Infinity at the end. */
export class KeyCursor {
  key = Number.POSITIVE_INFINITY;
  readonly #batches: Iterator<Float64Array>;
  #batch: Float64Array = new Float64Array(0);
  #index = 0;

  constructor(batches: Iterable<Float64Array>) {
    this.#batches = batches[Symbol.iterator]();
    this.advance();
  }

  advance(): void {
    if (++this.#index >= this.#batch.length) {
      const next = this.#batches.next();
      if (next.done === true) {
        this.key = Number.POSITIVE_INFINITY;
        return;
      }
      this.#batch = next.value;
      this.#index = 0;
    }
    this.key = this.#batch[this.#index]!;
  }
}

/** Iterates over dated rows, one key at a time. `key` is Infinity at the end. */
export class DatedCursor {
  key = Number.POSITIVE_INFINITY;
  readonly #rows: Iterator<DatedRow>;
  #row: DatedRow | null = null;

  constructor(rows: Iterable<DatedRow>) {
    this.#rows = rows[Symbol.iterator]();
    this.#advance();
  }

  #advance(): void {
    const next = this.#rows.next();
    this.#row = next.done === true ? null : next.value;
    this.key = this.#row?.key ?? Number.POSITIVE_INFINITY;
  }

  /** Returns the dates of `key` and advances to the next key; empty if the cursor is at another key. */
  take(key: number): ReadonlySet<string> {
    const dates = new Set<string>();
    for (; this.key === key; this.#advance()) dates.add(`${this.#row!.since} ${this.#row!.until}`);
    return dates;
  }
}

/** Results of the comparison of two runs. */
export interface Tallies {
  readonly heads: PrefixTally;
  readonly blocks: BlockCounter;
  /** Whether existing entries count as new because the terms of the list get stricter. */
  readonly rises: boolean;
}

/** Compares plain entries up to key `end` (exclusive). */
export function compareKeys(before: KeyCursor, after: KeyCursor, end: number, tallies: Tallies): void {
  const { heads: prefixes, blocks, rises } = tallies;
  while (before.key < end || after.key < end) {
    const key = after.key;
    if (before.key === key) {
      if (rises) blocks.add(key);
      before.advance();
      after.advance();
    } else if (before.key < key) {
      prefixes.count(before.key, 0, 1, 0);
      before.advance();
    } else {
      prefixes.count(key, 1, 0, 0);
      blocks.add(key);
      after.advance();
    }
  }
}

/** Compares dated entries up to key `end` (exclusive). */
export function compareDated(before: DatedCursor, after: DatedCursor, end: number, tallies: Tallies): void {
  const { heads: prefixes, blocks, rises } = tallies;
  for (;;) {
    const key = Math.min(before.key, after.key);
    if (key >= end) return;
    const [old, now] = [before.take(key), after.take(key)];
    const { added, removed, changed } = compareDates(old, now);
    if (added + removed + changed > 0) prefixes.count(key, added, removed, changed);
    if (now.size > 0 && (old.size === 0 || rises)) blocks.add(key);
  }
}

/**
 * Compares the entries of one number, range or source. Pairs up as many as possible as entries with other
 * dates.
 */
function compareDates(before: ReadonlySet<string>, after: ReadonlySet<string>): Counts {
  let kept = 0;
  for (const dates of before) if (after.has(dates)) kept++;
  const changed = Math.min(before.size, after.size) - kept;
  return { added: after.size - kept - changed, removed: before.size - kept - changed, changed };
}

/** What an entry of a table is for, and its dates. */
export type TableEntry = readonly [what: string, dates: string];

/** Compares the entries of a list in two tables, in any order. */
export function compareTables(before: Iterable<TableEntry>, after: Iterable<TableEntry>): Counts {
  const [old, now] = [datesOf(before), datesOf(after)];
  const none: ReadonlySet<string> = new Set();
  const sum = { added: 0, removed: 0, changed: 0 };
  for (const what of new Set([...old.keys(), ...now.keys()])) {
    const counts = compareDates(old.get(what) ?? none, now.get(what) ?? none);
    sum.added += counts.added;
    sum.removed += counts.removed;
    sum.changed += counts.changed;
  }
  return sum;
}

function datesOf(entries: Iterable<TableEntry>): Map<string, Set<string>> {
  const dates = new Map<string, Set<string>>();
  for (const [what, when] of entries) {
    const known = dates.get(what);
    if (known === undefined) dates.set(what, new Set([when]));
    else known.add(when);
  }
  return dates;
}
