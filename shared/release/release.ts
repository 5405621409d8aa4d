/**
 * A release in memory: its manifest and the values loaded so far.
 * Immutable except for loading: each shard is present or absent, as memory permits. Look-ups are per list and
 * distinguish "not listed" from "not loaded".
 */
import { sha256Hex } from '../bytes.ts';
import { prefixOf, SUFFIX_COUNT, suffixOf } from '../numbers/number.ts';
import { type Failure, fail, ok, type Result } from '../result.ts';
import type { ListKeys } from '../set/keys.ts';
import { LayoutError } from '../set/number-set.ts';
import { RangeTable } from '../set/range-table.ts';
import { unseal } from '../set/seal.ts';
import { Shard } from '../set/shard.ts';
import { SourceTable } from '../set/source-table.ts';
import { checksum } from '../set/xxhash.ts';
import type { Subject } from '../verdict.ts';
import { type Blob, blobsOf, FOLDED_LIST_PREFIX, type ListInfo, type Manifest } from './manifest.ts';
import { ShardMemory, type Slot } from './shard-memory.ts';

export type BlobProblem = 'BLOB_DAMAGED';

/** A list with what a look-up needs. */
export interface SubjectList {
  /** Index in the manifest. */
  readonly list: number;
  readonly info: ListInfo;
  /** Whether the list was made from live entries. If so, it is skipped when a newer live entry decides. */
  readonly isFolded: boolean;
}

export class Release {
  readonly manifest: Manifest;
  readonly keys: ListKeys;
  /** The lists for each subject, in manifest order. */
  readonly listsBySubject: Readonly<Record<Subject, readonly SubjectList[]>>;
  readonly #starts: Float64Array;
  /** Index of each shard by its key. */
  readonly #index: ReadonlyMap<string, number>;
  readonly #slots: readonly Slot[];
  readonly #memory: ShardMemory;
  /** Keys of values that passed verification, even if their shards were evicted since. */
  readonly #verified = new Set<string>();
  #ranges: RangeTable | null = null;
  #sources: SourceTable | null = null;
  #complete = false;
  /** `changes` of the memory when `#complete` was computed. */
  #countedAt = -1;

  /** @param memory holds the shards; releases with the same memory share them */
  constructor(manifest: Manifest, keys: ListKeys, memory = new ShardMemory()) {
    this.manifest = manifest;
    this.keys = keys;
    this.#memory = memory;
    const lists = manifest.lists.map((info, list) => {
      return { list, info, isFolded: info.name.startsWith(FOLDED_LIST_PREFIX) };
    });
    const on = (subject: Subject): SubjectList[] =>
      lists.filter(({ info }) => info.subjects.includes(subject));
    this.listsBySubject = { from: on('from'), to: on('to') };
    this.#starts = Float64Array.from(manifest.shards, (shard) => shard.start);
    this.#index = new Map(manifest.shards.map(({ key }, index) => [key, index]));
    this.#slots = manifest.shards.map(({ key, bytes }) => memory.slot(key, bytes));
  }

