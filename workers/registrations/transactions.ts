/**
 * One transaction for each request: the change, its audit records, what is to be published, and the answer for a
 * repeated request. It applies completely or not at all.
 */
import { holderOf } from '../../shared/admin/actor.ts';
import { IDEMPOTENCY_KEPT_MS, STORAGE_BYTES_MAX, STORAGE_FULL_SHARE } from '../../shared/limits/control.ts';
import {
  REGISTRATION_ANSWER_CHARS_MAX,
  REGISTRATION_CHANGES_PER_HOUR_MAX,
} from '../../shared/limits/registrations.ts';
import type { Meta } from './meta.ts';
import { refuse, type StoreRefusal, type StoreRequest, type StoreResult } from './store-request.ts';

const HOUR_MS = 3_600_000;

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
  readonly #meta: Meta;

  constructor(storage: DurableObjectStorage, meta: Meta) {
    this.#storage = storage;
    this.#meta = meta;
  }

  /**
   * @param changes how many registrations the request changes at most: of the budget of the organisation; 0 for
   *   decisions and whatever frees something, which need no room either
   */
  run<Value>(request: StoreRequest, changes: number, apply: () => StoreResult<Value>): StoreResult<Value> {
    const now = Date.now();
    return this.#transact(() => {
      const known = this.#known<Value>(request, now);
      if (known !== null) return known;
      const room = changes === 0 ? null : this.#noRoom(changes, now);
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

  #noRoom(changes: number, now: number): StoreRefusal | null {
    if (this.#storage.sql.databaseSize >= STORAGE_BYTES_MAX * STORAGE_FULL_SHARE) {
      return refuse(
        'STORAGE_FULL',
        'the registrations of this organisation fill their storage: close what you do not need',
      );
    }
    const hour = Math.floor(now / HOUR_MS);
    const used = this.#meta.number('budgetHour') === hour ? this.#meta.number('budgetUsed') : 0;
    if (used + changes > REGISTRATION_CHANGES_PER_HOUR_MAX) {
      const resetsAt = new Date((hour + 1) * HOUR_MS).toISOString();
      const limit = REGISTRATION_CHANGES_PER_HOUR_MAX.toLocaleString('en');
      return refuse(
        'BUDGET_EXCEEDED',
        `an organisation may change ${limit} registrations an hour: try again after ${resetsAt}`,
        {
          budget: { name: 'registrations', resetsAt },
        },
      );
    }
    this.#meta.set('budgetHour', hour);
    this.#meta.set('budgetUsed', used + changes);
    return null;
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
    if (text.length > REGISTRATION_ANSWER_CHARS_MAX) return;
    this.#storage.sql.exec(
      'INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?)',
      ...[`${holderOf(actor)} ${repeat.key}`, repeat.sha256, text, now],
    );
  }
}
