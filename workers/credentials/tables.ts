/** Everything that the credential store keeps in SQLite, and the transaction of a change. */

import { STORAGE_BYTES_MAX, STORAGE_FULL_SHARE } from '../../shared/limits/control.ts';
import { credentialsKey } from '../../shared/release/kv-keys.ts';
import { DAY_MS } from '../../shared/time.ts';
import { AuditChain, type Author } from '../storage/audit-chain.ts';
import { SealedValues } from '../storage/sealed-values.ts';
import { refuse, type StoreRefusal, type StoreRequest, type StoreResult } from '../storage/store-request.ts';
import { Transactions } from '../storage/transactions.ts';
import { CertificateRows } from './certificate-rows.ts';
import { DelegationRows } from './delegation-rows.ts';
import { Issuers } from './issuers.ts';
import { Meta } from './meta.ts';
import { PassportRows } from './passport-rows.ts';
import { Publication } from './publication.ts';
import { StatusListRows } from './status-list-rows.ts';

/** Uploads that are limited by day and organisation. */
type Upload = 'certificates' | 'delegations';

export class Tables {
  readonly #storage: DurableObjectStorage;
  readonly meta: Meta;
  readonly issuers: Issuers;
  readonly certificates: CertificateRows;
  readonly delegations: DelegationRows;
  readonly lists: StatusListRows;
  readonly passport: PassportRows;
  readonly values: SealedValues;
  readonly audit: AuditChain;
  readonly publication: Publication;
  readonly transactions: Transactions;
  readonly #sql: SqlStorage;

  constructor(storage: DurableObjectStorage) {
    const { sql } = storage;
    this.#storage = storage;
    this.#sql = sql;
    this.meta = new Meta(sql);
    this.issuers = new Issuers(sql);
    this.certificates = new CertificateRows(sql);
    this.delegations = new DelegationRows(sql);
    this.lists = new StatusListRows(sql);
    this.passport = new PassportRows(sql);
    this.values = new SealedValues(sql, credentialsKey);
    this.audit = new AuditChain(sql, { column: 'subject', prefix: '', subjectOf: String });
    this.publication = new Publication(storage, this);
    this.transactions = new Transactions(storage, { charge: () => this.#noRoom() });
  }

  /** Runs a change in one transaction. @param size 0 for a decision, or a change that frees something: it needs no room */
  transact<Value>(
    request: StoreRequest,
    size: 0 | 1,
    change: (author: Author) => StoreResult<Value>,
  ): StoreResult<Value> {
    const { actor, reason } = request;
    return this.transactions.run(request, size, () => change({ actor: actor.name, reason, at: Date.now() }));
  }

  /** Charges one upload, valid or not, because invalid ones cost signatures too. @returns why it is one too many, or null */
  charge(organisation: string, kind: Upload, perDayMax: number): StoreRefusal | null {
    const day = Math.floor(Date.now() / DAY_MS);
    const [row] = this.#sql
      .exec<{ used: number }>(
        'SELECT used FROM uploads WHERE organisation = ? AND kind = ? AND day = ?',
        ...[organisation, kind, day],
      )
      .toArray();
    const used = (row?.used ?? 0) + 1;
    if (used > perDayMax) {
      const resetsAt = new Date((day + 1) * DAY_MS).toISOString();
      const message = `an organisation may send ${perDayMax.toLocaleString('en')} ${kind} a day: try again after ${resetsAt}`;
      return refuse('BUDGET_EXCEEDED', message, { budget: { name: kind, resetsAt } });
    }
    this.#sql.exec('INSERT OR REPLACE INTO uploads VALUES (?, ?, ?, ?)', organisation, kind, day, used);
    return null;
  }

  /** Removes data that ended long ago. @param now ms since 1970 */
  forget(now: number): void {
    this.#storage.transactionSync(() => {
      const removed = [...this.certificates.forget(now), ...this.delegations.forget(now)];
      const isChanged = this.lists.forget(Math.floor(now / 1000)) || removed.length > 0;
      if (isChanged) this.publication.changed(removed);
      this.transactions.forget(now);
      this.#sql.exec('DELETE FROM uploads WHERE day < ?', Math.floor(now / DAY_MS));
      this.meta.set('sweptAt', now);
    });
  }

  #noRoom(): StoreRefusal | null {
    if (this.#sql.databaseSize < STORAGE_BYTES_MAX * STORAGE_FULL_SHARE) return null;
    return refuse('STORAGE_FULL', 'the storage for credentials is full: ask the operator of the service');
  }
}
