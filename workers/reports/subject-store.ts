/**
 * The reports of the subjects of one shard. Totals count every report. Rows are kept only of reports that rules may
 * count, so an evaluation reads a bounded number of rows, however many reports a subject gets.
 */
import {
  REPORTS_KEPT_DAYS,
  REPORTS_PER_PARTNER_MAX,
  REPORTS_PER_REPORTER_MAX,
  SCAN_SUBJECTS_MAX,
} from '../../shared/limits/intake.ts';
import type { PartnerKind } from '../../shared/reports/partner.ts';
import type { RuleTarget } from '../../shared/reports/rule.ts';
import { DAY_MS } from '../../shared/time.ts';
import type { ScannedSubject, ScanPage } from '../storage/rehearsal-port.ts';
import type { CountRow, CountSource, Seals, SubjectTotals } from '../storage/reports-port.ts';
import { ReportDays } from './report-days.ts';
import type { ArrivedReport } from './subject-rules.ts';
import { packTraits, unpackTraits } from './traits.ts';

export interface Subject {
  readonly key: string;
  readonly seal: string;
  readonly mock: boolean;
  readonly target: RuleTarget;
  /** Reports before this time do not count, ms since 1970. */
  readonly resetAt: number;
}

type TotalsRow = {
  received: number;
  counted: number;
  over_budget: number;
  withdrawn: number;
  not_spam: number;
};

/** The changes to add to the totals. */
type Tally = { -readonly [Name in keyof SubjectTotals]: SubjectTotals[Name] };

type SubjectRow = { key: string; seal: string; mock: number; campaign: number; reset_at: number };

type KeptRow = {
  source: number;
  seq: number;
  reporter: string;
  traits: number;
  at: number;
  arrived_at: number;
  partner: string;
  kind: string;
};

const ADD = `received = received + ?, counted = counted + ?, over_budget = over_budget + ?,
  withdrawn = withdrawn + ?, not_spam = not_spam + ?`;
const TOTALS = 'received, counted, over_budget, withdrawn, not_spam';

