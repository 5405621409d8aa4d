/**
 * Reverses one operation on live entries. Afterwards, every number and subject that the operation changed has its earlier
 * entries again, except entries that have ended in the meantime. An undo hits no guard and can itself be undone. It must
 * pass the ownership checks. An undo of an undo waits for a second person if the change that it repeats did.
 * undo-store.ts explains how an undo works.
 */
import type { UndoDone, UndoOptions } from '../../shared/admin/entries.ts';
import type { UndoRefusal } from '../../shared/admin/problems.ts';
import type { AuditEntry } from '../../shared/audit.ts';
import { SEGMENT_ENTRIES_MAX, UNDO_KEPT_MS } from '../../shared/limits/control.ts';
import { ok } from '../../shared/result.ts';
import type { BackgroundWork } from './background-work.ts';
import {
  type Approvable,
  applied,
  type ChangeRequest,
  type ChangeResult,
  type Refusal,
  refuse,
} from './change-request.ts';
import type { NamedKey } from './live-row.ts';
import { actsForOthers, checkOverridden, checkOwned } from './ownership.ts';
import { counted } from './storage-budget.ts';
import type { Tables } from './tables.ts';
import { needsOf, type UndoableOperation, type UndoPlan } from './undo-store.ts';

export class EntryUndo {
  readonly #tables: Tables;
  readonly #background: BackgroundWork;

  constructor(tables: Tables, background: BackgroundWork) {
    this.#tables = tables;
    this.#background = background;
  }

  /** @param operation number of the operation, from the response to the change or the audit log */
  async undo(
    request: ChangeRequest,
    operation: number,
    options: UndoOptions = {},
  ): Promise<ChangeResult<UndoDone>> {
    const { ledger, live } = this.#tables;
    const undoable = live.undo.get(operation);
    const entries = undoable === null ? 1 : Math.max(1, live.undo.entries(undoable, seconds()));
    const cost = { entries, frees: true };
    const known = ledger.begin<UndoDone>(request, cost);
    if (known !== null) return known;
    const named = checkOverridden(options, this.#tables);
    if (!named.ok) return named;
    // As for a change, the rows that the undo writes must fit into one segment with the unsealed entries.
    const written = (): number => {
      const found = this.#find(request, operation, options);
      return found.ok ? found.value.plan.written : 0;
    };
    while (
      this.#tables.unsealedEntries > 0 &&
      this.#tables.unsealedEntries + written() > SEGMENT_ENTRIES_MAX
    ) {
      await this.#background.seal();
    }
    const done = ledger.change<Omit<UndoDone, 'seq'>>(request, counted(cost), (seq, by) => {
      const found = this.#find(request, operation, options);
      return found.ok ? this.#apply(request, found.value, options, seq, by) : found;
    });
    if (done.ok) this.#background.changed();
    return done;
  }

  /** The plan of the undo, or a refusal that explains why there can be none. */
  #find(
    request: ChangeRequest,
    operation: number,
    options: UndoOptions,
  ): ChangeResult<{ undoable: UndoableOperation; plan: UndoPlan }> {
    const { live, ledger, releases, meta } = this.#tables;
    const undoable = live.undo.get(operation);
    const name = `operation ${operation}`;
    if (undoable === null) {
      if (operation >= ledger.audit.nextOperation) {
        return refuse('OPERATION_UNKNOWN', 'no operation has this number: see npx numgate audit export');
      }
      const days = UNDO_KEPT_MS / 86_400_000;
      const kept = `replaced entries are kept for ${days} days, and until every readable release contains the operation`;
      const rules = 'to lift blocks of rules, use npx numgate rule-blocks';
      return impossible(
        'NOT_KEPT',
        `${name} changed no live entries, or is too old to be undone: ${kept}; ${rules}`,
      );
    }
    const owned = checkOwned(request, options, authoritiesOf(undoable), `${name} changed entries`);
    if (!owned.ok) return owned;
    if (undoable.undone_by !== null) {
      return impossible('UNDONE', `${name} was already undone by operation ${undoable.undone_by}`);
    }
    const folded = Math.max(
      meta.number('droppedSeq'),
      ...releases.readable.map(({ manifest }) => manifest.foldedSeq),
    );
    if (folded >= undoable.from_seq) {
      const remedy = 'roll back to a release without it, or block, unblock or clear its numbers';
      return impossible('FOLDED', `a release contains the changes of ${name}: ${remedy}`);
    }
    const now = seconds();
    const entries = live.undo.entries(undoable, now);
    if (entries === 0)
      return impossible('ENDED', `all entries of ${name} have ended: there is nothing to undo`);
    const plan = live.undo.plan(undoable, now);
    if (plan.changed > 0 && options.skipChanged !== true) {
      const message = `other operations have since changed ${plan.changed} of ${entries} entries of ${name}`;
      const remedy = 'undo those first, or set "skipChanged" to leave these entries as they are';
      return refuse('ENTRIES_CHANGED', `${message}: ${remedy}`, {
        extras: { entries, changed: plan.changed },
      });
    }
    if (plan.restored.length === 0) {
      return impossible(
        'ENDED',
        `all entries of ${name} were replaced or have ended: there is nothing to undo`,
      );
    }
    if (plan.written > SEGMENT_ENTRIES_MAX) {
      const most = `more than ${SEGMENT_ENTRIES_MAX}: block, unblock or clear its numbers in several operations`;
      return impossible('TOO_LARGE', `undoing ${name} takes ${plan.written} entries, ${most}`);
    }
    return ok({ undoable, plan });
  }

  #apply(
    request: ChangeRequest,
    { undoable, plan }: { undoable: UndoableOperation; plan: UndoPlan },
    options: UndoOptions,
    seq: number,
    by: number,
  ) {
    const { live } = this.#tables;
    const now = seconds();
    const keys = new Map<string, NamedKey>();
    for (const { key } of plan.restored) keys.set(`${key.kind} ${key.high} ${key.low}`, key);
    const states = [...keys.values()].map((key) => ({ key, before: live.stateOf(key, now) }));
    const lastSeq = live.undo.apply(undoable, plan, by, seq, now);
    const value = {
      ...{ operation: by, undone: undoable.operation },
      ...{ entries: plan.restored.length, skipped: plan.changed },
    };
    const audit: AuditEntry[] = states.map(({ key, before }) => ({
      ...{ action: 'entries.undo', subject: live.nameOf(key), before, after: live.stateOf(key, now) },
    }));
    const subject = `operation ${undoable.operation}`;
    const summary = {
      action: 'operation.undo',
      subject,
      before: null,
      after: { ...value, overrideAuthorities: options.overrideAuthorities },
    };
    const { operation } = undoable;
    const approvable: Approvable = {
      kinds: [
        ...needsOf(undoable).undoNeeds.kinds,
        ...(actsForOthers(request, options, authoritiesOf(undoable)) ? (['actForOthers'] as const) : []),
      ].filter((kind, index, all) => all.indexOf(kind) === index),
      command: { name: 'undoEntries', operation, options },
      revert: { name: 'undoEntries', operation: by, options: { skipChanged: true } },
    };
    return applied(value, [summary, ...audit], approvable, lastSeq);
  }
}

/** The authorities that an undo acts for. */
function authoritiesOf(undoable: UndoableOperation): string[] {
  return [...new Set([undoable.authority, ...needsOf(undoable).undoNeeds.authorities])];
}

function impossible(refusal: UndoRefusal, message: string): Refusal {
  return refuse('UNDO_IMPOSSIBLE', message, { extras: { refusal } });
}

function seconds(): number {
  return Math.floor(Date.now() / 1000);
}
