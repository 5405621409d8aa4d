/**
 * Changes of the live layer, and lookups in it.
 */
import type { Actor } from '../../shared/admin/actor.ts';
import type {
  EntriesDone,
  EntriesDryRun,
  EntryChange,
  EntryInfo,
  EntryItem,
} from '../../shared/admin/entries.ts';
import type { AuditEntry } from '../../shared/audit.ts';
import { ENTRY_END_BYTES, SEGMENT_ENTRIES_MAX } from '../../shared/limits/control.ts';
import { type GuardHit, remainingGuards } from '../../shared/release/guard-settings.ts';
import { ok } from '../../shared/result.ts';
import { SUBJECTS } from '../../shared/verdict.ts';
import type { BackgroundWork } from './background-work.ts';
import {
  type Approvable,
  applied,
  type ChangeRequest,
  type ChangeResult,
  type Needs,
  type Refusal,
  refuse,
  refusedRequest,
  refuseField,
} from './change-request.ts';
import type { EntryGuards } from './entry-guards.ts';
import type { EntryOwners } from './entry-owners.ts';
import { checkOverridden } from './ownership.ts';
import { FREEING_CHANGE } from './storage-budget.ts';
import type { Tables } from './tables.ts';
import { targetsOf } from './targets.ts';

export class EntryChanges {
  readonly #tables: Tables;
  readonly #background: BackgroundWork;
  readonly #owners: EntryOwners;
  readonly #guards: EntryGuards;

  constructor(tables: Tables, background: BackgroundWork, owners: EntryOwners, guards: EntryGuards) {
    this.#tables = tables;
    this.#background = background;
    this.#owners = owners;
    this.#guards = guards;
  }

  async change(request: ChangeRequest, change: EntryChange): Promise<ChangeResult<EntriesDone>> {
    const { ledger, live, keys } = this.#tables;
    const { organisation, authority } = request.actor;
    if (authority === null) {
      const remedy = `root sets it with npx numgate organisations set ${organisation} --authority <name>`;
      const message = `your organisation "${organisation}" has no authority to vouch for entries: ${remedy}`;
      return refuse('AUTHORITY_MISSING', message);
    }
    const subjects = new Set(change.subjects).size;
    const requested = { entries: change.items.length * subjects, frees: change.op !== 'block' };
    const known = ledger.begin<EntriesDone>(request, requested);
    if (known !== null) return known;
    if (change.until !== null && Date.parse(change.until) <= Date.now()) {
      return refuseField('until', 'must be in the future');
    }
    const named = checkOverridden(change, this.#tables);
    if (!named.ok) return named;
    const { current } = keys;
    const targets = targetsOf(change, current);
    if (!targets.ok) return targets;
    // The unsealed entries must fit into one segment. A change that does not fit waits until they are sealed.
    const fits = (): boolean => this.#tables.unsealedEntries + targets.value.length <= SEGMENT_ENTRIES_MAX;
    const viewer = this.#viewerOf(request.actor);
    let listed = await this.#owners.read(viewer, change, targets.value);
    while (listed.ok && !(fits() && this.#owners.isCurrent(listed.value))) {
      if (!fits()) await this.#background.seal();
      else listed = await this.#owners.read(viewer, change, targets.value);
    }
    if (!listed.ok) return listed;
    // LIST_KEY was rotated in the meantime, so sources have other fingerprints.
    if (keys.current !== current) return this.change(request, change);
    const { value: others } = listed;
    const now = Math.floor(Date.now() / 1000);
    // One item can make two targets: see targets.ts.
    const left = {
      ...requested,
      entries: targets.value.length * subjects - requested.entries,
      laterBytes: change.until === null ? 0 : targets.value.length * ENTRY_END_BYTES,
    };
    const author = { ...request.actor, authority };
    const apply = (seq: number, operation: number) => {
      const allowed = this.#owners.check(viewer, change, targets.value, others, now);
      if (!allowed.ok && !request.actor.root) return allowed;
      const context = { authority, live: live.rows, now: Date.now() };
      const guards = this.#guards.check(change, targets.value, this.#tables.settings.guards, context);
      const remaining = change.dryRun === true ? [] : remainingGuards({ guards }, change.overrides ?? []);
      if (remaining.length > 0) return refuseGuards(remaining);
      const needs = needsOf(change, !allowed.ok);
      const made = live.apply(change, targets.value, author, { seq, operation, now, needs });
      if (!made.ok) return made;
      this.#guards.count(change, authority, Date.now());
      const { changed, replaced } = made.value.value;
      const figures = { entries: targets.value.length * subjects, replaced, guards };
      const audit = [...made.value.audit, ...overridden(change, guards)];
      return applied({ changed, operation, figures }, audit, approvable(change, operation, needs));
    };
    if (change.dryRun === true) return rehearsed(ledger.rehearse(apply));
    const done = ledger.change(request, left, (seq, operation) => {
      const made = apply(seq, operation);
      if (!made.ok) return made;
      const { value, audit, approvable: kinds } = made.value;
      return applied({ changed: value.changed, operation }, audit, kinds);
    });
    if (done.ok) this.#background.changed();
    else if (done.code === 'GUARD_HIT') this.#recordRefusal(request, change, done);
    return done;
  }

  /** The actor for ownership checks. If acting for others needs approval, `root` must not skip them. */
  #viewerOf(actor: Actor): Actor {
    const isWatched = this.#tables.proposals.rules.kinds.includes('actForOthers');
    return actor.root && isWatched ? { ...actor, organisation: '' } : actor;
  }

  /** Records an attempt that a guard refused, even if the budget for growing changes is used up. */
  #recordRefusal(request: ChangeRequest, { op, items }: EntryChange, { extras }: Refusal): void {
    const after = { op, items: items.length, guards: extras?.guards };
    const audit = [{ action: 'entries.refuse', subject: 'guards', before: null, after }];
    this.#tables.ledger.transact(refusedRequest(request), FREEING_CHANGE, () => applied({}, audit));
  }

