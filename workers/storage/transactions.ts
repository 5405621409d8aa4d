/**
 * One transaction for each request: the change, its audit records, what is to be published, and the answer for a
 * repeated request. It applies completely or not at all.
 */
import { holderOf } from '../../shared/admin/actor.ts';
import { ANSWER_CHARS_MAX, IDEMPOTENCY_KEPT_MS } from '../../shared/limits/control.ts';
import { refuse, type StoreRefusal, type StoreRequest, type StoreResult } from './store-request.ts';

/** What the changes of a store may take. */
export interface ChangeBudget {
  /** Charges changes. Must run in their transaction. @returns why there is no room for them, or null */
  charge(changes: number, now: number): StoreRefusal | null;
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
   * @param changes how much of the budget the request takes at most; 0 for decisions and whatever frees something,
   *   which need no room either
   */
  run<Value>(request: StoreRequest, changes: number, apply: () => StoreResult<Value>): StoreResult<Value> {
    const now = Date.now();
    return this.#transact(() => {
      const known = this.#known<Value>(request, now);
      if (known !== null) return known;
      const room = changes === 0 ? null : this.#budget.charge(changes, now);
      if (room !== null) return room;
      const done = apply();
      if (!done.ok) throw new Undo(done);
      this.#remember(request, done, now);
      return done;
    });
  }

  /** Applies a change to see what it does, and rolls it back. */
  rehearse<Value>(apply: () => StoreResult<Value>): StoreResult<Value> {
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
    // Only the report of an upload is longer. Repeated, it finds each line by its reference and reports it unchanged.
    if (text.length > ANSWER_CHARS_MAX) return;
    this.#storage.sql.exec(
      'INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?)',
      ...[`${holderOf(actor)} ${repeat.key}`, repeat.sha256, text, now],
    );
  }
}
