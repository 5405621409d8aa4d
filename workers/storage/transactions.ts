/**
 * Runs each request in one transaction: the change, its audit records, the data to publish, and the answer for a repeated
 * request. Either all of it is applied, or nothing.
 */
import { holderOf } from '../../shared/admin/actor.ts';
import { ANSWER_CHARS_MAX, IDEMPOTENCY_KEPT_MS } from '../../shared/limits/control.ts';
import { refuse, type StoreRefusal, type StoreRequest, type StoreResult } from './store-request.ts';

/** The budget for the changes of a store. */
export interface ChangeBudget {
  /** Charges changes. Must run in their transaction. @returns the refusal if there is no room for them, or null */
  charge(changes: number, now: number): StoreRefusal | null;
  /** Charges changes that are only checked. Must run in a transaction. @returns the refusal if they are too many, or null */
  chargeChecks?(checks: number, now: number): StoreRefusal | null;
  /** Counts changes that were checked and refused, even beyond the budget. Must run in a transaction. */
  addChecks?(checks: number, now: number): void;
}

/** Thrown inside a transaction to roll it back. Never leaves this file. */
class Undo extends Error {
  readonly result: StoreResult<unknown>;

  constructor(result: StoreResult<unknown>) {
    super('rolled back');
    this.result = result;
  }
}

export class Transactions {
  readonly #storage: DurableObjectStorage;
  readonly #budget: ChangeBudget;

  constructor(storage: DurableObjectStorage, budget: ChangeBudget) {
    this.#storage = storage;
    this.#budget = budget;
  }

  /**
   * @param changes the most that the request takes of the budget; 0 for decisions and for changes that free something,
   *   which need no room. A refused request counts as checked
   */
  run<Value>(request: StoreRequest, changes: number, apply: () => StoreResult<Value>): StoreResult<Value> {
    const now = Date.now();
    let isRefused = false;
    const result = this.#transact(() => {
      const known = this.#known<Value>(request, now);
      if (known !== null) return known;
      const room = changes === 0 ? null : this.#budget.charge(changes, now);
      if (room !== null) return room;
      const done = apply();
      isRefused = !done.ok && changes > 0;
      if (!done.ok) throw new Undo(done);
      this.#remember(request, done, now);
      return done;
    });
    if (isRefused) this.#storage.transactionSync(() => this.#budget.addChecks?.(changes, now));
    return result;
  }

  /** Applies a change to see its effect, and rolls it back. @param changes how many changes it checks */
  rehearse<Value>(changes: number, apply: () => StoreResult<Value>): StoreResult<Value> {
    const full = this.#storage.transactionSync(
      () => this.#budget.chargeChecks?.(changes, Date.now()) ?? null,
    );
    if (full !== null) return full;
    return this.#transact(() => {
      throw new Undo(apply());
    });
  }

  #transact<Value>(change: () => StoreResult<Value>): StoreResult<Value> {
    try {
      return this.#storage.transactionSync(change);
    } catch (error) {
      if (!(error instanceof Undo)) throw error;
      return error.result as StoreResult<Value>;
    }
  }

  forget(now: number): void {
    this.#storage.sql.exec('DELETE FROM answers WHERE at <= ?', now - IDEMPOTENCY_KEPT_MS);
  }

  #known<Value>({ actor, repeat }: StoreRequest, now: number): StoreResult<Value> | null {
    if (repeat === null) return null;
    const [earlier] = this.#storage.sql
      .exec<{ sha256: string; answer: string }>(
        'SELECT request_sha256 AS sha256, answer FROM answers WHERE key = ? AND at > ?',
        ...[`${holderOf(actor)} ${repeat.key}`, now - IDEMPOTENCY_KEPT_MS],
      )
      .toArray();
    if (earlier === undefined) return null;
    if (earlier.sha256 === repeat.sha256) return JSON.parse(earlier.answer) as StoreResult<Value>;
    return refuse('IDEMPOTENCY_CONFLICT', 'this Idempotency-Key was used for a request with other content');
  }

  #remember<Value>({ actor, repeat }: StoreRequest, answer: StoreResult<Value>, now: number): void {
    if (repeat === null) return;
    const text = JSON.stringify(answer);
    // Only the report of an upload is longer. A repeated upload finds each line by its reference, and reports it unchanged.
    if (text.length > ANSWER_CHARS_MAX) return;
    this.#storage.sql.exec(
      'INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?)',
      ...[`${holderOf(actor)} ${repeat.key}`, repeat.sha256, text, now],
    );
  }
}
