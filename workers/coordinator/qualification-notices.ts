/**
 * Changes of qualifications about which the organisations were not notified yet. The router of notices reads them, so the
 * coordinator calls no other object. A qualification that ends at its time is a change too.
 */
import { QUALIFICATION_NOTICES_MAX } from '../../shared/limits/notice-sources.ts';
import { type Qualification, qualificationState } from '../../shared/senders/qualification.ts';
import type { QualificationNotice } from '../storage/notice-sources-port.ts';
import type { Meta } from './meta.ts';

export const QUALIFICATION_NOTICE_TABLES = `
  CREATE TABLE qualification_notices (n INTEGER PRIMARY KEY, notice TEXT NOT NULL);
`;

export class QualificationNotices {
  readonly #storage: DurableObjectStorage;
  readonly #sql: SqlStorage;
  readonly #meta: Meta;

  constructor(storage: DurableObjectStorage, meta: Meta) {
    this.#storage = storage;
    this.#sql = storage.sql;
    this.#meta = meta;
  }

  /** Must run in the transaction of the change. */
  add(notice: Omit<QualificationNotice, 'n'>, now: number): void {
    const { last } = this.#sql
      .exec<{ last: number | null }>('SELECT MAX(n) AS last FROM qualification_notices')
      .one();
    // The time keeps the number above every earlier one, even if the coordinator has lost its tables.
    const n = Math.max(now, (last ?? this.#meta.number('qualificationsNotified')) + 1);
    this.#sql.exec('INSERT INTO qualification_notices VALUES (?, ?)', n, JSON.stringify({ ...notice, n }));
    this.#sql.exec(
      `DELETE FROM qualification_notices WHERE n NOT IN
       (SELECT n FROM qualification_notices ORDER BY n DESC LIMIT ?)`,
      QUALIFICATION_NOTICES_MAX,
    );
  }

  /** Adds qualifications that have ended since the last call. Must run in a transaction. */
  addEnded(all: readonly Qualification[], now: number): void {
    const since = this.#meta.number('qualificationsEndedAt');
    const ended = all.filter((qualification) => {
      const endsAt = Date.parse(qualification.validUntil ?? '');
      const hasEnded = qualificationState(qualification, now) !== qualification.state;
      return since > 0 && hasEnded && endsAt > since && endsAt <= now;
    });
    // The first call only sets the start, because earlier ends are already known.
    if (since > 0 && ended.length === 0) return;
    for (const { organisation, state: before, factor, validUntil, nextInspectionBy } of ended) {
      const at = Date.parse(validUntil!);
      const after = { state: 'expired', factor, validUntil, nextInspectionBy } as const;
      this.add({ organisation, at, before, ...after }, now);
    }
    this.#meta.set('qualificationsEndedAt', now);
  }

  /** Changes after number `after`, oldest first, including ended qualifications. Removes changes up to `after`. */
  page(all: readonly Qualification[], after: number, limit: number, now: number): QualificationNotice[] {
    return this.#storage.transactionSync(() => {
      this.addEnded(all, now);
      return this.#page(after, limit);
    });
  }

  #page(after: number, limit: number): QualificationNotice[] {
    const { rowsWritten } = this.#sql.exec('DELETE FROM qualification_notices WHERE n <= ?', after);
    if (rowsWritten > 0) this.#meta.set('qualificationsNotified', after);
    return this.#sql
      .exec<{ notice: string }>('SELECT notice FROM qualification_notices ORDER BY n LIMIT ?', limit)
      .toArray()
      .map(({ notice }) => JSON.parse(notice) as QualificationNotice);
  }
}
