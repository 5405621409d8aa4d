/**
 * The hours in which subjects were reported as spam, until the organisations that have registered these subjects are notified.
 * There is one row for each subject and hour, however many reports arrive. The counts are read from the reports themselves.
 */
import { REPORTED_AT_ONCE } from '../../shared/limits/notice-sources.ts';
import type { ReportFacts } from '../../shared/notices/routing.ts';
import { SPAM_KINDS, type SpamKind } from '../../shared/reports/report.ts';
import { HOUR_MS } from '../../shared/time.ts';
import type { CountRow } from '../storage/reports-port.ts';
import { unpackTraits } from './traits.ts';

export interface ReportedSubject {
  /** Hours since 1970. */
  readonly hour: number;
  readonly subject: string;
  readonly seal: string;
}

type TraitsRow = { traits: number; many: number; first_at: number; last_at: number };

export class ReportedHours {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** Must run in the transaction that counts the rows. @param rows of a partner that is not a mock partner */
  add(rows: readonly CountRow[], now: number): void {
    const hour = Math.floor(now / HOUR_MS);
    const subjects = new Set<string>();
    for (const row of rows)
      if (row.op === 'report' && row.isCounted && row.spam !== 'notSpam') subjects.add(row.subject);
    for (const subject of subjects)
      this.#sql.exec('INSERT OR IGNORE INTO reported VALUES (?, ?)', hour, subject);
  }

  /** When the oldest hour is over, in ms since 1970; null if no subject waits. */
  get dueAt(): number | null {
    const { hour } = this.#sql.exec<{ hour: number | null }>('SELECT MIN(hour) AS hour FROM reported').one();
    return hour === null ? null : (hour + 1) * HOUR_MS;
  }

  /** At most REPORTED_AT_ONCE subjects of hours that are over, oldest first. */
  due(now: number): ReportedSubject[] {
    return this.#sql
      .exec<{ hour: number; subject: string; seal: string | null }>(
        `SELECT hour, subject, seal FROM reported LEFT JOIN subjects ON subjects.key = subject
         WHERE hour < ? ORDER BY hour, subject LIMIT ?`,
        ...[Math.floor(now / HOUR_MS), REPORTED_AT_ONCE],
      )
      .toArray()
      .map(({ hour, subject, seal }) => ({ hour, subject, seal: seal ?? '' }));
  }

  /** Must run in a transaction. */
  remove(subjects: readonly ReportedSubject[]): void {
    for (const { hour, subject } of subjects)
      this.#sql.exec('DELETE FROM reported WHERE hour = ? AND subject = ?', hour, subject);
  }

  /**
   * Counts the reports of spam that arrived in an hour and were not withdrawn, by kind. Counts only reports that are kept
   * for rules: at most REPORTS_PER_REPORTER_MAX of a reporter and REPORTS_PER_PARTNER_MAX of a partner.
   */
  kinds({ hour, subject }: ReportedSubject): ReadonlyMap<SpamKind, number> {
    const found = new Map<SpamKind, number>();
    const rows = this.#traits('AND arrived_at >= ? AND arrived_at < ?', subject, [
      hour * HOUR_MS,
      (hour + 1) * HOUR_MS,
    ]);
    for (const { traits, many } of rows) {
      const { spam } = unpackTraits(traits);
      if (spam !== 'notSpam') found.set(spam, (found.get(spam) ?? 0) + many);
    }
    return new Map(SPAM_KINDS.flatMap((kind) => (found.has(kind) ? [[kind, found.get(kind)!]] : [])));
  }

  /** See SubjectObject. */
  facts(subject: string): ReportFacts | null {
    const rows = this.#traits('', subject, []).map((row) => ({ ...row, ...unpackTraits(row.traits) }));
    const spam = rows.filter((row) => row.spam !== 'notSpam');
    if (spam.length === 0) return null;
    return {
      channel: most(spam, ({ channel }) => channel),
      kind: most(spam, (row) => row.spam),
      firstAt: Math.min(...spam.map((row) => row.first_at)),
      lastAt: Math.max(...spam.map((row) => row.last_at)),
    };
  }

  #traits(where: string, subject: string, values: readonly number[]): TraitsRow[] {
    return this.#sql
      .exec<TraitsRow>(
        `SELECT traits, COUNT(*) AS many, MIN(at) AS first_at, MAX(at) AS last_at FROM reports
         WHERE subject = ? ${where} GROUP BY traits ORDER BY traits`,
        ...[subject, ...values],
      )
      .toArray();
  }
}

/** The name with the most reports. On a tie, the first. */
function most<Row extends { readonly many: number }, Name>(
  rows: readonly Row[],
  nameOf: (row: Row) => Name,
): Name {
  const counts = new Map<Name, number>();
  for (const row of rows) counts.set(nameOf(row), (counts.get(nameOf(row)) ?? 0) + row.many);
  return [...counts].reduce((best, each) => (each[1] > best[1] ? each : best))[0];
}
