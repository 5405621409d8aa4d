/**
 * Where every change goes through: one transaction with the change, the next `seq`, its audit records
 * and the answer that a repeated request gets again, if there is room for it (room.ts). Nothing else writes `seq`,
 * `audit` or `answers`.
 */
import { IDEMPOTENCY_KEPT_MS } from '../../shared/limits.ts';
import { AuditLog } from './audit-log.ts';
import { type Made, made, type Order, type Outcome, type Refusal, refuse } from './order.ts';
import { type Cost, Room } from './room.ts';

/** Thrown inside a transaction to undo it; never leaves this file. */
class Undo extends Error {
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(refusal.code);
    this.refusal = refusal;
  }
}

export class Ledger {
  readonly audit: AuditLog;
  readonly room: Room;
  readonly #storage: DurableObjectStorage;
  readonly #sql: SqlStorage;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
    this.#sql = storage.sql;
    this.audit = new AuditLog(storage.sql, this);
    this.room = new Room(storage.sql);
  }

  /** The last change of the head; 0 before the first. */
  get seq(): number {
    return Number(this.get('seq') ?? 0);
  }

  get changedAt(): string | null {
    return this.get('changedAt');
  }

  /** Live entries with a `seq` up to this are gone: every release that can be read has folded them in. */
  get droppedSeq(): number {
    return Number(this.get('droppedSeq') ?? 0);
  }

  /** A single value that is kept beside the tables. */
  get(key: string): string | null {
    const [row] = this.#sql.exec<{ value: string }>('SELECT value FROM meta WHERE key = ?', key).toArray();
    return row?.value ?? null;
  }

  set(key: string, value: string): void {
    this.#sql.exec(
      'INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value',
      key,
      value,
    );
  }

  /**
   * Change what the head says: all of it or nothing.
   * @param apply makes the change under the given `seq` and operation; what it refuses leaves no trace
   */
  change<Value extends object>(
    order: Order,
    cost: Cost,
    apply: (seq: number, operation: number) => Outcome<Made<Value>>,
  ): Outcome<Value & { seq: number }> {
    return this.#transact(order, cost, (operation) => {
      const seq = this.seq + 1;
      const done = apply(seq, operation);
      if (!done.ok) return done;
      this.set('seq', String(seq));
      this.set('changedAt', new Date().toISOString());
      return made({ ...done.value.value, seq }, done.value.audit);
    });
  }

  /** Change something that the head does not tell: tokens, guards, a refusal. */
  note<Value extends object>(
    order: Order,
    cost: Cost,
    apply: (operation: number) => Outcome<Made<Value>>,
  ): Outcome<Value> {
    return this.#transact(order, cost, apply);
  }

  #transact<Value extends object>(
    order: Order,
    cost: Cost,
    apply: (operation: number) => Outcome<Made<Value>>,
  ): Outcome<Value> {
    try {
      return this.#storage.transactionSync(() => {
        const known = this.#outcomeBefore<Value>(order, cost);
        if (known !== null) return known;
        const bytes = this.room.bytes;
        const id = this.audit.nextOperation;
        const done = apply(id);
        if (!done.ok) throw new Undo(done);
        const { actor, reason } = order;
        this.audit.append({ id, seq: this.seq, at: Date.now(), actor: actor.name, reason }, done.value.audit);
        const answer: Outcome<Value> = { ok: true, value: done.value.value };
        this.#remember(order, answer);
        const grown = this.room.bytes - bytes + (cost.laterBytes ?? 0);
        this.room.charge(order, cost, grown, Date.now());
        return answer;
      });
    } catch (error) {
      if (!(error instanceof Undo)) throw error;
      // A refused change counts too: it cost the same work.
      this.room.charge(order, cost, 0, Date.now());
      return error.refusal;
    }
  }

  /**
   * Begin a change that costs work before `change` or `note`, and count it, whatever comes of that work. Give `change`
   * or `note` what is left to count: see `counted`.
   * @returns the outcome that is known before any work; null where the change is to be made
   */
  begin<Value>(order: Order, cost: Cost): Outcome<Value> | null {
    const known = this.#outcomeBefore<Value>(order, cost);
    if (known === null) this.room.charge(order, cost, 0, Date.now());
    return known;
  }

  /** The answer that this request got before, or that there is no room for the change; else null. */
  #outcomeBefore<Value>(order: Order, cost: Cost): Outcome<Value> | null {
    return this.#answered<Value>(order) ?? this.room.refusal(order, cost, Date.now());
  }

  #answered<Value>({ actor, repeat }: Order): Outcome<Value> | null {
    if (repeat === null) return null;
    const [row] = this.#sql
      .exec<{ request_sha256: string; answer: string }>(
        'SELECT request_sha256, answer FROM answers WHERE key = ? AND at > ?',
        `${actor.name} ${repeat.key}`,
        Date.now() - IDEMPOTENCY_KEPT_MS,
      )
      .toArray();
    if (row === undefined) return null;
    if (row.request_sha256 === repeat.sha256) return JSON.parse(row.answer) as Outcome<Value>;
    return refuse('IDEMPOTENCY_CONFLICT', 'this Idempotency-Key was used for a request with other content');
  }

  #remember({ actor, repeat }: Order, answer: Outcome<object>): void {
    if (repeat === null) return;
    this.#sql.exec(
      'INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?)',
      `${actor.name} ${repeat.key}`,
      repeat.sha256,
      JSON.stringify(answer),
      Date.now(),
    );
  }

  /** Forget answers and budgets whose time is over, and records that were trimmed. */
  forget(now: number): void {
    this.#sql.exec('DELETE FROM answers WHERE at <= ?', now - IDEMPOTENCY_KEPT_MS);
    this.room.forget(now);
    this.audit.removeTrimmed();
  }
}
