/** Everything that the text store keeps in SQLite, and the transaction of a change. */

import { STORAGE_BYTES_MAX, STORAGE_FULL_SHARE } from '../../shared/limits/control.ts';
import { textKey } from '../../shared/release/kv-keys.ts';
import { AuditChain, type Author } from '../storage/audit-chain.ts';
import { SealedValues } from '../storage/sealed-values.ts';
import { refuse, type StoreRefusal, type StoreRequest, type StoreResult } from '../storage/store-request.ts';
import { Transactions } from '../storage/transactions.ts';
import { Campaigns } from './campaigns.ts';
import { Meta } from './meta.ts';
import { Publication } from './publication.ts';
import { ReleaseRows } from './release-rows.ts';

export class TextTables {
  readonly storage: DurableObjectStorage;
  readonly sql: SqlStorage;
  readonly meta: Meta;
  readonly releases: ReleaseRows;
  readonly values: SealedValues;
  readonly audit: AuditChain;
  readonly campaigns: Campaigns;
  readonly publication: Publication;
  readonly transactions: Transactions;

  constructor(storage: DurableObjectStorage) {
    const { sql } = storage;
    this.storage = storage;
    this.sql = sql;
    this.meta = new Meta(sql);
    this.releases = new ReleaseRows(sql);
    this.values = new SealedValues(sql, textKey);
    this.audit = new AuditChain(sql, { column: 'subject', prefix: 'text.', subjectOf: String });
    this.campaigns = new Campaigns(this);
    this.publication = new Publication(this);
    this.transactions = new Transactions(storage, { charge: () => this.#noRoom() });
  }

  /** Runs a change in one transaction. @param size 0 for what frees something, or is a decision: it needs no room */
  transact<Value>(
    request: StoreRequest,
    size: 0 | 1,
    change: (author: Author) => StoreResult<Value>,
  ): StoreResult<Value> {
    const { actor, reason } = request;
    return this.transactions.run(request, size, () => change({ actor: actor.name, reason, at: Date.now() }));
  }

  #noRoom(): StoreRefusal | null {
    if (this.sql.databaseSize < STORAGE_BYTES_MAX * STORAGE_FULL_SHARE) return null;
    return refuse('STORAGE_FULL', 'texts and campaigns fill their storage: ask the operator of the service');
  }
}