  /** Finds the shard with a number's exact entries. @returns its index, -1 if the release lists no numbers */
  shardIndexOf(prefix: number, permutedSuffix: number): number {
    const key = prefix * SUFFIX_COUNT + permutedSuffix;
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

  shard(index: number): Shard | null {
    return this.#slots[index]?.shard ?? null;
  }

  /** The KV value with a number's exact entries; null if the release lists no numbers. */
  blobFor(n: number): Blob | null {
    const index = this.shardIndexOf(prefixOf(n), this.keys.permutation.permute(suffixOf(n)));
    return this.manifest.shards[index] ?? null;
  }

  /** The range table; null while it is not loaded. Do not use it if the manifest has none. */
  get ranges(): RangeTable | null {
    return this.#ranges;
  }

  get sources(): SourceTable | null {
    return this.#sources;
  }

  /** Whether every value of the release is loaded. */
  get complete(): boolean {
    const { changes } = this.#memory;
    if (this.#countedAt !== changes) {
      this.#complete = blobsOf(this.manifest).every((blob) => this.has(blob));
      this.#countedAt = changes;
    }
    return this.#complete;
  }

  has(blob: Blob): boolean {
    if (blob.key === this.manifest.ranges?.key) return this.#ranges !== null;
    if (blob.key === this.manifest.sources?.key) return this.#sources !== null;
    return this.shard(this.#indexOf(blob)) !== null;
  }

  /** Whether a value passed verification, even if its shard was evicted since. */
  verified(blob: Blob): boolean {
    if (this.has(blob)) this.#verified.add(blob.key);
    return this.#verified.has(blob.key);
  }

  /** The missing values that fit beside those in use. */
  loadable(): Blob[] {
    const missing = blobsOf(this.manifest).filter((blob) => !this.has(blob));
    return this.#memory.fitting(missing, (blob) => this.bytesOf(blob));
  }

  /** Bytes that a value takes from the shard budget. Tables take none and are never evicted. */
  bytesOf(blob: Blob): number {
    return this.#indexOf(blob) < 0 ? 0 : blob.bytes;
  }

  /** Shard budget in bytes, over all releases. */
  get bytesMax(): number {
    return this.#memory.bytesMax;
  }

  /** Keeps these values once loaded, until `unpin`. @returns whether there is room for them */
  pin(blobs: readonly Blob[]): boolean {
    return this.#memory.pin(this.#slotsOf(blobs));
  }

  unpin(blobs: readonly Blob[]): void {
    this.#memory.unpin(this.#slotsOf(blobs));
  }

  #slotsOf(blobs: readonly Blob[]): Slot[] {
    return blobs.map((blob) => this.#slots[this.#indexOf(blob)]).filter((slot) => slot !== undefined);
  }

  #indexOf(blob: Blob): number {
    return this.#index.get(blob.key) ?? -1;
  }

  /**
   * Installs the bytes of one KV value after it checks their size, checksum, digest and structure. The bytes
   * are kept, not copied, and must be aligned to 8 bytes. A shard without room is dropped unless it is
   * pinned.
   */
  async install(blob: Blob, bytes: Uint8Array<ArrayBuffer>): Promise<Result<null, Failure<BlobProblem>>> {
    if (bytes.length !== blob.bytes || checksum(bytes) !== blob.checksum) {
      return fail('BLOB_DAMAGED', `${blob.key}: size or checksum differs from the manifest`);
    }
    // The checksum detects accidents. An attacker who can write KV can forge a value with the same checksum.
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
        this.#memory.hold(this.#slots[this.#indexOf(blob)]!, new Shard(bytes));
      }
    } catch (error) {
      if (error instanceof LayoutError) return fail('BLOB_DAMAGED', `${blob.key}: ${error.message}`);
      throw error;
    }
    this.#verified.add(blob.key);
    this.#countedAt = -1;
    return ok(null);
  }

  /** Takes over the values that an earlier release already holds, so that a swap loads only the changes. */
  adopt(earlier: Release): void {
    for (const slot of this.#slots) {
      const held = earlier.shard(earlier.#index.get(slot.key) ?? -1);
      if (held !== null) this.#memory.hold(slot, held);
    }
    if (earlier.manifest.ranges?.key === this.manifest.ranges?.key) this.#ranges ??= earlier.#ranges;
    if (earlier.manifest.sources?.key === this.manifest.sources?.key) this.#sources ??= earlier.#sources;
    this.#countedAt = -1;
  }
}

/** Loads the bytes of a value, aligned to 8 bytes. Rejects if they are unavailable. */
export type Load = (blob: Blob) => Promise<Uint8Array<ArrayBuffer>>;

/** A release with only this value installed, to process a release without holding all of it. */
export async function openValue(
  manifest: Manifest,
  blob: Blob,
  bytes: Uint8Array<ArrayBuffer>,
  keys: ListKeys,
): Promise<Result<Release, Failure<BlobProblem>>> {
  const release = new Release(manifest, keys);
  const installed = await release.install(blob, bytes);
  return installed.ok ? ok(release) : installed;
}
