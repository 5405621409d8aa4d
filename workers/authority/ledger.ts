/**
 * Where every change goes through: one transaction with the change, the next `seq`, its audit records
 * and the answer that a repeated request gets again. Nothing else writes `seq`, `audit` or `answers`.
 */
import type { Actor, AdminProblemCode, ProblemExtras } from '../../shared/admin.ts';
import { type AuditEntry, type AuditRecord, auditHash, CHAIN_START } from '../../shared/audit.ts';
import { IDEMPOTENCY_KEPT_MS } from '../../shared/limits.ts';

export type RefusalCode = AdminProblemCode | 'FIELD_VALUE';

/** Why a change was not made; expected, so a value. */
export interface Refusal {
  readonly ok: false;
  readonly code: RefusalCode;
  readonly message: string;
  /** FIELD_VALUE: which. */
  readonly field?: string;
  readonly extras?: ProblemExtras;
}
export type Outcome<Value> = { readonly ok: true; readonly value: Value } | Refusal;

export function refuse(code: AdminProblemCode, message: string, extras?: ProblemExtras): Refusal {
  return { ok: false, code, message, ...(extras === undefined ? {} : { extras }) };
}

/** Of what was sent, a field is not as it must be. */
export function refuseField(field: string, message: string): Refusal {
  return { ok: false, code: 'FIELD_VALUE', field, message: `${field} ${message}` };
}

/** What the authority does by itself. */
export const ITSELF: Actor = { name: 'numgate', scopes: [], authority: 'numgate', root: false };

/** Who asks for a change, and why. */
export interface Order {
  readonly actor: Actor;
  readonly reason: string;
  /** Of the `Idempotency-Key`: the key, and a digest of method, path and body. */
  readonly repeat: { readonly key: string; readonly sha256: string } | null;
}

/** A change that was made. */
export interface Made<Value> {
  readonly value: Value;
  readonly audit: readonly AuditEntry[];
}

export function made<Value>(value: Value, audit: readonly AuditEntry[]): Outcome<Made<Value>> {
  return { ok: true, value: { value, audit } };
}

/** Thrown inside a transaction to undo it; never leaves this file. */
class Undo extends Error {
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(refusal.code);
    this.refusal = refusal;
  }
}

type AuditRow = Omit<AuditRecord, 'before' | 'after'> & { before: string; after: string };

export class Ledger {
  readonly #storage: DurableObjectStorage;
  readonly #sql: SqlStorage;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
    this.#sql = storage.sql;
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
   * @param apply makes the change under the given `seq`; what it refuses leaves no trace
   */
  change<Value extends object>(
    order: Order,
    apply: (seq: number) => Outcome<Made<Value>>,
  ): Outcome<Value & { seq: number }> {
    return this.#transact(order, () => {
      const seq = this.seq + 1;
      const done = apply(seq);
      if (!done.ok) return done;
      this.set('seq', String(seq));
      this.set('changedAt', new Date().toISOString());
      return made({ ...done.value.value, seq }, done.value.audit);
    });
  }

  /** Change something that the head does not tell: tokens, guards, a refusal. */
  note<Value extends object>(order: Order, apply: () => Outcome<Made<Value>>): Outcome<Value> {
    return this.#transact(order, apply);
  }

  #transact<Value extends object>(order: Order, apply: () => Outcome<Made<Value>>): Outcome<Value> {
    try {
      return this.#storage.transactionSync(() => {
        const before = this.answered<Value>(order);
        if (before !== null) return before;
        const done = apply();
        if (!done.ok) throw new Undo(done);
        this.#append(order, done.value.audit);
        const answer: Outcome<Value> = { ok: true, value: done.value.value };
        this.#remember(order, answer);
        return answer;
      });
    } catch (error) {
      if (error instanceof Undo) return error.refusal;
      throw error;
    }
  }

  /** The answer that this request got before, so that work that leads up to a change can be spared. */
  answered<Value>({ actor, repeat }: Order): Outcome<Value> | null {
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

  /** Forget answers whose time is over. */
  forgetAnswers(now: number): void {
    this.#sql.exec('DELETE FROM answers WHERE at <= ?', now - IDEMPOTENCY_KEPT_MS);
  }

  #append({ actor, reason: given }: Order, entries: readonly AuditEntry[]): void {
    // SQLite keeps UTF-8: half a surrogate pair would come back as something else, and break the chain.
    const reason = given.toWellFormed();
    let { n, hash: previous } = this.lastRecord;
    const at = new Date().toISOString();
    const seq = this.seq;
    for (const { action, subject: named, before, after } of entries) {
      const subject = named.toWellFormed();
      n++;
      const body = { n, at, seq, actor: actor.name, action, subject, reason, before, after, previous };
      const hash = auditHash(body);
      this.#sql.exec(
        'INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
        ...[n, at, seq, actor.name, action, subject, reason],
        ...[JSON.stringify(before), JSON.stringify(after), previous, hash],
      );
      previous = hash;
    }
  }

  /** Place and hash of the newest audit record. */
  get lastRecord(): { n: number; hash: string } {
    const [row] = this.#sql
      .exec<{ n: number; hash: string }>('SELECT n, hash FROM audit ORDER BY n DESC LIMIT 1')
      .toArray();
    return row ?? { n: 0, hash: CHAIN_START };
  }

  /** Audit records behind a place, oldest first. */
  records(after: number, limit: number): AuditRecord[] {
    return this.#sql
      .exec<AuditRow & Record<string, SqlStorageValue>>(
        'SELECT * FROM audit WHERE n > ? ORDER BY n LIMIT ?',
        after,
        limit,
      )
      .toArray()
      .map((row) => ({ ...row, before: JSON.parse(row.before), after: JSON.parse(row.after) }));
  }
}
