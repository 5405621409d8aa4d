/**
 * The reports of an intake. Reports and withdrawals share one sequence of numbers, and the outbox is the part of it after
 * the last flush, so it needs no copy. Of a stored report, only the state and the campaign of its text change.
 */
import { REPORTS_KEPT_DAYS, REPORTS_REMOVED_AT_ONCE } from '../../shared/limits/intake.ts';
import { DAY_MS } from '../../shared/time.ts';
import type { Acceptance, KeptReport, Seals } from '../storage/reports-port.ts';
import { type CountedReport, MonthCounts } from './month-counts.ts';
import { packTraits } from './traits.ts';

/** Bits of the state of a report. */
export const OVER_BUDGET = 1;
export const WITHDRAWN = 2;
/** The reporter is over the budget of campaigns, so the report does not count for the campaign of its text. */
export const CAMPAIGN_OVER_BUDGET = 4;

/** How many more reports the intake may keep today, and look at in this minute. */
export interface Room {
  readonly day: number;
  readonly minute: number;
}

type Known = {
  subject: string;
  reporter: string;
  traits: number;
  at: number;
  state: number;
  relay_code: string | null;
  operator: string | null;
  campaign: string | null;
};

type Totals = {
  acknowledged: number;
  withdrawn: number;
  over_budget: number;
  day: number;
  day_used: number;
};

export class IntakeStore {
  readonly #storage: DurableObjectStorage;
  readonly #sql: SqlStorage;
  readonly months: MonthCounts;
  /** Number of the newest report or withdrawal. */
  #last: number;

  /** @param flushed number of the last report or withdrawal of the last flush */
  constructor(storage: DurableObjectStorage, flushed: number) {
    this.#storage = storage;
    this.#sql = storage.sql;
    this.months = new MonthCounts(storage.sql);
    const { reports, withdrawals } = this.#sql
      .exec<{ reports: number | null; withdrawals: number | null }>(
        'SELECT (SELECT MAX(seq) FROM reports) AS reports, (SELECT MAX(seq) FROM withdrawals) AS withdrawals',
      )
      .one();
    this.#last = Math.max(reports ?? 0, withdrawals ?? 0, flushed);
  }

  get last(): number {
    return this.#last;
  }

  get totals(): Totals {
    return this.#sql.exec<Totals>('SELECT * FROM totals').one();
  }

  /** How many reports were accepted on the current day (UTC). @param now ms since 1970 */
  usedOn(now: number): number {
    const { day, day_used: used } = this.totals;
    return day === Math.floor(now / DAY_MS) ? used : 0;
  }

