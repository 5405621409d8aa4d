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
import { RegisteredTable } from '../set/registered-table.ts';
import { unseal } from '../set/seal.ts';
import { Shard } from '../set/shard.ts';
import { SourceTable } from '../set/source-table.ts';
import { checksum } from '../set/xxhash.ts';
import type { Subject } from '../verdict.ts';
import { type Blob, blobsOf, FOLDED_LIST_PREFIX, type ListInfo, type Manifest } from './manifest.ts';
import { RegisteredSenders } from './registered-senders.ts';
import { ShardMemory, type Slot } from './shard-memory.ts';
import { ShardSlices } from './shard-slices.ts';

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
  /** The lists for each subject with undated numbers or ranges. A number without dated entries needs only these. */
  readonly undatedBySubject: Readonly<Record<Subject, readonly SubjectList[]>>;
  /** Null if no registrations were built in. */
  readonly registrations: RegisteredSenders | null;
  readonly #numbers: ShardSlices;
  /** The slot of each shard by its key. */
  readonly #slots: ReadonlyMap<string, Slot>;
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
    const undated = (subject: Subject): SubjectList[] =>
      on(subject).filter(({ info }) => info.numbers > 0 || info.ranges > 0);
    this.undatedBySubject = { from: undated('from'), to: undated('to') };
    const { registrations } = manifest;
    this.registrations =
      registrations === undefined ? null : new RegisteredSenders(registrations, keys, memory);
    this.#numbers = new ShardSlices(manifest.shards, memory);
    const slots = [...this.#numbers.slots, ...(this.registrations?.slices.slots ?? [])];
    this.#slots = new Map(slots.map((slot) => [slot.key, slot]));
  }

  /** Finds the shard with a number's exact entries. @returns its index, -1 if the release lists no numbers */
  shardIndexOf(prefix: number, permutedSuffix: number): number {
    return this.#numbers.indexOf(prefix, permutedSuffix);
  }

  shard(index: number): Shard | null {
    return this.#numbers.shard(index);
  }

  /** The KV value with a number's exact entries; null if the release lists no numbers. */
  blobFor(n: number): Blob | null {
    return this.#numbers.blobOf(prefixOf(n) * SUFFIX_COUNT + this.keys.permutation.permute(suffixOf(n)));
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
    const { registrations } = this;
    if (blob.key === registrations?.info.table.key) return registrations.table !== null;
    return (this.#slots.get(blob.key)?.shard ?? null) !== null;
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
    return this.#slots.has(blob.key) ? blob.bytes : 0;
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
    return blobs.map(({ key }) => this.#slots.get(key)).filter((slot) => slot !== undefined);
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
    try {
      const problem = await this.#open(blob, bytes);
      if (problem !== null) return fail('BLOB_DAMAGED', `${blob.key}: ${problem}`);
    } catch (error) {
      if (error instanceof LayoutError) return fail('BLOB_DAMAGED', `${blob.key}: ${error.message}`);
      throw error;
    }
    this.#verified.add(blob.key);
    this.#countedAt = -1;
    return ok(null);
  }

  /** Installs a value whose bytes match the manifest. @returns the problem with it, or null @throws LayoutError */
  async #open({ key }: Blob, bytes: Uint8Array<ArrayBuffer>): Promise<string | null> {
    const { registrations } = this;
    const slot = this.#slots.get(key);
    if (slot !== undefined) {
      const shard = new Shard(bytes);
      const isOfPairs = registrations?.slices.slots.includes(slot) === true;
      if (shard.hasPairs !== isOfPairs) return 'is a shard of another kind';
      this.#memory.hold(slot, shard);
      return null;
    }
    const { ranges, sources } = this.manifest;
    const isTable = [ranges?.key, sources?.key, registrations?.info.table.key].includes(key);
    if (!isTable) return 'not a value of this release';
    const content = await unseal(bytes, this.keys);
    if (content === null) return 'the seal is broken';
    if (key === ranges?.key) this.#ranges = new RangeTable(content);
    else if (key === sources?.key) this.#sources = new SourceTable(content);
    else registrations!.table = new RegisteredTable(content, this.keys.sourceSeed);
    return null;
  }

  /** Takes over the values that an earlier release already holds, so that a swap loads only the changes. */
  adopt(earlier: Release): void {
    for (const slot of this.#slots.values()) {
      const held = earlier.#slots.get(slot.key)?.shard ?? null;
      if (held !== null) this.#memory.hold(slot, held);
    }
    const [own, before] = [this.registrations, earlier.registrations];
    if (own !== null && own.info.table.key === before?.info.table.key) own.table ??= before.table;
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
