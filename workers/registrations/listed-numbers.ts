/**
 * Finds which numbers a release lists with one code, such as NUMBER_TERMINATED. Reads only the values that can contain
 * them, one at a time, so it needs little memory however many numbers are looked up.
 */
import { prefixOf, suffixOf } from '../../shared/numbers/number.ts';
import type { Blob, Manifest } from '../../shared/release/manifest.ts';
import { openValue, Release } from '../../shared/release/release.ts';
import type { ListKeys } from '../../shared/set/keys.ts';
import { NOT_LISTED } from '../../shared/set/number-set.ts';
import type { Code } from '../../shared/verdict.ts';
import { readImmutable } from '../storage/kv-values.ts';

export class ListedNumbers {
  readonly #manifest: Manifest;
  readonly #keys: ListKeys;
  readonly #kv: KVNamespace;
  /** Indexes in the manifest. */
  readonly #lists: readonly number[];

  constructor(manifest: Manifest, code: Code, keys: ListKeys, kv: KVNamespace) {
    this.#manifest = manifest;
    this.#keys = keys;
    this.#kv = kv;
    this.#lists = manifest.lists.flatMap(({ reason, effect, subjects }, list) =>
      reason === code && effect === 'block' && subjects.includes('from') ? [list] : [],
    );
  }

  /**
   * The given numbers that a list has in force now; null if KV lacks a value.
   * @param now seconds since 1970
   */
  async find(numbers: readonly number[], now: number): Promise<ReadonlySet<number> | null> {
    const found = new Set<number>();
    const { ranges, lists, shards } = this.#manifest;
    const inRanges = this.#lists.filter((list) => lists[list]!.ranges > 0);
    const inShards = this.#lists.filter((list) => lists[list]!.numbers + lists[list]!.dated > 0);
    if (ranges !== null && inRanges.length > 0 && numbers.length > 0) {
      const release = await this.#open(ranges);
      if (release === null) return null;
      for (const n of numbers)
        if (inRanges.some((list) => release.ranges!.until(list, n, now) !== NOT_LISTED)) found.add(n);
    }
    if (inShards.length === 0) return found;
    for (const [shard, places] of this.#byShard(numbers)) {
      const release = await this.#open(shards[shard]!);
      if (release === null) return null;
      for (const { n, image } of places) {
        const part = release.shard(shard)!.partOf(prefixOf(n), image);
        if (inShards.some((list) => part.until(list, prefixOf(n), image, now) !== NOT_LISTED)) found.add(n);
      }
    }
    return found;
  }

  /** The numbers with their permuted suffixes, by the index of their shard. */
  #byShard(numbers: readonly number[]): Map<number, { readonly n: number; readonly image: number }[]> {
    const release = new Release(this.#manifest, this.#keys);
    const { permutation } = this.#keys;
    const places = numbers.map((n) => ({ n, image: permutation.permute(suffixOf(n)) }));
    const byShard = Map.groupBy(places, ({ n, image }) => release.shardIndexOf(prefixOf(n), image));
    byShard.delete(-1);
    return byShard;
  }

  /** A release with this value alone. */
  async #open(blob: Blob): Promise<Release | null> {
    const bytes = await readImmutable(blob.key, blob.bytes, this.#kv).catch(() => null);
    if (bytes === null) return null;
    const opened = await openValue(this.#manifest, blob, bytes, this.#keys);
    return opened.ok ? opened.value : null;
  }
}
