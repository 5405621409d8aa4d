/**
 * Finds which lists of a release have an entry for the targets of a live change. A live change must not lift or
 * replace entries of another authority, and released ones are only in KV. Reads only the values that the lists
 * in question need; a release without such lists costs nothing.
 */
import { READS_AT_ONCE } from '../../shared/limits/edge.ts';
import type { ChangeOp, LiveKey } from '../../shared/live/entry.ts';
import { SUFFIX_COUNT } from '../../shared/numbers/number.ts';
import {
  type Blob,
  FOLDED_LIST_PREFIX,
  type ListInfo,
  type Manifest,
} from '../../shared/release/manifest.ts';
import { openValue, Release } from '../../shared/release/release.ts';
import { ok } from '../../shared/result.ts';
import type { ListKeys } from '../../shared/set/keys.ts';
import type { Subject } from '../../shared/verdict.ts';
import { readImmutable } from '../storage/kv-values.ts';
import type { ChangeResult } from './change-request.ts';
import type { Target } from './live-row.ts';
import { incomplete } from './promotion.ts';

/** A list in question. */
export interface ForeignList {
  /** Index in the manifest. */
  readonly list: number;
  readonly info: ListInfo;
  /** Whether it was made from live entries, which newer live entries replace. */
  readonly isFolded: boolean;
}

/** For targets that are listed, by their index: the lists. */
export type Listings = ReadonlyMap<number, readonly ForeignList[]>;

/**
 * The lists that a live change can affect. An unblock overrides every list that blocks or labels. Any change
 * replaces the folded entries of its number.
 */
export function affectedLists(
  { lists }: Manifest,
  op: ChangeOp,
  subjects: readonly Subject[],
  isForeign: (authority: string) => boolean,
): ForeignList[] {
  return lists
    .map((info, list) => ({ list, info, isFolded: info.name.startsWith(FOLDED_LIST_PREFIX) }))
    .filter(({ info: { authority, effect, subjects: listed }, isFolded }) => {
      const isOverridden = op === 'unblock' && (effect === 'block' || effect === 'label');
      return (
        isForeign(authority) && listed.some((each) => subjects.includes(each)) && (isFolded || isOverridden)
      );
    });
}

/** A target with the keys under which a list can have it. */
interface Place extends LiveKey {
  readonly index: number;
}

export class ForeignLists {
  readonly #keys: ListKeys;
  readonly #kv: KVNamespace;

  constructor(keys: ListKeys, kv: KVNamespace) {
    this.#keys = keys;
    this.#kv = kv;
  }

  /** Entries count whatever their dates: one may come into force later. */
  async find(
    manifest: Manifest,
    lists: readonly ForeignList[],
    targets: readonly Target[],
  ): Promise<ChangeResult<Listings>> {
    const found = new Map<number, ForeignList[]>();
    const look = (places: readonly Place[], has: (place: Place, list: number) => boolean): void => {
      for (const place of places) {
        for (const list of lists) {
          if (!has(place, list.list)) continue;
          found.set(place.index, [...(found.get(place.index) ?? []), list]);
        }
      }
    };
    const places = targets.flatMap((target, index) => [
      { ...target, index },
      ...(target.alike === null ? [] : [{ ...target.alike, index }]),
    ]);
    const numbers = places.filter(({ kind }) => kind === 'number');
    const sources = places.filter(({ kind }) => kind === 'source');
    const wants = (kind: 'numbers' | 'dated' | 'ranges' | 'sources'): boolean =>
      lists.some(({ info }) => info[kind] > 0);
    const reads: { readonly blob: Blob; readonly use: (release: Release) => void }[] = [];
    if (wants('numbers') || wants('dated')) {
      for (const [shard, inShard] of this.#byShard(manifest, numbers)) {
        reads.push({
          blob: manifest.shards[shard]!,
          use: (release) =>
            look(inShard, ({ high, low }, list) => {
              const image = this.#keys.permutation.permute(low);
              return release.shard(shard)!.partOf(high, image).has(list, high, image);
            }),
        });
      }
    }
    if (manifest.ranges !== null && wants('ranges') && numbers.length > 0) {
      const use = ({ ranges }: Release): void =>
        look(numbers, ({ high, low }, list) => ranges!.has(list, high * SUFFIX_COUNT + low));
      reads.push({ blob: manifest.ranges, use });
    }
    if (manifest.sources !== null && wants('sources') && sources.length > 0) {
      const use = ({ sources: table }: Release): void =>
        look(sources, ({ high, low }, list) => table!.has(list, high, low));
      reads.push({ blob: manifest.sources, use });
    }
    for (let first = 0; first < reads.length; first += READS_AT_ONCE) {
      const some = reads.slice(first, first + READS_AT_ONCE);
      const opened = await Promise.all(some.map(({ blob }) => this.#open(manifest, blob)));
      for (const [at, release] of opened.entries()) {
        const { blob, use } = some[at]!;
        if (release === null) {
          const message = 'a value is not in KV that shows whether another authority lists these';
          return incomplete(message, [blob.key]);
        }
        use(release);
      }
    }
    return ok(found);
  }

  /** The places by the index of their shard. */
  #byShard(manifest: Manifest, places: readonly Place[]): ReadonlyMap<number, Place[]> {
    const release = new Release(manifest, this.#keys);
    const byShard = new Map<number, Place[]>();
    for (const place of places) {
      const shard = release.shardIndexOf(place.high, this.#keys.permutation.permute(place.low));
      if (shard < 0) continue;
      const others = byShard.get(shard);
      if (others === undefined) byShard.set(shard, [place]);
      else others.push(place);
    }
    return byShard;
  }

  /** A release with this value alone, or null if KV does not have it intact. */
  async #open(manifest: Manifest, blob: Blob): Promise<Release | null> {
    const bytes = await readImmutable(blob.key, blob.bytes, this.#kv).catch(() => null);
    if (bytes === null) return null;
    const opened = await openValue(manifest, blob, bytes, this.#keys);
    return opened.ok ? opened.value : null;
  }
}