  find(item: EntryItem): ChangeResult<EntryInfo[]> {
    const targets = targetsOf(
      { op: 'find', items: [item], subjects: [...SUBJECTS] },
      this.#tables.keys.current,
    );
    if (!targets.ok) return targets;
    const now = Math.floor(Date.now() / 1000);
    return ok(targets.value.flatMap((target) => this.#tables.live.find(target, now)));
  }
}

/** @param isForeign whether `root`, which need not name authorities, changes entries of others */
function needsOf({ overrides = [], overrideAuthorities = [] }: EntryChange, isForeign: boolean): Needs {
  return {
    kinds: [
      ...(overrides.length > 0 ? (['guardOverride'] as const) : []),
      ...(isForeign || overrideAuthorities.length > 0 ? (['actForOthers'] as const) : []),
    ],
    authorities: overrideAuthorities,
  };
}

function approvable(change: EntryChange, operation: number, { kinds }: Needs): Approvable {
  return {
    kinds,
    command: { name: 'changeEntries', change },
    revert: { name: 'undoEntries', operation, options: { skipChanged: true } },
  };
}

/** Audit entries for the other authorities that the operation acts for, and for the guards that it overrides. */
function overridden(
  { overrideAuthorities = [], overrides = [] }: EntryChange,
  hits: readonly GuardHit[],
): AuditEntry[] {
  const action = 'entries.override';
  const subject = overrideAuthorities.join(' ');
  const guards = hits.filter(({ override }) => overrides.some((name) => name === override));
  return [
    ...(overrideAuthorities.length === 0
      ? []
      : [{ action, subject, before: null, after: { overrideAuthorities } }]),
    ...(guards.length === 0 ? [] : [{ action, subject: 'guards', before: null, after: { guards } }]),
  ];
}

function refuseGuards(guards: readonly GuardHit[]): Refusal {
  const names = [...new Set(guards.map(({ guard }) => guard))].join(', ');
  const message = `nothing was changed, because the change hits these guards: ${names}`;
  return refuse('GUARD_HIT', message, { extras: { guards } });
}

function rehearsed(
  done: ChangeResult<{ seq: number; changed: number; figures: EntriesDryRun }>,
): ChangeResult<EntriesDone> {
  if (!done.ok) return done;
  const { seq, changed, figures } = done.value;
  return ok({ seq, changed, operation: null, dryRun: figures });
}
