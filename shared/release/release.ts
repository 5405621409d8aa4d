/**
 * A release in memory: its manifest, and as much of it as has been loaded.
 * Immutable but for loading: a shard is absent, then there. It answers for one list at a time and
 * keeps "not listed" apart from "not loaded".
 */
import { sha256Hex } from '../bytes.ts';
import { headOf, TAILS, tailOf } from '../numbers/number.ts';
import { fail, ok, type Result } from '../result.ts';
import type { ListKeys } from '../set/keys.ts';
import { LayoutError } from '../set/number-set.ts';
import { RangeTable } from '../set/range-table.ts';
import { unseal } from '../set/seal.ts';
import { Shard } from '../set/shard.ts';
import { SourceTable } from '../set/source-table.ts';
import { checksum } from '../set/xxhash.ts';
import { type Blob, blobsOf, type Manifest } from './manifest.ts';

export type BlobProblem = 'BLOB_DAMAGED';

export class Release {
  readonly manifest: Manifest;
  readonly keys: ListKeys;
  readonly #starts: Float64Array;
  /** Place of each shard by its key. */
  readonly #index: ReadonlyMap<string, number>;
  readonly #shards: (Shard | null)[];
  #ranges: RangeTable | null = null;
  #sources: SourceTable | null = null;
  #complete = false;

  constructor(manifest: Manifest, keys: ListKeys) {
    this.manifest = manifest;
    this.keys = keys;
    this.#starts = Float64Array.from(manifest.shards, (shard) => shard.start);
    this.#index = new Map(manifest.shards.map(({ key }, index) => [key, index]));
    this.#shards = manifest.shards.map(() => null);
    this.#count();
  }

  #count(): void {
    this.#complete = blobsOf(this.manifest).every((blob) => this.has(blob));
  }

  /** Where a number's exact entries are. @returns index of the shard, -1 if the release lists no numbers */
  shardIndexOf(head: number, permutedTail: number): number {
    const key = head * TAILS + permutedTail;
    const starts = this.#starts;
    let at = 0;
    // Without branches, since where a permuted tail lies is a toss-up at each step: less than half the time.
    for (let count = starts.length; count > 1; ) {
      const half = count >>> 1;
      at += half & -Number(starts[at + half]! <= key);
      count -= half;
    }
    return starts.length > 0 && starts[0]! <= key ? at : -1;
  }

  shard(index: number): Shard | null {
    return this.#shards[index] ?? null;
  }

  /** The KV value that holds a number's exact entries, or null if the release lists no numbers. */
  blobFor(n: number): Blob | null {
    const index = this.shardIndexOf(headOf(n), this.keys.permutation.permute(tailOf(n)));
    return this.manifest.shards[index] ?? null;
  }

  /** The range table; null while it is not loaded. Not to be asked for where the manifest has none. */
  get ranges(): RangeTable | null {
    return this.#ranges;
  }

  get sources(): SourceTable | null {
    return this.#sources;
  }

  /** Whether every value of the release is loaded: then nothing has to be looked for. */
  get complete(): boolean {
    return this.#complete;
  }

  has(blob: Blob): boolean {
    if (blob.key === this.manifest.ranges?.key) return this.#ranges !== null;
    if (blob.key === this.manifest.sources?.key) return this.#sources !== null;
    return (this.#shards[this.#indexOf(blob)] ?? null) !== null;
  }

  #indexOf(blob: Blob): number {
    return this.#index.get(blob.key) ?? -1;
  }

  /**
   * Take in the bytes of one KV value: their size, checksum and structure are checked first.
   * The bytes are kept, not copied; they must start on a multiple of 8.
   */
  async install(blob: Blob, bytes: Uint8Array<ArrayBuffer>): Promise<Result<null, BlobProblem>> {
    if (bytes.length !== blob.bytes || checksum(bytes) !== blob.checksum) {
      return fail('BLOB_DAMAGED', `${blob.key}: size or checksum differs from the manifest`);
    }
    // The checksum finds accidents; who writes KV can make another value with the same one.
    if ((await sha256Hex(bytes)) !== blob.sha256) {
      return fail('BLOB_DAMAGED', `${blob.key}: digest differs from the manifest`);
    }
    const isRanges = blob.key === this.manifest.ranges?.key;
    const isSources = blob.key === this.manifest.sources?.key;
    if (!isRanges && !isSources && this.#indexOf(blob) < 0) {
      return fail('BLOB_DAMAGED', `${blob.key}: not a value of this release`);
    }
    try {
      if (isRanges || isSources) {
        const content = await unseal(bytes, this.keys);
        if (content === null) return fail('BLOB_DAMAGED', `${blob.key}: the seal is broken`);
        if (isRanges) this.#ranges = new RangeTable(content);
        else this.#sources = new SourceTable(content);
      } else {
        this.#shards[this.#indexOf(blob)] = new Shard(bytes);
      }
    } catch (error) {
      if (error instanceof LayoutError) return fail('BLOB_DAMAGED', `${blob.key}: ${error.message}`);
      throw error;
    }
    this.#count();
    return ok(null);
  }

  /** Take over what an earlier release already holds of this one, so that a swap loads only what changed. */
  adopt(earlier: Release): void {
    const held = new Map(
      earlier.manifest.shards.map((shard, index) => [shard.key, earlier.#shards[index] ?? null]),
    );
    this.manifest.shards.forEach(({ key }, index) => {
      this.#shards[index] ??= held.get(key) ?? null;
    });
    if (earlier.manifest.ranges?.key === this.manifest.ranges?.key) this.#ranges ??= earlier.#ranges;
    if (earlier.manifest.sources?.key === this.manifest.sources?.key) this.#sources ??= earlier.#sources;
    this.#count();
  }
}
