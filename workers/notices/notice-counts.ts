/** Exact counts of notices by month and type, which outlive the notices. Mock and test notices are not counted. */
import { koreanMonth } from '../../shared/notices/korean-month.ts';
import type { NoticeCount, NoticeType } from '../../shared/notices/notice.ts';

export type CountField = 'notices' | 'delivered' | 'acknowledged' | 'informed';

/** The part of a notice that decides where it counts. */
interface Counted {
  readonly type: NoticeType;
  /** ms since 1970. */
  readonly at: number;
  readonly isMock: boolean;
}

export class NoticeCounts {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** Must run in the transaction of the counted change. */
  add({ type, at, isMock }: Counted, field: CountField, many = 1): void {
    if (isMock || type === 'test' || many === 0) return;
    this.#sql.exec(
      `INSERT INTO counts (month, type, notices, delivered, acknowledged, informed) VALUES (?, ?, 0, 0, 0, 0)
       ON CONFLICT DO NOTHING`,
      ...[koreanMonth(at), type],
    );
    this.#sql.exec(
      `UPDATE counts SET ${field} = ${field} + ? WHERE month = ? AND type = ?`,
      ...[many, koreanMonth(at), type],
    );
  }

  /** @param from such as `2026-11`; both months inclusive */
  between(from: string, to: string): NoticeCount[] {
    return this.#sql
      .exec<Record<keyof NoticeCount, SqlStorageValue>>(
        'SELECT * FROM counts WHERE month >= ? AND month <= ? ORDER BY month, type',
        ...[from, to],
      )
      .toArray() as unknown as NoticeCount[];
  }
}
