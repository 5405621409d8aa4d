/** Reads back the live entries that a release has folded in. The live layer may have dropped them since. */
import { ALWAYS, type Dates } from '../../shared/build/list-entries.ts';
import { prefixOf, SUFFIX_COUNT, suffixOf } from '../../shared/numbers/number.ts';
import type { Blob, Manifest } from '../../shared/release/manifest.ts';
import { FOLDED_LIST_PREFIX } from '../../shared/release/manifest.ts';
import { type Load, openValue, type Release } from '../../shared/release/release.ts';
import type { ListKeys } from '../../shared/set/keys.ts';
import { unwrap } from '../failure.ts';
import { type FoldedEntry, type FoldedList, fingerprintOf } from './fold.ts';

/** The folded lists of a release with all their entries. Loads no value if the lists are empty. */
export async function foldedIn(manifest: Manifest, keys: ListKeys, load: Load): Promise<FoldedList[]> {
  const folded = manifest.lists
    .map((info, list) => ({ info, list, entries: [] as FoldedEntry[] }))
    .filter(({ info }) => info.name.startsWith(FOLDED_LIST_PREFIX));
  const open = async (blob: Blob): Promise<Release> =>
    unwrap(await openValue(manifest, blob, await load(blob), keys));
  if (folded.some(({ info }) => info.numbers + info.dated > 0)) {
    for (const [index, blob] of manifest.shards.entries()) {
      const shard = (await open(blob)).shard(index)!;
      const add = ({ entries }: { entries: FoldedEntry[] }, key: number, { since, until }: Dates): void => {
        const n = prefixOf(key) * SUFFIX_COUNT + keys.permutation.invert(suffixOf(key));
        entries.push({ what: { kind: 'number', n }, since, until });
      };
      for (const one of folded) {
        for (const batch of shard.keys(one.list)) for (const key of batch) add(one, key, ALWAYS);
        for (const row of shard.dated(one.list)) add(one, row.key, row);
      }
    }
  }
  if (manifest.sources !== null && folded.some(({ info }) => info.sources > 0)) {
    const { sources } = await open(manifest.sources);
    for (const { list, entries } of folded) {
      for (const { fingerprint, since, until } of sources!.rows(list)) {
        entries.push({ what: fingerprintOf(fingerprint), since, until });
      }
    }
  }
  return folded.map(({ info: { name, reason, effect, subjects, authority }, entries }) => ({
    ...{ name, reason, effect, subjects, authority, entries },
  }));
}
