/**
 * The shards of one key space, of numbers or of pairs: which of them has a key, and whether it is loaded.
 */
import { SUFFIX_COUNT } from '../numbers/number.ts';
import type { Shard } from '../set/shard.ts';
import type { Blob, Manifest } from './manifest.ts';
import type { ShardMemory, Slot } from './shard-memory.ts';

export class ShardSlices {
  readonly slots: readonly Slot[];
  readonly #blobs: Manifest['shards'];
  readonly #starts: Float64Array;

  /** @param shards in order @param memory holds what is loaded */
  constructor(shards: Manifest['shards'], memory: ShardMemory) {
    this.slots = shards.map(({ key, bytes }) => memory.slot(key, bytes));
    this.#blobs = shards;
    this.#starts = Float64Array.from(shards, (shard) => shard.start);
  }

  /** Finds the shard of a number. @returns its index, -1 if there are no shards */
  indexOf(prefix: number, permutedSuffix: number): number {
    return this.indexOfKey(prefix * SUFFIX_COUNT + permutedSuffix);
  }

  /** Finds the shard of a key. @returns its index, -1 if there are no shards */
  indexOfKey(key: number): number {
    const starts = this.#starts;
    let at = 0;
    // Branchless: the side of each step is random for a permuted suffix. Takes less than half the time.
    for (let count = starts.length; count > 1; ) {
      const half = count >>> 1;
      at += half & -Number(starts[at + half]! <= key);
      count -= half;
    }
    return starts.length > 0 && starts[0]! <= key ? at : -1;
  }

  /** Null if it is not loaded. */
  shard(index: number): Shard | null {
    return this.slots[index]?.shard ?? null;
  }

  /** The KV value with a key; null if there are no shards. */
  blobOf(key: number): Blob | null {
    return this.#blobs[this.indexOfKey(key)] ?? null;
  }
}
