/**
 * Daily counts of the reports of each subject, by kind and channel. Evidence files need every report counted, without its
 * reporter. The counts outlive the reports, of which only some are kept. Evaluations do not read the counts.
 */
import { REPORT_DAYS_KEPT, REPORT_DAYS_REMOVED_AT_ONCE } from '../../shared/limits/evidence-files.ts';
import { koreanDayOf } from '../../shared/time.ts';
import type { CountRow, ReportDay } from '../storage/reports-port.ts';
import { packTraits, unpackTraits } from './traits.ts';

interface Count {
  received: number;
  overBudget: number;
  withdrawn: number;
}

export class ReportDays {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** Adds rows of one subject to its counts. Must run in the transaction that counts the rows. */
  add(subject: string, rows: readonly CountRow[]): void {
    const counts = new Map<string, Count>();
    for (const row of rows) {
      const key = keyOf(row);
      if (key === null) continue;
      const count = counts.get(key) ?? { received: 0, overBudget: 0, withdrawn: 0 };
      counts.set(key, count);
      if (row.op === 'withdraw') count.withdrawn++;
      else count.received++;
      if (row.op === 'report' && !row.isCounted) count.overBudget++;
    }
    for (const [key, { received, overBudget, withdrawn }] of counts) {
      const [day, traits] = key.split(' ').map(Number) as [number, number];
      this.#sql.exec(
        `INSERT INTO days VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (day, subject, traits) DO UPDATE SET
         received = received + excluded.received, over_budget = over_budget + excluded.over_budget,
         withdrawn = withdrawn + excluded.withdrawn`,
        ...[day, subject, traits, received, overBudget, withdrawn],
      );
    }
  }

  /** The counts of a subject, with one look-up for each day. @param from first day @param to last day */
  of(subject: string, from: number, to: number): ReportDay[] {
    const found: ReportDay[] = [];
    for (let day = from; day <= to; day++) {
      const rows = this.#sql.exec<{
        traits: number;
        received: number;
        over_budget: number;
        withdrawn: number;
      }>(
        'SELECT traits, received, over_budget, withdrawn FROM days WHERE day = ? AND subject = ? ORDER BY traits',
        ...[day, subject],
      );
      for (const { traits, received, over_budget: overBudget, withdrawn } of rows) {
        const { channel, spam, origin } = unpackTraits(traits);
        found.push({ day, channel, spam, origin, received, overBudget, withdrawn });
      }
    }
    return found;
  }

  /** Removes some of the counts that are too old. @returns whether more are left */
  sweep(now: number): boolean {
    const ended = koreanDayOf(now) - REPORT_DAYS_KEPT;
    const { rowsWritten } = this.#sql.exec(
      `DELETE FROM days WHERE (day, subject, traits) IN
       (SELECT day, subject, traits FROM days WHERE day < ? ORDER BY day LIMIT ?)`,
      ...[ended, REPORT_DAYS_REMOVED_AT_ONCE],
    );
    return rowsWritten >= REPORT_DAYS_REMOVED_AT_ONCE;
  }
}

/** Null for a withdrawal from an older version, which lacks the fields of its report. */
function keyOf(row: CountRow): string | null {
  const { at, channel, spam, origin } = row;
  if (at === undefined || channel === undefined || origin === undefined) return null;
  return `${koreanDayOf(at)} ${packTraits({ channel, spam, origin, route: null })}`;
}
