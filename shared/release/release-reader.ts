/**
 * Reads a release in key order, with one shard in memory at a time; tables are loaded on demand. Every value
 * is verified against the manifest before use. After a failure, the release reads as if it ended there.
 */
import { NUMBER_LIMIT } from '../numbers/number.ts';
import { type Failure, fail } from '../result.ts';
import type { ListKeys } from '../set/keys.ts';
import type { DatedEntry, Shard } from '../set/shard.ts';
import { type Blob, countNumbers, type ListInfo, type Manifest } from './manifest.ts';
import { type BlobProblem, type Load, openValue, type Release } from './release.ts';

export type ReadProblem = BlobProblem | 'COUNT_WRONG' | 'LIMIT_EXCEEDED';

/** Iterates over the plain keys of a list. `key` is Infinity at the end. */
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
      this.#batch = this.#batches.next().value ?? new Float64Array(0);
      this.#index = 0;
    }
    this.key = this.#batch[this.#index] ?? Number.POSITIVE_INFINITY;
  }
}

/** Iterates over the dated entries of a list, one key at a time. `key` is Infinity at the end. */
export class DatedCursor {
  key = Number.POSITIVE_INFINITY;
  readonly #entries: Iterator<DatedEntry, undefined>;
  #entry: DatedEntry | undefined;

  constructor(entries: Iterable<DatedEntry, undefined>) {
    this.#entries = entries[Symbol.iterator]();
    this.#advance();
  }

  /** Returns the entry and advances to the next one; undefined at the end. */
  takeNext(): DatedEntry | undefined {
    const entry = this.#entry;
    if (entry !== undefined) this.#advance();
    return entry;
  }

  #advance(): void {
    this.#entry = this.#entries.next().value;
    this.key = this.#entry?.key ?? Number.POSITIVE_INFINITY;
  }

  /** Returns the dates of `key` and advances to the next key; empty if the cursor is at another key. */
  take(key: number): ReadonlySet<string> {
    const dates = new Set<string>();
    for (; this.key === key; this.#advance()) dates.add(`${this.#entry!.since} ${this.#entry!.until}`);
    return dates;
  }
}

/** Keys from `start` (inclusive) to `end` (exclusive). */
export interface KeySlice {
  readonly start: number;
  readonly end: number;
}

/** Cursors for each list. */
export interface EntryCursors {
  readonly plain: readonly KeyCursor[];
  readonly dated: readonly DatedCursor[];
}

/** A shard with cursors for each of its lists. */
export interface OpenShard extends EntryCursors {
  readonly shard: Shard;
}

export class ReleaseReader {
  /** Why reading ended early: a value that differs from its manifest, or too many numbers. */
  failure: Failure<ReadProblem> | null = null;
  /** First key of each shard. */
  readonly starts: readonly number[];
  readonly lists: readonly ListInfo[];
  readonly #manifest: Manifest | null;
  readonly #keys: ListKeys;
  readonly #load: Load;
  #index = -1;
  #shard: OpenShard | null = null;
  /** Count of numbers in the manifest; `#read` is the count of numbers read so far. */
  readonly #count: number;
  #read = 0;

  /** @param manifest null for a release that lists nothing */
  constructor(manifest: Manifest | null, keys: ListKeys, load: Load) {
    this.lists = manifest?.lists ?? [];
    this.#count = this.lists.reduce((sum, { numbers }) => sum + numbers, 0);
    this.starts = manifest?.shards.map(({ start }) => start) ?? [];
    this.#manifest = manifest;
    this.#keys = keys;
    this.#load = load;
  }

  /** Index of the shard that contains a slice, -1 if there is none. */
  #indexAt({ start }: KeySlice): number {
    return this.starts.findLastIndex((first) => first <= start);
  }

  /** KV key of the shard that covers exactly this slice, or null. */
  keyOf(slice: KeySlice): string | null {
    const index = this.#indexAt(slice);
    const shard = this.#manifest?.shards[index];
    const end = this.starts[index + 1] ?? NUMBER_LIMIT;
    return shard?.start === slice.start && end === slice.end ? shard.key : null;
  }

  /** The shard that contains a slice. Request slices in ascending order. */
  async shard(slice: KeySlice): Promise<OpenShard | null> {
    const index = this.#indexAt(slice);
    if (index === this.#index) return this.#shard;
    // Release the previous shard while the next one loads.
    this.#shard = null;
    this.#index = index;
    const release = await this.open(this.#manifest?.shards[index]);
    const shard = release?.shard(index) ?? null;
    if (shard === null) return null;
    const plain = this.lists.map((_, list) => new KeyCursor(this.#bounded(shard.keys(list))));
    const dated = this.lists.map((_, list) => new DatedCursor(shard.dated(list)));
    this.#shard = { shard, plain, dated };
    return this.#shard;
  }

  /** A release with only this value; null if there is no value, or after a failure. */
  async open(blob: Blob | null | undefined): Promise<Release | null> {
    if (!this.#manifest || !blob) return null;
    const counted = countNumbers(this.#manifest);
    const opened = counted.ok
      ? await openValue(this.#manifest, blob, await this.#load(blob), this.#keys)
      : counted;
    if (opened.ok) return opened.value;
    this.failure = opened;
    return null;
  }

  /** A few bytes can list whole prefixes. This bounds the iteration. */
  *#bounded(batches: Iterable<Float64Array>): Generator<Float64Array, undefined> {
    for (const batch of batches) {
      this.#read += batch.length;
      if (this.#read > this.#count) {
        this.failure = fail('COUNT_WRONG', `the manifest counts ${this.#count} numbers, but there are more`);
        return;
      }
      yield batch;
    }
  }
}
