/**
 * The lists of the current release, as far as the feed needs them: some shards in memory, and the tables. Every
 * value is verified against the manifest, which comes from the coordinator. A value that cannot be read is a
 * failure. It never counts as "not listed".
 */
import { READS_AT_ONCE } from '../../shared/limits/edge.ts';
import { FEED_CALL_WAIT_MS, FEED_READS_MAX, FEED_SHARD_BYTES } from '../../shared/limits/feed.ts';
import { releaseKey } from '../../shared/release/kv-keys.ts';
import { type Blob, blobsOf, type Manifest } from '../../shared/release/manifest.ts';
import { Release } from '../../shared/release/release.ts';
import { ShardMemory } from '../../shared/release/shard-memory.ts';
import type { SignedText } from '../../shared/release/signed.ts';
import type { KeyRing } from '../../shared/set/key-ring.ts';
import type { LiveSource } from '../storage/feed-port.ts';
import { readImmutable } from '../storage/kv-values.ts';
import { within } from '../storage/single-flight.ts';
import { isNumber, numberOf } from './place-rows.ts';

/** Tests lower this limit. */
export const readLimits = { reads: FEED_READS_MAX };

export class ReleasedLists {
  readonly #source: () => LiveSource;
  readonly #kv: KVNamespace;
  readonly #ring: KeyRing;
  readonly #memory = new ShardMemory(FEED_SHARD_BYTES);
  #release: Release | null = null;
  /** Values that this invocation has read from KV. */
  #reads = 0;

  constructor(source: () => LiveSource, kv: KVNamespace, ring: KeyRing) {
    this.#source = source;
    this.#kv = kv;
    this.#ring = ring;
  }

  /** Whether this invocation may read more values. */
  get mayRead(): boolean {
    return this.#reads < readLimits.reads;
  }

  /** Resets the count of reads, because another invocation begins. */
  renew(): void {
    this.#reads = 0;
  }

  /**
   * Calls `use` for some of the parties at a time, with a release that has all values for them.
   * @param name of the release; null if there is none
   * @param placeOf the place of a party
   * @throws if a value cannot be read, or does not match the manifest
   */
  async with<Party>(
    name: string | null,
    parties: readonly Party[],
    placeOf: (party: Party) => string,
    use: (release: Release | null, some: readonly Party[]) => void,
  ): Promise<void> {
    if (name === null) {
      use(null, parties);
      return;
    }
    const release = await this.#open(name);
    const { ranges, sources } = release.manifest;
    const numbers = parties.filter((party) => isNumber(placeOf(party)));
    if (ranges !== null && numbers.length > 0) await this.#load(release, [ranges]);
    if (sources !== null && numbers.length < parties.length) await this.#load(release, [sources]);
    const groups = new Map<Blob | null, Party[]>();
    for (const party of parties) {
      const place = placeOf(party);
      const blob = isNumber(place) ? release.blobFor(numberOf(place)) : null;
      const group = groups.get(blob);
      if (group === undefined) groups.set(blob, [party]);
      else group.push(party);
    }
    const all = [...groups];
    for (let first = 0; first < all.length; first += READS_AT_ONCE) {
      const some = all.slice(first, first + READS_AT_ONCE);
      const blobs = some.flatMap(([blob]) => blob ?? []);
      release.pin(blobs);
      try {
        await this.#load(release, blobs);
        for (const [, group] of some) use(release, group);
      } finally {
        release.unpin(blobs);
      }
    }
  }

  async #open(name: string): Promise<Release> {
    if (this.#release?.manifest.release === name) return this.#release;
    const bytes = await within(Promise.resolve(this.#source().value(releaseKey(name))), FEED_CALL_WAIT_MS);
    if (bytes === null) throw new Error('the coordinator no longer has the release');
    const { signed } = JSON.parse(new TextDecoder().decode(bytes)) as SignedText;
    // The coordinator has verified its signature.
    const manifest = JSON.parse(signed) as Manifest;
    const keys = this.#ring.of(manifest.keyId);
    if (keys === null) throw new Error('LIST_KEY lacks the key of the release');
    const next = new Release(manifest, keys, this.#memory);
    if (this.#release !== null) next.adopt(this.#release);
    this.#memory.retireAllBut(blobsOf(manifest).map(({ key }) => key));
    this.#release = next;
    return next;
  }

  async #load(release: Release, blobs: readonly Blob[]): Promise<void> {
    const missing = blobs.filter((blob) => !release.has(blob));
    this.#reads += missing.length;
    const read = async (blob: Blob): Promise<void> => {
      const bytes = await within(readImmutable(blob.key, blob.bytes, this.#kv), FEED_CALL_WAIT_MS);
      if (bytes === null) throw new Error('KV lacks a value of the release');
      const installed = await release.install(blob, bytes);
      if (!installed.ok) throw new Error(installed.code);
    };
    await Promise.all(missing.map(read));
  }
}
