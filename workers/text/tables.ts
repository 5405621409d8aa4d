/** Everything that the text store keeps in SQLite, and the transaction of a change. */

import { type Actor, holderOf } from '../../shared/admin/actor.ts';
import { STORAGE_BYTES_MAX, STORAGE_FULL_SHARE } from '../../shared/limits/control.ts';
import { TEXT_PUSHES_PER_DAY_MAX, TEXT_RELEASES_KEPT } from '../../shared/limits/text.ts';
import { textKey } from '../../shared/release/kv-keys.ts';
import { DAY_MS } from '../../shared/time.ts';
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
    this.audit = new AuditChain(sql, { column: 'subject', prefix: '', subjectOf: String });
    this.campaigns = new Campaigns(this);
    this.publication = new Publication(this);
    this.transactions = new Transactions(storage, { charge: () => this.#noRoom() });
  }

  /** Runs a change in one transaction. @param size 0 for a decision or a change that frees something: it needs no room */
  transact<Value>(
    request: StoreRequest,
    size: 0 | 1,
    change: (author: Author) => StoreResult<Value>,
  ): StoreResult<Value> {
    const { actor, reason } = request;
    return this.transactions.run(request, size, () => change({ actor: actor.name, reason, at: Date.now() }));
  }

  /**
   * Releases that were current before, oldest first, for rollbacks; null for the time before the first release. Releases
   * that are no longer kept, and all releases before them, are left out.
   */
  get back(): readonly (string | null)[] {
    const back = this.meta.json<(string | null)[]>('back') ?? [];
    const lost = back.findLastIndex((release) => release !== null && this.releases.get(release) === null);
    return back.slice(lost + 1).slice(-TEXT_RELEASES_KEPT);
  }

  /** Removes old releases. Must run in a transaction. @param pushed the release that was just pushed */
  prune(pushed: string): void {
    const { current, candidate } = this.releases;
    const kept = [pushed, current?.release, candidate?.release, this.back.at(-1)];
    this.releases.prune(
      TEXT_RELEASES_KEPT,
      kept.filter((release) => typeof release === 'string'),
    );
  }

  /** Charges one push, even if it fails: opening a release is work. @returns the refusal if it is one too many, or null */
  chargePush(actor: Actor, now: number): StoreRefusal | null {
    const day = Math.floor(now / DAY_MS);
    const holder = holderOf(actor);
    this.sql.exec('DELETE FROM pushes WHERE day < ?', day);
    const [row] = this.sql
      .exec<{ used: number }>('SELECT used FROM pushes WHERE holder = ?', holder)
      .toArray();
    const used = row?.used ?? 0;
    if (used >= TEXT_PUSHES_PER_DAY_MAX) {
      const resetsAt = new Date((day + 1) * DAY_MS).toISOString();
      const message = `a token may push ${TEXT_PUSHES_PER_DAY_MAX} text releases a day: try again after ${resetsAt}`;
      return refuse('BUDGET_EXCEEDED', message, { budget: { name: 'textReleases', resetsAt } });
    }
    this.sql.exec('INSERT OR REPLACE INTO pushes VALUES (?, ?, ?)', holder, day, used + 1);
    return null;
  }

  #noRoom(): StoreRefusal | null {
    if (this.sql.databaseSize < STORAGE_BYTES_MAX * STORAGE_FULL_SHARE) return null;
    return refuse(
      'STORAGE_FULL',
      'the storage for texts and campaigns is full: ask the operator of the service',
    );
  }
}
