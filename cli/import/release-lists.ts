/** Reads back the entries of lists from the values of a release, to carry them over into the next one. */
import { ALWAYS, type Dates } from '../../shared/build/list-entries.ts';
import { prefixOf, SUFFIX_COUNT, suffixOf } from '../../shared/numbers/number.ts';
import { type Blob, FOLDED_LIST_PREFIX, type Manifest } from '../../shared/release/manifest.ts';
import { type Load, openValue, type Release } from '../../shared/release/release.ts';
import type { ListKeys } from '../../shared/set/keys.ts';
import type { RangeRow } from '../../shared/set/range-table.ts';
import type { SourceRow } from '../../shared/set/source-table.ts';
import { markOf } from '../../shared/verdict.ts';
import { unwrap } from '../failure.ts';
import { type FoldedEntry, type FoldedList, fingerprintOf } from './fold.ts';

/** Receives the entries of one list. */
export interface EntrySink {
  /** `ALWAYS` for an entry without dates. */
  addNumber(n: number, dates: Dates): void;
  addRange(range: RangeRow): void;
  addSource(source: SourceRow): void;
}

/** A release to read from. */
export interface ReadableRelease {
  readonly manifest: Manifest;
  readonly load: Load;
}

/**
 * Passes every entry of some lists to their sinks. Loads only values that have such entries.
 * @param sinks by the index of the list in the manifest
 */
export async function readLists(
  { manifest, load }: ReadableRelease,
  sinks: ReadonlyMap<number, EntrySink>,
  keys: ListKeys,
): Promise<void> {
  const have = (...kinds: readonly ('numbers' | 'dated' | 'ranges' | 'sources')[]): boolean =>
    [...sinks.keys()].some((list) => kinds.some((kind) => manifest.lists[list]![kind] > 0));
  const open = async (blob: Blob): Promise<Release> =>
    unwrap(await openValue(manifest, blob, await load(blob), keys));
  const numberOf = (key: number): number =>
    prefixOf(key) * SUFFIX_COUNT + keys.permutation.invert(suffixOf(key));
  if (have('numbers', 'dated')) {
    for (const [index, blob] of manifest.shards.entries()) {
      const shard = (await open(blob)).shard(index)!;
      for (const [list, sink] of sinks) {
        for (const batch of shard.keys(list)) for (const key of batch) sink.addNumber(numberOf(key), ALWAYS);
        for (const row of shard.dated(list)) sink.addNumber(numberOf(row.key), row);
      }
    }
  }
  if (manifest.ranges !== null && have('ranges')) {
    const { ranges } = await open(manifest.ranges);
    for (const [list, sink] of sinks) for (const row of ranges!.rows(list)) sink.addRange(row);
  }
  if (manifest.sources !== null && have('sources')) {
    const { sources } = await open(manifest.sources);
    for (const [list, sink] of sinks) for (const row of sources!.rows(list)) sink.addSource(row);
  }
}

/** The folded lists of a release with all their entries. The live layer may have dropped them since. */
export async function foldedIn(release: ReadableRelease, keys: ListKeys): Promise<FoldedList[]> {
  const { lists } = release.manifest;
  const folded = new Map<number, FoldedEntry[]>();
  for (const [list, { name }] of lists.entries())
    if (name.startsWith(FOLDED_LIST_PREFIX)) folded.set(list, []);
  const sinks = [...folded].map(([list, entries]) => [list, sinkFor(entries)] as const);
  await readLists(release, new Map(sinks), keys);
  return [...folded].map(([list, entries]) => {
    const { name, reason, effect, subjects, authority, ...info } = lists[list]!;
    return { name, reason, effect, subjects, authority, ...markOf(info), entries };
  });
}

function sinkFor(entries: FoldedEntry[]): EntrySink {
  return {
    addNumber: (n, { since, until }) => void entries.push({ what: { kind: 'number', n }, since, until }),
    addRange: () => {
      throw new Error('live entries have no ranges');
    },
    addSource: ({ fingerprint, since, until }) =>
      void entries.push({ what: fingerprintOf(fingerprint), since, until }),
  };
}