export class SubjectStore {
  readonly #sql: SqlStorage;
  readonly days: ReportDays;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    this.days = new ReportDays(sql);
  }

  /** The number of the intake's last counted flush; 0 for none. */
  lastOf(intake: string): number {
    const [row] = this.#sql.exec<{ n: number }>('SELECT n FROM sources WHERE intake = ?', intake).toArray();
    return row?.n ?? 0;
  }

  /**
   * Counts the rows of a flush. Must run in a transaction.
   * @returns for each subject of the rows, whether any of its reports were withdrawn
   */
  count(
    { intake, id: partner, kind, mock }: CountSource,
    n: number,
    rows: readonly CountRow[],
    seals: Seals,
    now: number,
  ): Map<string, boolean> {
    this.#sql.exec(
      `INSERT INTO sources (intake, partner, kind, n) VALUES (?, ?, ?, ?)
       ON CONFLICT (intake) DO UPDATE SET kind = excluded.kind, n = excluded.n`,
      ...[intake, partner, kind, n],
    );
    const { id: source } = this.#sql
      .exec<{ id: number }>('SELECT id FROM sources WHERE intake = ?', intake)
      .one();
    const touched = new Map<string, boolean>();
    const all = newTally();
    for (const [subject, own] of Map.groupBy(rows, (row) => row.subject)) {
      const tally = newTally();
      for (const row of own) this.#countRow(source, row, tally, now);
      const isCampaign = own[0]!.target === 'campaign';
      this.#add(subject, tally, seals, { mock, isCampaign }, now);
      // In the totals, a report counts once: for its sender, not for its campaign.
      if (!isCampaign) {
        this.days.add(subject, own);
        for (const name of Object.keys(all) as (keyof Tally)[]) all[name] += tally[name];
      }
      touched.set(
        subject,
        own.some(({ op }) => op === 'withdraw'),
      );
    }
    this.#sql.exec(`UPDATE totals SET ${ADD}`, ...valuesOf(all));
    return touched;
  }

  /** Null if the subject has no reports, or all of them have expired. */
  subject(key: string): Subject | null {
    const [row] = this.#sql
      .exec<SubjectRow>('SELECT key, seal, mock, campaign, reset_at FROM subjects WHERE key = ?', key)
      .toArray();
    return row === undefined ? null : subjectOf(row);
  }

  /** The reports of a subject that rules may count. Removes rows beyond the number that may be kept. */
  reports(subject: string): ArrivedReport[] {
    const rows = this.#rows(subject, 0);
    const kept = keptOf(rows);
    if (kept.length < rows.length) {
      const isKept = new Set(kept);
      for (const row of rows) if (!isKept.has(row)) this.#remove(subject, row.source, row.seq);
    }
    return kept.map(countedOf);
  }

  /** @returns false if this reset or a later one was already made */
  reset(subject: string, at: number): boolean {
    const { rowsWritten } = this.#sql.exec(
      'UPDATE subjects SET reset_at = ? WHERE key = ? AND reset_at < ?',
      ...[at, subject, at],
    );
    return rowsWritten > 0;
  }

  totalsOf(subject: string): SubjectTotals | null {
    const [row] = this.#sql
      .exec<TotalsRow>(`SELECT ${TOTALS} FROM subjects WHERE key = ?`, subject)
      .toArray();
    return row === undefined ? null : totalsOf(row);
  }

  get totals(): SubjectTotals {
    return totalsOf(this.#sql.exec<TotalsRow>(`SELECT ${TOTALS} FROM totals`).one());
  }

  /** See SubjectScan. A page also ends after SCAN_SUBJECTS_MAX subjects. */
  scan(after: string, limit: number, since: number, reportsMin: number, target: RuleTarget): ScanPage {
    const page = this.#sql
      .exec<SubjectRow>(
        'SELECT key, seal, mock, campaign, reset_at FROM subjects WHERE key > ? ORDER BY key LIMIT ?',
        ...[after, SCAN_SUBJECTS_MAX],
      )
      .toArray();
    const subjects: ScannedSubject[] = [];
    let [count, last] = [0, ''];
    for (const row of page) {
      const { key: subject, seal, resetAt, target: own } = subjectOf(row);
      last = subject;
      if (own !== target) continue;
      const reports = this.#rows(subject, since).map(countedOf);
      if (reports.length < reportsMin) continue;
      subjects.push({ subject, seal, resetAt, reports });
      count += reports.length;
      if (count >= limit) return { subjects, next: last };
    }
    return { subjects, next: page.length < SCAN_SUBJECTS_MAX ? null : last };
  }

  /**
   * Removes expired reports of the next subjects, and subjects without newer reports. Must run in a transaction.
   * @param after keyed subject; '' to start @returns the last subject; null at the end
   */
  sweep(after: string, limit: number, now: number): string | null {
    const ended = now - REPORTS_KEPT_DAYS * DAY_MS;
    const keys = this.#sql
      .exec<{ key: string }>('SELECT key FROM subjects WHERE key > ? ORDER BY key LIMIT ?', after, limit)
      .toArray();
    for (const { key } of keys) {
      this.#sql.exec('DELETE FROM reports WHERE subject = ? AND at <= ?', key, ended);
      this.#sql.exec('DELETE FROM subjects WHERE key = ? AND last_at <= ?', key, ended);
    }
    return keys.at(-1)?.key ?? null;
  }

  #countRow(source: number, row: CountRow, tally: Tally, now: number): void {
    const { seq, subject, isCounted } = row;
    if (row.op === 'withdraw') {
      tally.withdrawn++;
      if (!isCounted) return;
      tally.counted--;
      if (row.spam === 'notSpam') tally.notSpam--;
      this.#remove(subject, source, seq);
      return;
    }
    tally.received++;
    if (!isCounted) {
      tally.overBudget++;
      return;
    }
    tally.counted++;
    if (row.spam === 'notSpam') tally.notSpam++;
    // An intake that was set back to an earlier state reuses numbers.
    this.#sql.exec(
      'INSERT OR REPLACE INTO reports VALUES (?, ?, ?, ?, ?, ?, ?)',
      ...[subject, source, seq, row.reporter, packTraits({ ...row, route: null }), row.at, now],
    );
  }

  #add(
    subject: string,
    tally: Tally,
    seals: Seals,
    { mock, isCampaign }: { readonly mock: boolean; readonly isCampaign: boolean },
    now: number,
  ): void {
    this.#sql.exec(
      `INSERT INTO subjects VALUES (?, ?, ?, 0, 0, 0, 0, 0, 0, ?, ?) ON CONFLICT (key) DO NOTHING`,
      ...[subject, seals[subject] ?? '', mock ? 1 : 0, now, isCampaign ? 1 : 0],
    );
    this.#sql.exec(
      `UPDATE subjects SET ${ADD}, last_at = ? WHERE key = ?`,
      ...[...valuesOf(tally), now, subject],
    );
  }

  /** All rows of a subject, newest first. @param since ms since 1970 */
  #rows(subject: string, since: number): KeptRow[] {
    return this.#sql
      .exec<KeptRow>(
        `SELECT source, seq, reporter, traits, at, arrived_at, partner, kind FROM reports
         JOIN sources ON sources.id = source WHERE subject = ? AND at >= ? ORDER BY at DESC, seq DESC`,
        ...[subject, since],
      )
      .toArray();
  }

  #remove(subject: string, source: number, seq: number): void {
    this.#sql.exec('DELETE FROM reports WHERE subject = ? AND source = ? AND seq = ?', subject, source, seq);
  }
}

/** The rows that may be kept. @param rows newest first */
function keptOf(rows: readonly KeptRow[]): readonly KeptRow[] {
  if (rows.length <= REPORTS_PER_REPORTER_MAX) return rows;
  const counts = new Map<string, number>();
  const fits = (key: string, max: number): boolean => {
    const count = (counts.get(key) ?? 0) + 1;
    counts.set(key, count);
    return count <= max;
  };
  return rows.filter(({ reporter, partner, traits }) => {
    if (!fits(`${partner} ${reporter}`, REPORTS_PER_REPORTER_MAX)) return false;
    const isNotSpam = unpackTraits(traits).spam === 'notSpam';
    return fits(`${partner} ${isNotSpam ? 'not spam' : 'spam'}`, REPORTS_PER_PARTNER_MAX);
  });
}

function countedOf({ reporter, partner, kind, traits, at, arrived_at: arrivedAt }: KeptRow): ArrivedReport {
  const { spam, channel, origin } = unpackTraits(traits);
  return { reporter, partner, kind: kind as PartnerKind, spam, channel, origin, at, arrivedAt };
}

function subjectOf({ key, seal, mock, campaign, reset_at: resetAt }: SubjectRow): Subject {
  return { key, seal, mock: mock === 1, target: campaign === 1 ? 'campaign' : 'number', resetAt };
}

function newTally(): Tally {
  return { received: 0, counted: 0, overBudget: 0, withdrawn: 0, notSpam: 0 };
}

function valuesOf({ received, counted, overBudget, withdrawn, notSpam }: Tally): number[] {
  return [received, counted, overBudget, withdrawn, notSpam];
}

function totalsOf({ received, counted, over_budget, withdrawn, not_spam }: TotalsRow): SubjectTotals {
  return { received, counted, overBudget: over_budget, withdrawn, notSpam: not_spam };
}
