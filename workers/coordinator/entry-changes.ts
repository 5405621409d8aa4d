/**
 * Changes of the live layer, and lookups in it.
 */
import type { Actor, EntriesDone, EntryChange, EntryInfo, EntryItem } from '../../shared/admin.ts';
import type { AuditEntry } from '../../shared/audit.ts';
import { ENTRY_END_BYTES, SEGMENT_ENTRIES_MAX } from '../../shared/limits/control.ts';
import { ok } from '../../shared/result.ts';
import type { ListKeys } from '../../shared/set/keys.ts';
import { SUBJECTS } from '../../shared/verdict.ts';
import type { BackgroundWork } from './background-work.ts';
import { applied, type ChangeRequest, type ChangeResult, refuse, refuseField } from './change-request.ts';
import type { EntryOwners } from './entry-owners.ts';
import type { Target } from './live-row.ts';
import { checkOverridden } from './ownership.ts';
import type { Tables } from './tables.ts';
import { type TargetRequest, targetsOf } from './targets.ts';

export class EntryChanges {
  readonly #tables: Tables;
  readonly #background: BackgroundWork;
  readonly #owners: EntryOwners;
  readonly #keys: ListKeys;

  constructor(tables: Tables, background: BackgroundWork, owners: EntryOwners, keys: ListKeys) {
    this.#tables = tables;
    this.#background = background;
    this.#owners = owners;
    this.#keys = keys;
  }

  async change(request: ChangeRequest, change: EntryChange): Promise<ChangeResult<EntriesDone>> {
    const { ledger, live } = this.#tables;
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
    const targets = this.#targetsOf(change);
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
    const { value: others } = listed;
    const now = Math.floor(Date.now() / 1000);
    // One item can make two targets: see targets.ts.
    const left = {
      ...requested,
      entries: targets.value.length * subjects - requested.entries,
      laterBytes: change.until === null ? 0 : targets.value.length * ENTRY_END_BYTES,
    };
    const done = ledger.change(request, left, (seq, operation) => {
      const allowed = this.#owners.check(viewer, change, targets.value, others, now);
      if (!allowed.ok && !request.actor.root) return allowed;
      const made = live.apply(
        change,
        targets.value,
        { ...request.actor, authority },
        { seq, operation, now },
      );
      if (!made.ok) return made;
      const actsForOthers = !allowed.ok || (change.overrideAuthorities ?? []).length > 0;
      return applied(made.value.value, [...made.value.audit, ...overridden(change)], {
        kinds: actsForOthers ? ['actForOthers'] : [],
        command: { name: 'changeEntries', change },
        revert: { name: 'undoEntries', operation },
      });
    });
    if (done.ok) this.#background.changed();
    return done;
  }

  /** Root, which may change all entries, as a member of no organisation: whether it acts for others. */
  #viewerOf(actor: Actor): Actor {
    const isWatched = this.#tables.proposals.rules.kinds.includes('actForOthers');
    return actor.root && isWatched ? { ...actor, organisation: '' } : actor;
  }

  find(item: EntryItem): ChangeResult<EntryInfo[]> {
    const targets = this.#targetsOf({ op: 'find', items: [item], subjects: [...SUBJECTS] });
    if (!targets.ok) return targets;
    const now = Math.floor(Date.now() / 1000);
    return ok(targets.value.flatMap((target) => this.#tables.live.find(target, now)));
  }

  #targetsOf(wanted: TargetRequest): ChangeResult<Target[]> {
    return targetsOf(wanted, this.#keys, new Set(this.#tables.settings.guards.protectedNumbers));
  }
}

/** For the audit log: the other authorities that the operation acts for. */
function overridden({ overrideAuthorities = [] }: EntryChange): AuditEntry[] {
  if (overrideAuthorities.length === 0) return [];
  const subject = overrideAuthorities.join(' ');
  return [{ action: 'entries.override', subject, before: null, after: { overrideAuthorities } }];
}
