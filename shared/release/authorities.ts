/**
 * The authorities whose lists a release changes. A token or a signing key that is bound to an authority may
 * change only the lists of that authority.
 */
import { ROOT_AUTHORITY } from '../organisations.ts';
import type { ListChange } from './diff.ts';
import type { Manifest } from './manifest.ts';
import type { Plan } from './plan.ts';

/** Every authority with a list in one of the releases, sorted. */
export function authoritiesIn(...manifests: readonly (Manifest | null)[]): string[] {
  const names = manifests.flatMap((manifest) => manifest?.lists.map(({ authority }) => authority) ?? []);
  return [...new Set(names)].sort();
}

/**
 * The authorities whose lists a release changes: their entries, or their properties in the manifest (terms,
 * counts, dates, order). A list that passes from one authority to another changes both. Registered senders belong to
 * the installation, `root`.
 * @param base the current release
 * @param plan from the base to this release: compares the entries exactly, except sources under another LIST_KEY,
 * which therefore count as changed
 */
export function changedAuthorities(base: Manifest | null, next: Manifest, plan: Plan): string[] {
  const listsOf = (manifest: Manifest | null, name: string): string =>
    JSON.stringify(manifest?.lists.filter(({ authority }) => authority === name) ?? []);
  const changed = authoritiesIn(base, next).filter((name) => listsOf(base, name) !== listsOf(next, name));
  const isRekeyed = base !== null && base.keyId !== next.keyId;
  const entries = plan.lists
    .filter((list) => changesEntries(list) || (isRekeyed && list.sources.before + list.sources.after > 0))
    .map(({ terms }) => terms.authority);
  const isSame = JSON.stringify(base?.registrations) === JSON.stringify(next.registrations);
  return [...new Set([...changed, ...entries, ...(isSame ? [] : [ROOT_AUTHORITY])])].sort();
}

function changesEntries({ numbers, dated, ranges, sources }: ListChange): boolean {
  return [numbers, dated, ranges, sources].some(
    ({ added, removed, changed }) => added + removed + changed > 0,
  );
}
