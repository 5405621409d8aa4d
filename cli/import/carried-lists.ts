/**
 * A build for one authority: it replaces the lists of that authority, and carries all other lists of the current
 * release over as they are, in the same order. A signing key that is bound to the authority can sign such a release.
 *
 * It folds in nothing. A release says with one number, `foldedSeq`, up to which change it contains the live entries
 * of all authorities. A higher number would drop live entries of others, so this build keeps the number of its base.
 * Lists that earlier builds folded in are carried over too, even those of its own authority, because the catalogue
 * does not have their entries. Only a build of the whole installation folds.
 */
import { type ListContent, ListEntries } from '../../shared/build/list-entries.ts';
import type { ListSource } from '../../shared/build/release.ts';
import { FOLDED_LIST_PREFIX, type Manifest } from '../../shared/release/manifest.ts';
import type { ListKeys } from '../../shared/set/keys.ts';
import { markOf } from '../../shared/verdict.ts';
import { CommandFailure } from '../failure.ts';
import type { Catalogue } from './catalogue.ts';
import { type EntrySink, type ReadableRelease, readLists } from './release-lists.ts';

/** Where a list of the new release comes from: an index in the catalogue, or in the manifest of the base. */
export type Origin = { readonly from: 'catalogue' | 'base'; readonly index: number };

/** The lists of a build that carries nothing over. */
export function originsOf({ lists }: Pick<Catalogue, 'lists'>): Origin[] {
  return lists.map((_, index) => ({ from: 'catalogue', index }));
}

/**
 * The lists of a build for one authority, in order. The lists of the catalogue take the place of the first list that
 * they replace, so that all others keep their order, and unchanged shards keep their bytes.
 */
export function originsFor(authority: string, { lists }: Catalogue, base: Manifest): Origin[] {
  const isFolded = (index: number): boolean => base.lists[index]!.name.startsWith(FOLDED_LIST_PREFIX);
  const isReplaced = (index: number): boolean =>
    base.lists[index]!.authority === authority && !isFolded(index);
  const indexes = [...base.lists.keys()];
  const first = indexes.find(isReplaced) ?? indexes.find(isFolded) ?? indexes.length;
  const carried = (some: readonly number[]): Origin[] =>
    some.filter((index) => !isReplaced(index)).map((index) => ({ from: 'base', index }));
  return [...carried(indexes.slice(0, first)), ...originsOf({ lists }), ...carried(indexes.slice(first))];
}

/** Checks that a catalogue names only lists of the authority, and no list name that another authority uses. */
export function checkCatalogueOf(
  authority: string,
  path: string,
  { lists }: Catalogue,
  base: Manifest,
): void {
  const foreign = lists.filter((list) => list.authority !== authority);
  if (foreign.length > 0) {
    const names = foreign.map((list) => `${list.name} (${list.authority})`).join(', ');
    throw new CommandFailure(
      `${path}: lists of other authorities than ${authority}: ${names}. Remove them from the catalogue: ` +
        'a build with --authority takes the lists of other authorities from the current release',
    );
  }
  for (const { name } of lists) {
    const other = base.lists.find((list) => list.name === name && list.authority !== authority);
    if (other === undefined) continue;
    throw new CommandFailure(
      `${path}: list ${name}: ${base.release} has a list of ${other.authority} with this name. Choose another name`,
    );
  }
}

/** The carried lists by their index in the base, exactly as the base has them. */
export async function carryLists(
  base: ReadableRelease,
  origins: readonly Origin[],
  keys: ListKeys,
): Promise<ReadonlyMap<number, ListSource>> {
  const entries = new Map<number, ListEntries>();
  for (const { from, index } of origins)
    if (from === 'base') entries.set(index, new ListEntries(keys.permutation));
  const sinks = [...entries].map(([index, list]) => [index, sinkFor(list)] as const);
  await readLists(base, new Map(sinks), keys);
  const sourceOf = (index: number, content: ListContent): ListSource => {
    const { name, reason, effect, subjects, authority, asOf, ...info } = base.manifest.lists[index]!;
    return { info: { name, reason, effect, subjects, authority, asOf, ...markOf(info) }, content };
  };
  return new Map([...entries].map(([index, list]) => [index, sourceOf(index, list.finish())]));
}

function sinkFor(list: ListEntries): EntrySink {
  return {
    addNumber: (n, dates) => list.addNumber(n, dates),
    addRange: (range) => void list.ranges.push(range),
    addSource: (source) => void list.sources.push(source),
  };
}
