/**
 * The state of reported campaigns: the campaigns of the last flush of each intake, so that a repeated flush changes
 * nothing, and how many campaigns each partner has begun today.
 */

export class ReportedCampaigns {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** The last flush of an intake, and its campaigns; `n` is 0 for none. */
  last(intake: string): { readonly n: number; readonly ids: readonly number[] } {
    const [row] = this.#sql
      .exec<{ n: number; ids: string }>('SELECT n, ids FROM campaign_flushes WHERE intake = ?', intake)
      .toArray();
    return row === undefined ? { n: 0, ids: [] } : { n: row.n, ids: JSON.parse(row.ids) as number[] };
  }

  /** Must run in a transaction. */
  store(intake: string, n: number, ids: readonly number[]): void {
    this.#sql.exec(
      'INSERT OR REPLACE INTO campaign_flushes VALUES (?, ?, ?)',
      intake,
      n,
      JSON.stringify(ids),
    );
  }

  /** Campaigns that the reports of a partner began on a day (days since 1970). */
  begun(partner: string, day: number): number {
    const [row] = this.#sql
      .exec<{ many: number }>(
        'SELECT many FROM campaigns_begun WHERE partner = ? AND day = ?',
        ...[partner, day],
      )
      .toArray();
    return row?.many ?? 0;
  }

  /** Must run in a transaction. */
  setBegun(partner: string, day: number, many: number): void {
    this.#sql.exec('INSERT OR REPLACE INTO campaigns_begun VALUES (?, ?, ?)', partner, day, many);
  }
}
