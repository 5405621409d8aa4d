/**
 * Every change goes through the ledger. One transaction holds the change, the next `seq`, its audit records,
 * and the result to return if the request is repeated. storage-budget.ts decides whether there is room for
 * the change. Nothing else writes `seq`, `audit` or `answers`.
 *
 * A change that must wait for a second person runs too, so that its effects are known. It is then rolled back, and
 * its proposal is stored in the same turn.
 */
import { holderOf } from '../../shared/admin/actor.ts';
import type { AuditTrimmed } from '../../shared/admin/trim-audit.ts';
import type { AuditEntry } from '../../shared/audit.ts';
import { AUDIT_GROWN_PER_SWEEP, AUDIT_LEAF_BYTES, IDEMPOTENCY_KEPT_MS } from '../../shared/limits/control.ts';
import type { BreakGlassDone } from '../../shared/proposals.ts';
import { ok } from '../../shared/result.ts';
import { warn } from '../log.ts';
import { AuditLog } from './audit-log.ts';
import { AuditTree } from './audit-tree.ts';
import {
  type AppliedChange,
  applied,
  type ChangeRequest,
  type ChangeResult,
  type Refusal,
  refuse,
  refuseField,
  type Waiting,
} from './change-request.ts';
import type { Meta } from './meta.ts';
import { digestOf } from './proposal-records.ts';
import type { Draft, ProposalStore } from './proposal-store.ts';
import { settle } from './settlement.ts';
import { type Cost, FREEING_CHANGE, StorageBudget } from './storage-budget.ts';

/** Thrown inside a transaction to roll it back. Never leaves this file. */
class Undo extends Error {
  readonly refusal: Refusal | Waiting;

  constructor(refusal: Refusal | Waiting) {
    super(refusal.code);
    this.refusal = refusal;
  }
}

/** Like `Undo`, for a change that waits for a second person. */
class Hold extends Error {
  readonly draft: Draft;

  constructor(draft: Draft) {
    super('APPROVAL_PENDING');
    this.draft = draft;
  }
}

export class Ledger {
  readonly audit: AuditLog;
  readonly tree: AuditTree;
  readonly storageBudget: StorageBudget;
  readonly #storage: DurableObjectStorage;
  readonly #sql: SqlStorage;
  readonly #meta: Meta;
  readonly #proposals: ProposalStore;

  constructor(storage: DurableObjectStorage, meta: Meta, proposals: ProposalStore) {
    this.#storage = storage;
    this.#proposals = proposals;
    this.#sql = storage.sql;
    this.#meta = meta;
    this.audit = new AuditLog(storage.sql, meta);
    this.tree = new AuditTree(storage, meta, this.audit);
    this.storageBudget = new StorageBudget(storage.sql);
  }

  /** The `seq` of the last change of the head; 0 before the first. */
  get seq(): number {
    return this.#meta.number('seq');
  }

  /**
   * Changes the head, in one transaction.
   * @param apply makes the change with the given `seq` and operation; a refusal rolls everything back
   */
  change<Value extends object>(
    request: ChangeRequest,
    cost: Cost,
    apply: (seq: number, operation: number) => ChangeResult<AppliedChange<Value>>,
  ): ChangeResult<Value & { seq: number }> {
    return this.transact(request, cost, (operation) => {
      const done = apply(this.seq + 1, operation);
      if (!done.ok) return done;
      const { value, audit, approvable, lastSeq: seq = this.seq + 1 } = done.value;
      if (seq > this.seq) {
        this.#meta.set('seq', seq);
        this.#meta.set('changedAt', new Date().toISOString());
      }
      return applied({ ...value, seq }, audit, approvable);
    });
  }

