/**
 * The record of each partner. Confirmed blocks that were based on its reports raise the weight of its reports, and blocks
 * that an appeal lifted lower it. Every change is in the audit chain.
 */
import { RECORD_AT_FIRST, recordAfter } from '../../shared/reports/partner.ts';
import type { AuditChain, Author } from '../storage/audit-chain.ts';

export interface PartnerRecord {
  readonly record: number;
  /** The number of confirmed blocks based on the partner's reports, and of blocks that an appeal lifted. */
  readonly confirmed: number;
  readonly appealed: number;
}

type Row = { id: string; record: number; confirmed: number; appealed: number };

export class PartnerRecords {
  readonly #sql: SqlStorage;
  readonly #audit: AuditChain;

  constructor(sql: SqlStorage, audit: AuditChain) {
    this.#sql = sql;
    this.#audit = audit;
  }

  of(partner: string): PartnerRecord {
    const [row] = this.#sql.exec<Row>('SELECT * FROM partners WHERE id = ?', partner).toArray();
    if (row === undefined) return { record: RECORD_AT_FIRST, confirmed: 0, appealed: 0 };
    const { id: _, ...record } = row;
    return record;
  }

  /** Must run in the transaction of the change. @param block whose reports were right or wrong */
  change(author: Author, partners: readonly string[], event: 'confirmed' | 'appealed', block: number): void {
    for (const partner of partners) {
      const before = this.of(partner);
      const after: PartnerRecord = {
        ...before,
        record: recordAfter(before.record, event),
        [event]: before[event] + 1,
      };
      this.#sql.exec(
        'INSERT OR REPLACE INTO partners VALUES (?, ?, ?, ?)',
        ...[partner, after.record, after.confirmed, after.appealed],
      );
      this.#audit.append(author, `partner ${partner}`, {
        ...{ action: 'partners.record', before, after: { ...after, ruleBlock: block } },
      });
    }
  }
}
