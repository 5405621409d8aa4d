/**
 * Decides whether a live change may affect the entries that its numbers and sources already have. A change must
 * not lift, replace, shorten or cover entries of other authorities. This applies to live entries, to folded entries
 * and, for an unblock, to entries of a release's lists. One such item refuses the whole operation.
 */
import type { Actor } from '../../shared/admin/actor.ts';
import type { EntryChange } from '../../shared/admin/entries.ts';
import { ITEMS_SHOWN_MAX } from '../../shared/limits/control.ts';
import type { Manifest } from '../../shared/release/manifest.ts';
import { ok } from '../../shared/result.ts';
import type { Subject } from '../../shared/verdict.ts';
import type { ChangeResult } from './change-request.ts';
import { affectedLists, type ForeignList, type ForeignLists, type Listings } from './foreign-lists.ts';
import { type LiveRow, subjectsOf, type Target } from './live-row.ts';
import { foreignTo, refuseForeign } from './ownership.ts';
import type { Tables } from './tables.ts';

/** The lists of other authorities that contain the targets, in the current release and in the canary. */
export interface Listed {
  /** Names of the current release and of the canary. */
  readonly releases: string;
  readonly listings: readonly { readonly foldedSeq: number; readonly found: Listings }[];
}

export class EntryOwners {
  readonly #tables: Tables;
  readonly #lists: ForeignLists;

  constructor(tables: Tables, lists: ForeignLists) {
    this.#tables = tables;
    this.#lists = lists;
  }

  /** Reads what the check needs from KV, before the transaction. */
  async read(actor: Actor, change: EntryChange, targets: readonly Target[]): Promise<ChangeResult<Listed>> {
    const isForeign = foreignTo(actor, change);
    return this.readLists(
      (manifest) => affectedLists(manifest, change.op, change.subjects, isForeign),
      targets,
    );
  }

  /** The selected lists that contain the targets. */
  async readLists(
    select: (manifest: Manifest) => ForeignList[],
    targets: readonly Target[],
  ): Promise<ChangeResult<Listed>> {
    const releases = this.#names;
    const listings: { foldedSeq: number; found: Listings }[] = [];
    for (const { manifest } of this.#served) {
      const found = await this.#lists.find(manifest, select(manifest), targets);
      if (!found.ok) return found;
      listings.push({ foldedSeq: manifest.foldedSeq, found: found.value });
    }
    return ok({ releases, listings });
  }

  /** Whether the current release and the canary are still the ones that were read. */
  isCurrent({ releases }: Listed): boolean {
    return releases === this.#names;
  }

  get #served() {
    const { current, candidate } = this.#tables.releases;
    return [current, candidate].filter((release) => release !== null);
  }

  get #names(): string {
    return this.#served.map(({ release }) => release).join(' ');
  }

  /** Must run in the transaction of the change. @param now seconds since 1970 */
  check(
    actor: Actor,
    change: EntryChange,
    targets: readonly Target[],
    { listings }: Listed,
    now: number,
  ): ChangeResult<void> {
    // The actor may change all entries. Skip the lookup for each target.
    if (actor.organisation === null) return ok(undefined);
    const isForeign = foreignTo(actor, change);
    const affected = new Set<string>();
    const items: { index: number; code: string; message: string }[] = [];
    for (const [index, target] of targets.entries()) {
      const rows = this.#tables.live.inForce(target, now);
      const alike = target.alike === null ? [] : this.#tables.live.inForce(target.alike, now);
      const live = [...rows, ...alike].filter((row) => affects(row, change.subjects));
      const listed = listings.flatMap(({ foldedSeq, found }) =>
        (found.get(index) ?? []).filter(
          ({ info, isFolded }) => !isFolded || !isReplaced(info.subjects, change.subjects, rows, foldedSeq),
        ),
      );
      const owners = [...live.map(({ authority }) => authority), ...listed.map(({ info }) => info.authority)];
      const foreign = [...new Set(owners)].filter(isForeign).sort();
      if (foreign.length === 0) continue;
      for (const authority of foreign) affected.add(authority);
      const message = `has an entry of ${foreign.map((name) => `"${name}"`).join(', ')}`;
      items.push({ index: target.item, code: 'AUTHORITY_FOREIGN', message });
    }
    const [first] = items;
    if (first === undefined) return ok(undefined);
    const others = items.length === 1 ? '' : `, and ${items.length - 1} more`;
    const what = `"items[${first.index}]"${others}: nothing was changed, because the change affects entries`;
    return refuseForeign(what, [...affected].sort(), { items: items.slice(0, ITEMS_SHOWN_MAX) });
  }
}

/** Whether the change affects the entry of this row. A `clear` or `undo` row is no entry that an authority could lose. */
function affects({ op, subjects }: LiveRow, changed: readonly Subject[]): boolean {
  return op !== 'clear' && op !== 'undo' && subjectsOf(subjects).some((subject) => changed.includes(subject));
}

/**
 * Whether newer live entries already replace a folded entry for every subject of the change. If such a live entry was
 * undone, the folded entry decides again.
 */
export function isReplaced(
  listed: readonly Subject[],
  changed: readonly Subject[],
  rows: readonly LiveRow[],
  foldedSeq: number,
): boolean {
  const deciding = rows.filter(({ seq, op }) => seq > foldedSeq && op !== 'undo');
  const newer = deciding.flatMap(({ subjects }) => subjectsOf(subjects));
  return listed.every((subject) => !changed.includes(subject) || newer.includes(subject));
}