  /** Changes something that is not part of the head: tokens, guards, a recorded refusal. */
  transact<Value extends object>(
    request: ChangeRequest,
    cost: Cost,
    apply: (operation: number) => ChangeResult<AppliedChange<Value>>,
  ): ChangeResult<Value> {
    let alarm: BreakGlassDone | null = null;
    try {
      const done = this.#storage.transactionSync(() => {
        const known = this.#known<Value>(request, cost);
        if (known !== null) return known;
        const bytes = this.storageBudget.bytes;
        const { rules } = this.#proposals;
        const before = this.seq;
        const id = this.audit.nextOperation;
        const made = apply(id);
        if (!made.ok) throw new Undo(made);
        const { value, audit, approvable } = made.value;
        const records = [...audit];
        if (request.settles !== undefined) {
          const settled = settle(
            request,
            request.settles,
            made.value,
            { before, after: this.seq },
            this.#proposals,
            this.audit,
          );
          if (!settled.ok) throw new Undo(settled);
          records.push(settled.value.audit);
          this.#remember(request.settles.decision, ok(settled.value.info));
        } else if (approvable !== null && this.#proposals.waits(approvable, rules)) {
          const draft = { approvable, audit, sha256: digestOf(request, approvable, audit, before) };
          if (request.breakGlass !== true || approvable.revert === null) throw new Hold(draft);
          const position = { audited: this.audit.last.n, seq: this.seq };
          const opened = this.#proposals.breakGlass(request, draft, Date.now(), position);
          records.push(...opened.audit);
          alarm = { proposal: opened.proposal.id, endsAt: opened.proposal.endsAt };
        }
        this.#append(request, id, records);
        const answer = ok(alarm === null ? value : { ...value, breakGlass: alarm });
        this.#remember(request, answer);
        const later = (cost.laterBytes ?? 0) + records.length * AUDIT_LEAF_BYTES;
        const grown = this.storageBudget.bytes - bytes + later;
        this.storageBudget.charge(request, cost, grown, Date.now());
        return answer;
      });
      // The warning omits the actor, whose name can be an email address.
      if (alarm !== null) warn('breakGlass', { proposal: (alarm as BreakGlassDone).proposal });
      return done;
    } catch (error) {
      if (error instanceof Hold) return this.#propose(request, cost, error.draft);
      if (!(error instanceof Undo)) throw error;
      // A refused change counts too, because it cost the same work.
      this.storageBudget.charge(request, cost, 0, Date.now());
      return error.refusal;
    }
  }

  #propose(request: ChangeRequest, cost: Cost, draft: Draft): Refusal | Waiting {
    return this.#storage.transactionSync(() => {
      const bytes = this.storageBudget.bytes;
      const opened = this.#proposals.open(request, draft, Date.now(), this.audit.last.n);
      if (!opened.ok) {
        this.storageBudget.charge(request, cost, 0, Date.now());
        return opened;
      }
      const { proposal, audit } = opened.value;
      if (audit.length > 0) this.#append(request, this.audit.nextOperation, audit);
      const message = `the change waits for a second person until ${proposal.endsAt}: proposal ${proposal.id}`;
      const answer: Waiting = { ok: false, code: 'APPROVAL_PENDING', message, proposal };
      this.#remember(request, answer);
      this.storageBudget.charge(request, cost, this.storageBudget.bytes - bytes, Date.now());
      return answer;
    });
  }

  /** Appends nothing for a change without records. There can be one a second, and no trim would remove its operation. */
  #append({ actor, reason }: ChangeRequest, id: number, entries: readonly AuditEntry[]): void {
    if (entries.length === 0) return;
    this.audit.append({ id, seq: this.seq, at: Date.now(), actor: actor.name, reason }, entries);
  }

  /**
   * Makes a change and rolls it back: no record, no `seq`, no stored answer. `begin` has counted its work.
   * @param apply as for `change`
   */
  rehearse<Value extends object>(
    apply: (seq: number, operation: number) => ChangeResult<AppliedChange<Value>>,
  ): ChangeResult<Value & { seq: number }> {
    const made: ChangeResult<AppliedChange<Value>>[] = [];
    try {
      this.#storage.transactionSync(() => {
        made.push(apply(this.seq + 1, this.audit.nextOperation));
        throw new Undo(refuse('PRECONDITION_FAILED', 'a rehearsal changes nothing'));
      });
    } catch (error) {
      if (!(error instanceof Undo)) throw error;
    }
    const done = made[0]!;
    return done.ok ? ok({ ...done.value.value, seq: this.seq }) : done;
  }

  /**
   * Starts a change that needs work before `change` or `transact`, and counts it whether or not that work
   * succeeds. Pass the rest of the cost to `change` or `transact`: see `counted`.
   * @returns a result that is known before any work: the answer to the first such request, or a refusal because
   * there is no room; otherwise null
   */
  begin<Value>(request: ChangeRequest, cost: Cost): ChangeResult<Value> | null {
    const known = this.#known<Value>(request, cost);
    if (known === null) this.storageBudget.charge(request, cost, 0, Date.now());
    return known;
  }

  /** Whether the request was answered before, so that sending it again changes nothing. */
  isRepeat(request: ChangeRequest): boolean {
    return request.repeat !== null && this.#known(request, FREEING_CHANGE) !== null;
  }

  #known<Value>(request: ChangeRequest, cost: Cost): ChangeResult<Value> | null {
    const { actor, repeat } = request;
    const now = Date.now();
    const [earlier] =
      repeat === null
        ? []
        : this.#sql
            .exec<{ sha256: string; answer: string }>(
              'SELECT request_sha256 AS sha256, answer FROM answers WHERE key = ? AND at > ?',
              ...[`${holderOf(actor)} ${repeat.key}`, now - IDEMPOTENCY_KEPT_MS],
            )
            .toArray();
    if (earlier === undefined) {
      const room = this.storageBudget.check(request, cost, now);
      return room.ok ? null : room;
    }
    if (earlier.sha256 === repeat?.sha256) return JSON.parse(earlier.answer) as ChangeResult<Value>;
    return refuse('IDEMPOTENCY_CONFLICT', 'this Idempotency-Key was used for a request with other content');
  }

  #remember({ actor, repeat }: ChangeRequest, answer: ChangeResult<object>): void {
    if (repeat === null) return;
    this.#sql.exec(
      'INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?)',
      ...[`${holderOf(actor)} ${repeat.key}`, repeat.sha256, JSON.stringify(answer), Date.now()],
    );
  }

  /** @param n last record to remove @param hash hash of record `n` */
  trimAudit(request: ChangeRequest, n: number, hash: string): ChangeResult<AuditTrimmed> {
    // A record must be in the tree before it is removed.
    for (let grown = 0; this.tree.n < n && grown < AUDIT_GROWN_PER_SWEEP; ) {
      const added = this.tree.grow();
      if (added === 0) break;
      grown += added;
    }
    const done = this.transact(request, FREEING_CHANGE, () => {
      const { n: inTree } = this.tree;
      if (n > inTree && n <= this.audit.last.n) {
        const message = `must be at most ${inTree.toLocaleString('en')}: the Merkle tree does not have later records yet; try again soon`;
        return refuseField('n', message);
      }
      return this.audit.trim({ n, hash }, Date.now());
    });
    if (done.ok) this.audit.removeTrimmed();
    return done;
  }

  /** Deletes expired results, expired budgets and trimmed records. */
  forget(now: number): void {
    this.#sql.exec('DELETE FROM answers WHERE at <= ?', now - IDEMPOTENCY_KEPT_MS);
    this.storageBudget.forget(now);
    this.#proposals.forget(now);
    this.audit.removeTrimmed();
  }
}
