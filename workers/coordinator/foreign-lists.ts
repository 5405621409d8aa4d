/**
 * Finds which lists of a release have an entry for the targets of a live change. A live change must not lift or
 * replace entries of another authority, and entries of a release are only in KV. Reads only the values that these
 * lists need. A release without such lists costs nothing.
 */
import { READS_AT_ONCE } from '../../shared/limits/edge.ts';
import { type ChangeOp, fingerprintKey } from '../../shared/live/entry.ts';
import { SUFFIX_COUNT } from '../../shared/numbers/number.ts';
import { SYSTEM_AUTHORITY } from '../../shared/organisations.ts';
import {
  type Blob,
  FOLDED_LIST_PREFIX,
  type ListInfo,
  type Manifest,
} from '../../shared/release/manifest.ts';
import { openValue, Release } from '../../shared/release/release.ts';
import { ok } from '../../shared/result.ts';
import type { ListKeys } from '../../shared/set/keys.ts';
import { rekeyFingerprint } from '../../shared/sources/source.ts';
import type { Subject } from '../../shared/verdict.ts';
import { readImmutable } from '../storage/kv-values.ts';
import type { ActiveKeys } from './active-keys.ts';
import type { ChangeResult } from './change-request.ts';
import type { NamedKey, Target } from './live-row.ts';
import { incomplete, keyMissing } from './promotion.ts';

/** A list of another authority in a release. */
export interface ForeignList {
  /** Index in the manifest. */
  readonly list: number;
  readonly info: ListInfo;
  /** Whether the list was made from live entries. Newer live entries replace the entries of such a list. */
  readonly isFolded: boolean;
}

/** A list that contains a target. */
export interface Listing extends ForeignList {
  /** End of the entry in force now, in seconds since 1970 or FOREVER; NOT_LISTED if no entry is in force. */
  readonly until: number;
}

/** The lists that contain each target, by the index of the target. */
export type Listings = ReadonlyMap<number, readonly Listing[]>;

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

/**
 * The lists that decide whether a rule may block a sender: lists made from live entries of others, which the rule entry
 * would replace, and allow lists of others, which it must not contradict.
 */
export function listsAgainstRules({ lists }: Manifest): ForeignList[] {
  return lists
    .map((info, list) => ({ list, info, isFolded: info.name.startsWith(FOLDED_LIST_PREFIX) }))
    .filter(({ info: { authority, effect, subjects }, isFolded }) => {
      const isOther = authority !== SYSTEM_AUTHORITY;
      return isOther && subjects.includes('from') && (isFolded || effect === 'allow');
    });
}

/** A key under which a list can contain a target, with the index of the target. */
interface Place extends NamedKey {
  readonly index: number;
}

export class ForeignLists {
  readonly #keys: ActiveKeys;
  readonly #kv: KVNamespace;

  constructor(keys: ActiveKeys, kv: KVNamespace) {
    this.#keys = keys;
    this.#kv = kv;
  }

  /** Entries count whatever their dates, because an entry may come into force later. */
  async find(
    manifest: Manifest,
    lists: readonly ForeignList[],
    targets: readonly Target[],
  ): Promise<ChangeResult<Listings>> {
    const { current, ring } = this.#keys;
    const keys = ring.of(manifest.keyId);
    if (keys === null) return keyMissing(manifest);
    const now = Math.floor(Date.now() / 1000);
    const found = new Map<number, Listing[]>();
    /** @param endOf returns null if the list does not have the place */
    const look = (places: readonly Place[], endOf: (place: Place, list: number) => number | null): void => {
      for (const place of places) {
        for (const list of lists) {
          const until = endOf(place, list.list);
          if (until === null) continue;
          found.set(place.index, [...(found.get(place.index) ?? []), { ...list, until }]);
        }
      }
    };
    const places = targets.flatMap((target, index) => [
      { ...target, index },
      ...(target.alike === null ? [] : [{ ...target.alike, source: target.source, index }]),
    ]);
    const numbers = places.filter(({ kind }) => kind === 'number');
    const sources = places
      .filter(({ kind }) => kind === 'source')
      .map((place) => under(keys, place, current));
    const wants = (kind: 'numbers' | 'dated' | 'ranges' | 'sources'): boolean =>
      lists.some(({ info }) => info[kind] > 0);
    const reads: { readonly blob: Blob; readonly use: (release: Release) => void }[] = [];
    if (wants('numbers') || wants('dated')) {
      for (const [shard, inShard] of byShard(manifest, numbers, keys)) {
        reads.push({
          blob: manifest.shards[shard]!,
          use: (release) =>
            look(inShard, ({ high, low }, list) => {
              const image = keys.permutation.permute(low);
              const part = release.shard(shard)!.partOf(high, image);
              return part.has(list, high, image) ? part.until(list, high, image, now) : null;
            }),
        });
      }
    }
    if (manifest.ranges !== null && wants('ranges') && numbers.length > 0) {
      const use = ({ ranges }: Release): void =>
        look(numbers, ({ high, low }, list) => {
          const n = high * SUFFIX_COUNT + low;
          return ranges!.has(list, n) ? ranges!.until(list, n, now) : null;
        });
      reads.push({ blob: manifest.ranges, use });
    }
    if (manifest.sources !== null && wants('sources') && sources.length > 0) {
      const use = ({ sources: table }: Release): void =>
        look(sources, (place, list) => {
          const print = (BigInt(place.high) << 32n) | BigInt(place.low);
          return table!.has(list, place.high, place.low) ? table!.until(list, print, now) : null;
        });
      reads.push({ blob: manifest.sources, use });
    }
    for (let first = 0; first < reads.length; first += READS_AT_ONCE) {
      const some = reads.slice(first, first + READS_AT_ONCE);
      const opened = await Promise.all(some.map(({ blob }) => this.#open(manifest, blob, keys)));
      for (const [at, release] of opened.entries()) {
        const { blob, use } = some[at]!;
        if (release === null) {
          const message = 'a value that shows whether another authority lists these is not in KV';
          return incomplete(message, [blob.key]);
        }
        use(release);
      }
    }
    return ok(found);
  }

  /** A release with this value alone, or null if KV does not have it intact. */
  async #open(manifest: Manifest, blob: Blob, keys: ListKeys): Promise<Release | null> {
    const bytes = await readImmutable(blob.key, blob.bytes, this.#kv).catch(() => null);
    if (bytes === null) return null;
    const opened = await openValue(manifest, blob, bytes, keys);
    return opened.ok ? opened.value : null;
  }
}

/** The places by the index of their shard. */
function byShard(manifest: Manifest, places: readonly Place[], keys: ListKeys): ReadonlyMap<number, Place[]> {
  const release = new Release(manifest, keys);
  const found = new Map<number, Place[]>();
  for (const place of places) {
    const shard = release.shardIndexOf(place.high, keys.permutation.permute(place.low));
    if (shard < 0) continue;
    const others = found.get(shard);
    if (others === undefined) found.set(shard, [place]);
    else others.push(place);
  }
  return found;
}

/** The place of a source in a release with these keys. */
function under(keys: ListKeys, place: Place, current: ListKeys): Place {
  if (keys === current) return place;
  const print = (BigInt(place.high) << 32n) | BigInt(place.low);
  const rekeyed = rekeyFingerprint(print, place.source ?? '', current.sourceSeed, keys.sourceSeed);
  return rekeyed === null ? place : { ...place, ...fingerprintKey(rekeyed) };
}
