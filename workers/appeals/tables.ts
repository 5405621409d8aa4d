/** Everything that the store of appeals keeps in SQLite, and the transaction of a change. */
import { APPEAL_CHALLENGE_SECONDS, APPEALS_PAGE_MAX } from '../../shared/limits/appeals.ts';
import { STORAGE_BYTES_MAX, STORAGE_FULL_SHARE } from '../../shared/limits/control.ts';
import { AuditChain, type Author } from '../storage/audit-chain.ts';
import type { StoreRequest, StoreResult } from '../storage/store-request.ts';
import { Transactions } from '../storage/transactions.ts';
import { AppealRows } from './appeal-rows.ts';
import { Meta } from './meta.ts';

export class Tables {
  readonly storage: DurableObjectStorage;
  readonly meta: Meta;
  readonly appeals: AppealRows;
  readonly audit: AuditChain;
  readonly #transactions: Transactions;

  constructor(storage: DurableObjectStorage) {
    const { sql } = storage;
    this.storage = storage;
    this.meta = new Meta(sql);
    this.appeals = new AppealRows(sql);
    this.audit = new AuditChain(sql, {
      ...{ column: 'subject', prefix: 'appeals.', subjectOf: (id) => `appeal ${id}` },
    });
    // Decisions need no room.
    this.#transactions = new Transactions(storage, { charge: () => null });
  }

  get isFull(): boolean {
    return this.storage.sql.databaseSize >= STORAGE_BYTES_MAX * STORAGE_FULL_SHARE;
  }

  /** Runs a decision in one transaction. */
  transact<Value>(request: StoreRequest, change: (author: Author) => StoreResult<Value>): StoreResult<Value> {
    const { actor, reason } = request;
    return this.#transactions.run(request, 0, () => change({ actor: actor.name, reason, at: Date.now() }));
  }

  /** Marks a proof as used. Must run in a transaction. @returns whether it was not used before */
  useProof(proof: string, now: number): boolean {
    return (
      this.storage.sql.exec('INSERT OR IGNORE INTO proofs VALUES (?, ?) RETURNING at', proof, now).toArray()
        .length > 0
    );
  }

  /** Removes data that is no longer needed, in bounded steps. @param now ms since 1970 */
  forget(now: number): void {
    this.storage.transactionSync(() => {
      this.appeals.forget(now, APPEALS_PAGE_MAX);
      this.#transactions.forget(now);
      this.storage.sql.exec('DELETE FROM proofs WHERE at <= ?', now - APPEAL_CHALLENGE_SECONDS * 1000);
      this.meta.set('sweptAt', now);
    });
  }
}
