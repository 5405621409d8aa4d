/**
 * A release in memory: its manifest, and as much of it as is loaded.
 * Immutable but for loading: a shard is there or absent, as the memory that holds it has room. It answers
 * for one list at a time and keeps "not listed" apart from "not loaded".
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
import type { Subject } from '../verdict.ts';
import { type Blob, blobsOf, FOLDED_LIST_PREFIX, type ListInfo, type Manifest } from './manifest.ts';
import { ShardMemory, type Slot } from './shard-memory.ts';

export type BlobProblem = 'BLOB_DAMAGED';

/** A list as a look-up needs it. */
export interface SpeakingList {
  /** Its place in the manifest. */
  readonly list: number;
  readonly info: ListInfo;
  /** Whether it was made of live entries: then it says nothing where a newer one decides. */
  readonly isFolded: boolean;
}

export class Release {
  readonly manifest: Manifest;
  readonly keys: ListKeys;
  /** The lists that have a say on a subject, in the order of the manifest. */
  readonly speaking: Readonly<Record<Subject, readonly SpeakingList[]>>;
  readonly #starts: Float64Array;
  /** Place of each shard by its key. */
  readonly #index: ReadonlyMap<string, number>;
  readonly #slots: readonly Slot[];
  readonly #memory: ShardMemory;
  /** Keys of the values that were found whole, though their shards may have gone since. */
  readonly #verified = new Set<string>();
  #ranges: RangeTable | null = null;
  #sources: SourceTable | null = null;
  #complete = false;
  /** `changes` of the memory when `#complete` was counted. */
  #countedAt = -1;

  /** @param memory what holds the shards; releases that have the same one share them */
  constructor(manifest: Manifest, keys: ListKeys, memory = new ShardMemory()) {
    this.manifest = manifest;
    this.keys = keys;
    this.#memory = memory;
    const lists = manifest.lists.map((info, list) => {
      return { list, info, isFolded: info.name.startsWith(FOLDED_LIST_PREFIX) };
    });
    const on = (subject: Subject): SpeakingList[] =>
      lists.filter(({ info }) => info.subjects.includes(subject));
    this.speaking = { from: on('from'), to: on('to') };
    this.#starts = Float64Array.from(manifest.shards, (shard) => shard.start);
    this.#index = new Map(manifest.shards.map(({ key }, index) => [key, index]));
    this.#slots = manifest.shards.map(({ key, bytes }) => memory.slot(key, bytes));
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
    return this.#slots[index]?.shard ?? null;
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

  /** Whether a value was found whole, also if its shard has gone since. */
  verified(blob: Blob): boolean {
    if (this.has(blob)) this.#verified.add(blob.key);
    return this.#verified.has(blob.key);
  }

  /** The missing values, as many of them as there is room for beside what is in use. */
  loadable(): Blob[] {
    const missing = blobsOf(this.manifest).filter((blob) => !this.has(blob));
    const shards = missing.filter((blob) => this.bytesOf(blob) > 0);
    return [...this.#memory.fitting(shards), ...missing.filter((blob) => this.bytesOf(blob) === 0)];
  }

  /** Bytes that a value takes of the room for shards; tables take none, and are always kept. */
  bytesOf(blob: Blob): number {
    return this.#indexOf(blob) < 0 ? 0 : blob.bytes;
  }

  /** Most bytes of shards that are held at once, of all releases. */
  get bytesMax(): number {
    return this.#memory.bytesMax;
  }

  /** Keep these values, once they are loaded, until `unpin`. @returns whether there is room for them */
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
   * Take in the bytes of one KV value: their size, checksum and structure are checked first.
   * The bytes are kept, not copied; they must start on a multiple of 8. A shard is not kept where there is no
   * room for it, unless it is pinned.
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

  /** Take over what an earlier release already holds of this one, so that a swap loads only what changed. */
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
