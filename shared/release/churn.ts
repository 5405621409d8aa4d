/**
 * Two sorted runs of entries compared: what came, what went, and behind which heads. Exact, not net: a
 * number that went and another that came are two changes. Holds one entry of each run at a time.
 */
import { CHANGED_HEADS_MAX } from '../limits.ts';
import { BLOCK_FILLED_MIN, BLOCK_NUMBERS, wholeBlocksIn } from '../numbers/blocks.ts';
import { headOf, TAILS } from '../numbers/number.ts';
import type { DatedRow } from '../set/dated-set.ts';
import type { Permutation } from '../set/permutation.ts';

/** Entries that came, went, or stayed with other dates. */
export interface Counts {
  readonly added: number;
  readonly removed: number;
  readonly changed: number;
}

export const NO_COUNTS: Counts = { added: 0, removed: 0, changed: 0 };

export interface HeadChange extends Counts {
  readonly head: number;
}

/** Adds up changes, which come by rising key, and keeps the heads that change most. */
export class HeadTally {
  added = 0;
  removed = 0;
  changed = 0;
  #top: HeadChange[] = [];
  #head = -1;
  /** First key behind the head. */
  #end = 0;
  /** The sums where the head began. */
  #addedBefore = 0;
  #removedBefore = 0;
  #changedBefore = 0;

  count(key: number, added: number, removed: number, changed: number): void {
    if (key >= this.#end) this.#open(headOf(key));
    this.added += added;
    this.removed += removed;
    this.changed += changed;
  }

  #open(head: number): void {
    const added = this.added - this.#addedBefore;
    const removed = this.removed - this.#removedBefore;
    const changed = this.changed - this.#changedBefore;
    if (added + removed + changed > 0) this.#keep({ head: this.#head, added, removed, changed });
    this.#head = head;
    this.#end = (head + 1) * TAILS;
    this.#addedBefore = this.added;
    this.#removedBefore = this.removed;
    this.#changedBefore = this.changed;
  }

  #keep(change: HeadChange): void {
    const least = this.#top.at(-1);
    if (this.#top.length === CHANGED_HEADS_MAX && least !== undefined && weightOf(change) <= weightOf(least))
      return;
    // A stable sort of heads that come in order: equal changes stay by head.
    this.#top = [...this.#top, change].sort((a, b) => weightOf(b) - weightOf(a)).slice(0, CHANGED_HEADS_MAX);
  }

  /** The sums, and the heads that changed most: the most first, equal ones by head. */
  result(): Counts & { readonly heads: readonly HeadChange[] } {
    this.#open(-1);
    return { added: this.added, removed: this.removed, changed: this.changed, heads: this.#top };
  }
}

function weightOf({ added, removed, changed }: Counts): number {
  return added + removed + changed;
}

/** Finds blocks that come whole, among keys that are distinct and rise: holds the blocks of one head. */
export class BlockCounter {
  /** Of those that the plan uses. */
  whole = 0;
  readonly #permutation: Permutation;
  readonly #filled = new Uint16Array(TAILS / BLOCK_NUMBERS);
  /** First number of the head, and of the next one. */
  #start = 0;
  #end = 0;
  #hasBlocks = false;

  constructor(permutation: Permutation) {
    this.#permutation = permutation;
  }

  add(key: number): void {
    if (key >= this.#end) this.#open(headOf(key));
    if (!this.#hasBlocks) return;
    const block = Math.floor(this.#permutation.invert(key - this.#start) / BLOCK_NUMBERS);
    this.#filled[block]!++;
    if (this.#filled[block] !== BLOCK_FILLED_MIN) return;
    const first = this.#start + block * BLOCK_NUMBERS;
    this.whole += wholeBlocksIn(first, first + BLOCK_NUMBERS - 1);
  }

  #open(head: number): void {
    this.#start = head * TAILS;
    this.#end = this.#start + TAILS;
    this.#hasBlocks = wholeBlocksIn(this.#start, this.#end - 1) > 0;
    if (this.#hasBlocks) this.#filled.fill(0);
  }
}

/** The keys of a walk one by one. `key` is Infinity at the end. */
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

/** Dated rows, those of one key at a time. `key` is Infinity at the end. */
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

  /** The dates of a key, and on to the next one; none if the cursor stands at another. */
  take(key: number): ReadonlySet<string> {
    const dates = new Set<string>();
    for (; this.key === key; this.#advance()) dates.add(`${this.#row!.since} ${this.#row!.until}`);
    return dates;
  }
}

/** What is told of the numbers that two walks have in common, or not. */
export interface Tallies {
  readonly heads: HeadTally;
  readonly blocks: BlockCounter;
  /** Whether what was listed before counts as new: the list did less until now. */
  readonly rises: boolean;
}

/** Compare plain entries up to before key `end`. */
export function compareKeys(before: KeyCursor, after: KeyCursor, end: number, tallies: Tallies): void {
  const { heads, blocks, rises } = tallies;
  while (before.key < end || after.key < end) {
    const key = after.key;
    if (before.key === key) {
      if (rises) blocks.add(key);
      before.advance();
      after.advance();
    } else if (before.key < key) {
      heads.count(before.key, 0, 1, 0);
      before.advance();
    } else {
      heads.count(key, 1, 0, 0);
      blocks.add(key);
      after.advance();
    }
  }
}

/** Compare dated entries up to before key `end`. */
export function compareDated(before: DatedCursor, after: DatedCursor, end: number, tallies: Tallies): void {
  const { heads, blocks, rises } = tallies;
  for (;;) {
    const key = Math.min(before.key, after.key);
    if (key >= end) return;
    const [old, now] = [before.take(key), after.take(key)];
    const { added, removed, changed } = compareDates(old, now);
    if (added + removed + changed > 0) heads.count(key, added, removed, changed);
    if (now.size > 0 && (old.size === 0 || rises)) blocks.add(key);
  }
}

/** The entries of one number, range or source: as many as can be are the same ones with other dates. */
function compareDates(before: ReadonlySet<string>, after: ReadonlySet<string>): Counts {
  let kept = 0;
  for (const dates of before) if (after.has(dates)) kept++;
  const changed = Math.min(before.size, after.size) - kept;
  return { added: after.size - kept - changed, removed: before.size - kept - changed, changed };
}

/** What an entry of a table is for, and its dates. */
export type TableEntry = readonly [what: string, dates: string];

/** Compare the entries of a list in two tables, in any order. */
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
