/**
 * Reads a release in key order, with one shard in memory at a time; tables are loaded on demand. Every value
 * is checked against the manifest before use.
 */
import { RELEASE_NUMBERS_MAX } from '../limits.ts';
import { NUMBER_LIMIT } from '../numbers/number.ts';
import type { Failure } from '../result.ts';
import type { ListKeys } from '../set/keys.ts';
import type { RangeTable } from '../set/range-table.ts';
import type { Shard } from '../set/shard.ts';
import type { SourceTable } from '../set/source-table.ts';
import { DatedCursor, KeyCursor } from './churn.ts';
import type { Blob, ListInfo, Manifest } from './manifest.ts';
import { type Load, openValue } from './opened-value.ts';
import type { BlobProblem, Release } from './release.ts';

export type ReadingProblem = BlobProblem | 'COUNT_WRONG' | 'LIMIT_EXCEEDED';

/** A value differs from its manifest, or has more entries than the manifest counts or a release may have. */
export class ReleaseUnreadable extends Error {
  override readonly name = 'ReleaseUnreadable';
  readonly code: ReadingProblem;

  constructor({ code, message }: Pick<Failure<ReadingProblem>, 'code' | 'message'>) {
    super(message);
    this.code = code;
  }
}

/** Keys from `start` (inclusive) to `end` (exclusive). */
export interface KeySlice {
  readonly start: number;
  readonly end: number;
}

const NO_KEYS = new KeyCursor([]);
const NO_ROWS = new DatedCursor([]);

/** A shard with a cursor for each of its lists. */
export class ShardReading {
  readonly shard: Shard;
  readonly #bound: (keys: Iterable<Float64Array>) => Iterable<Float64Array>;
  readonly #keys = new Map<number, KeyCursor>();
  readonly #dated = new Map<number, DatedCursor>();

  constructor(shard: Shard, bound: (keys: Iterable<Float64Array>) => Iterable<Float64Array>) {
    this.shard = shard;
    this.#bound = bound;
  }

  keys(list: number): KeyCursor {
    const cursor = this.#keys.get(list) ?? new KeyCursor(this.#bound(this.shard.keys(list)));
    this.#keys.set(list, cursor);
    return cursor;
  }

  dated(list: number): DatedCursor {
    const cursor = this.#dated.get(list) ?? new DatedCursor(this.shard.dated(list));
    this.#dated.set(list, cursor);
    return cursor;
  }
}

export class Reading {
  /** First key of each shard. */
  readonly starts: readonly number[];
  readonly #manifest: Manifest | null;
  readonly #keys: ListKeys;
  readonly #load: Load;
  #index = -1;
  #shard: ShardReading | null = null;
  /** Numbers that the manifest counts; `#read` counts those read. */
  readonly #count: number;
  #read = 0;

  /** @param manifest null for a release that lists nothing */
  constructor(manifest: Manifest | null, keys: ListKeys, load: Load) {
    this.#count = manifest?.lists.reduce((sum, { numbers }) => sum + numbers, 0) ?? 0;
    this.starts = manifest?.shards.map(({ start }) => start) ?? [];
    this.#manifest = manifest;
    this.#keys = keys;
    this.#load = load;
  }

  get lists(): readonly ListInfo[] {
    return this.#manifest?.lists ?? [];
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

  /** The shard that contains a slice. Request slices in ascending order. @throws ReleaseUnreadable */
  async shard(slice: KeySlice): Promise<ShardReading | null> {
    const index = this.#indexAt(slice);
    if (index === this.#index) return this.#shard;
    // Release the previous shard while the next one loads.
    this.#shard = null;
    this.#index = index;
    const release = await this.#open(this.#manifest?.shards[index] ?? null);
    const shard = release?.shard(index) ?? null;
    this.#shard = shard === null ? null : new ShardReading(shard, (keys) => this.#bounded(keys));
    return this.#shard;
  }

  get rangesKey(): string | null {
    return this.#manifest?.ranges?.key ?? null;
  }

  /** @throws ReleaseUnreadable */
  async ranges(): Promise<RangeTable | null> {
    return (await this.#open(this.#manifest?.ranges ?? null))?.ranges ?? null;
  }

  get sourcesKey(): string | null {
    return this.#manifest?.sources?.key ?? null;
  }

  /** @throws ReleaseUnreadable */
  async sources(): Promise<SourceTable | null> {
    return (await this.#open(this.#manifest?.sources ?? null))?.sources ?? null;
  }

  async #open(blob: Blob | null): Promise<Release | null> {
    if (this.#manifest === null || blob === null) return null;
    if (this.#count > RELEASE_NUMBERS_MAX) {
      const message = `the manifest counts ${this.#count} numbers, at most ${RELEASE_NUMBERS_MAX}`;
      throw new ReleaseUnreadable({ code: 'LIMIT_EXCEEDED', message });
    }
    const opened = await openValue(this.#manifest, blob, await this.#load(blob), this.#keys);
    if (!opened.ok) throw new ReleaseUnreadable(opened);
    return opened.value;
  }

  /** A few bytes can list whole prefixes. This bounds the iteration. */
  *#bounded(batches: Iterable<Float64Array>): Generator<Float64Array> {
    for (const batch of batches) {
      this.#read += batch.length;
      if (this.#read > this.#count) {
        const message = `the manifest counts ${this.#count} numbers, and there are more`;
        throw new ReleaseUnreadable({ code: 'COUNT_WRONG', message });
      }
      yield batch;
    }
  }
}

export function keysOf(shard: ShardReading | null, list: number): KeyCursor {
  return shard?.keys(list) ?? NO_KEYS;
}

export function datedOf(shard: ShardReading | null, list: number): DatedCursor {
  return shard?.dated(list) ?? NO_ROWS;
}
