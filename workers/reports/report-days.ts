/**
 * How many reports a subject got on each day, by kind and channel. Evaluations do not read it. It outlives the reports
 * themselves, of which only some are kept: an evidence file needs all of them counted, and no reporter.
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

  /** Counts rows of one subject. Must run in the transaction that counts them. */
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

  /** One look-up for each day. @param from first day @param to last day */
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

  /** Removes some of the days that have ended long ago. @returns whether there are more */
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

/** Null for a withdrawal of an older version, which does not have its report. */
function keyOf(row: CountRow): string | null {
  const { at, channel, spam, origin } = row;
  if (at === undefined || channel === undefined || origin === undefined) return null;
  return `${koreanDayOf(at)} ${packTraits({ channel, spam, origin, route: null })}`;
}