  /** Keeps the new reports, as long as there is room. @returns in the order of the reports */
  accept(reports: readonly KeptReport[], seals: Seals, room: Room, now: number): Acceptance[] {
    const before = this.#last;
    return this.#change(() => {
      const counted: CountedReport[] = [];
      const answers = reports.map((report, index): Acceptance => {
        if (index >= room.minute) return 'minuteFull';
        if (this.#last - before < room.day && this.#insert(report, now)) {
          const { at, relayCode, ingressOperator: operator } = report;
          counted.push({ traits: packTraits(report), at, received: now, relayCode, operator });
          return 'accepted';
        }
        const known = this.#known(report.reportId);
        if (known === null) return 'dayFull';
        const isWithdrawn = (known.state & WITHDRAWN) !== 0;
        if (isSame(known, report)) return isWithdrawn ? 'withdrawn' : 'known';
        return isWithdrawn ? 'conflictWithdrawn' : 'conflict';
      });
      const accepted = this.#last - before;
      if (accepted === 0) return answers;
      this.months.add(counted);
      this.#sql.exec('INSERT INTO requests VALUES (?, ?)', this.#last, JSON.stringify(seals));
      this.#sql.exec(
        'UPDATE totals SET acknowledged = acknowledged + ?, day = ?, day_used = ?',
        ...[accepted, Math.floor(now / DAY_MS), this.usedOn(now) + accepted],
      );
      return answers;
    });
  }

  /** Withdraws reports. @returns in the order of the IDs, whether a report with the ID exists */
  withdraw(ids: readonly string[]): boolean[] {
    return this.#change(() => {
      const found = ids.map((id) => this.#stored(id));
      const open = found.filter((report) => report !== null && (report.state & WITHDRAWN) === 0);
      this.#withdrawAll([...new Set(open.map((report) => report!.seq))]);
      return found.map((report) => report !== null);
    });
  }

  /**
   * Looks at up to `limit` reports with the numbers `from` to `to`, both inclusive, and withdraws them.
   * @returns the number to continue from, and how many reports this call withdrew
   */
  withdrawSome(from: number, to: number, limit: number): { readonly next: number; readonly count: number } {
    return this.#change(() => {
      const rows = this.#sql
        .exec<{ seq: number; state: number }>(
          'SELECT seq, state FROM reports WHERE seq BETWEEN ? AND ? ORDER BY seq LIMIT ?',
          ...[from, to, limit],
        )
        .toArray();
      const open = rows.filter(({ state }) => (state & WITHDRAWN) === 0).map(({ seq }) => seq);
      this.#withdrawAll(open);
      return { next: rows.length < limit ? to + 1 : rows.at(-1)!.seq + 1, count: open.length };
    });
  }

  /** The number of the first report that arrived at this time or later. Reports are stored in order of arrival. */
  firstSince(since: number): number {
    let [low, high] = [1, this.#last + 1];
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      const [row] = this.#sql
        .exec<{ received: number }>(
          'SELECT received FROM reports WHERE seq >= ? ORDER BY seq LIMIT 1',
          middle,
        )
        .toArray();
      if (row === undefined || row.received >= since) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** @param campaigns numbers of reports whose texts do not count for their campaigns */
  setOverBudget(seqs: readonly number[], campaigns: readonly number[]): void {
    const set = (seq: number, bit: number) =>
      this.#sql.exec('UPDATE reports SET state = state | ? WHERE seq = ?', bit, seq);
    for (const seq of seqs) set(seq, OVER_BUDGET);
    for (const seq of campaigns) set(seq, CAMPAIGN_OVER_BUDGET);
    if (seqs.length > 0) this.#sql.exec('UPDATE totals SET over_budget = over_budget + ?', seqs.length);
  }

  /** When the oldest report expires, in ms since 1970; null if there is none. */
  get endsAt(): number | null {
    const [row] = this.#sql
      .exec<{ received: number }>('SELECT received FROM reports ORDER BY seq LIMIT 1')
      .toArray();
    return row === undefined ? null : row.received + REPORTS_KEPT_DAYS * DAY_MS;
  }

  /** Removes some of the expired reports. @param flushed number of the last flushed row: later reports are not counted yet */
  removeEnded(now: number, flushed: number): void {
    this.#sql.exec(
      `DELETE FROM reports WHERE received <= ?
       AND seq IN (SELECT seq FROM reports WHERE seq <= ? ORDER BY seq LIMIT ?)`,
      ...[now - REPORTS_KEPT_DAYS * DAY_MS, flushed, REPORTS_REMOVED_AT_ONCE],
    );
  }

  /** Runs a change in a transaction. If it fails, its numbers are used again. */
  #change<Value>(change: () => Value): Value {
    const before = this.#last;
    try {
      return this.#storage.transactionSync(change);
    } catch (error) {
      this.#last = before;
      throw error;
    }
  }

  #insert(report: KeptReport, now: number): boolean {
    const { reportId, subject, reporter, at, relayCode, ingressOperator, campaign } = report;
    // An isolate with an older version sends no fingerprint.
    const { fingerprint = null } = report;
    const inserted = this.#sql.exec(
      `INSERT INTO reports (seq, id, subject, reporter, traits, at, received, state, relay_code, operator, campaign)
       VALUES (?, ?, ?, ?, ?, ?, ?, 0, ?, ?, ?)
       ON CONFLICT (id) DO NOTHING RETURNING seq`,
      ...[this.#last + 1, reportId, subject, reporter, packTraits(report), at, now],
      ...[relayCode, ingressOperator, campaign],
    );
    if (inserted.toArray().length === 0) return false;
    this.#last++;
    if (fingerprint !== null) {
      const { keyId, bytes } = fingerprint;
      this.#sql.exec('INSERT INTO fingerprints VALUES (?, ?, ?)', this.#last, keyId, bytes);
    }
    return true;
  }

  #withdrawAll(seqs: readonly number[]): void {
    if (seqs.length === 0) return;
    const counted = seqs.map((seq) => {
      this.#sql.exec('INSERT INTO withdrawals VALUES (?, ?)', ++this.#last, seq);
      return this.#sql
        .exec<CountedReport & Record<string, SqlStorageValue>>(
          `UPDATE reports SET state = state | ? WHERE seq = ?
           RETURNING traits, at, received, relay_code AS relayCode, operator`,
          ...[WITHDRAWN, seq],
        )
        .one();
    });
    this.months.withdraw(counted);
    this.#sql.exec('INSERT INTO requests VALUES (?, ?)', this.#last, '{}');
    this.#sql.exec('UPDATE totals SET withdrawn = withdrawn + ?', seqs.length);
  }

  #stored(id: string): { seq: number; state: number } | null {
    const [row] = this.#sql
      .exec<{ seq: number; state: number }>('SELECT seq, state FROM reports WHERE id = ?', id)
      .toArray();
    return row ?? null;
  }

  #known(id: string): Known | null {
    const [row] = this.#sql
      .exec<Known>(
        'SELECT subject, reporter, traits, at, state, relay_code, operator, campaign FROM reports WHERE id = ?',
        id,
      )
      .toArray();
    return row ?? null;
  }
}

/** Texts are not compared, because fingerprints are kept only until the next flush. */
function isSame(known: Known, report: KeptReport): boolean {
  return (
    known.subject === report.subject &&
    known.reporter === report.reporter &&
    known.traits === packTraits(report) &&
    known.at === report.at &&
    known.relay_code === report.relayCode &&
    known.operator === report.ingressOperator &&
    known.campaign === report.campaign
  );
}
