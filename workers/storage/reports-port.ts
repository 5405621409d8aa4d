/**
 * The path of reports from partners to decisions: a report goes to the intake of its partner, then to the budget of its
 * reporter, then to the counts of its subject. Reporters and subjects are keyed in the isolate that received the report
 * (shared/reports/report-keys.ts), so no object ever has a number in clear.
 */
import type { Client } from '../../shared/clients.ts';
import { REPORT_SHARDS } from '../../shared/limits/intake.ts';
import type { ReportFacts } from '../../shared/notices/routing.ts';
import type { ReportingPartner } from '../../shared/reports/partner.ts';
import type { PartnerSettings } from '../../shared/reports/partner-settings.ts';
import type { Report } from '../../shared/reports/report.ts';
import type { RuleTarget } from '../../shared/reports/rule.ts';
import type { MonthCount } from '../../shared/statistics/figures.ts';
import type { FingerprintBytes } from './campaign-port.ts';
import type { SubjectScan } from './rehearsal-port.ts';

/**
 * A report as it is kept, without its text. `reporter` and `subject` are keyed: 128 bits in base64url.
 */
export interface KeptReport extends Omit<Report, 'subject' | 'text'> {
  readonly subject: string;
  /** Fingerprint of the text; null if there is no text, it is too short, or texts are dropped. Removed with the next flush. */
  readonly fingerprint: TextFingerprint | null;
}

export interface TextFingerprint {
  readonly bytes: FingerprintBytes;
  /** ID of the TEXT_KEY that made it. */
  readonly keyId: string;
}

/** Sealed subjects, by keyed subject. */
export type Seals = Readonly<Record<string, string>>;

/** A partner and what it may do. */
export interface Partner extends PartnerSettings {
  /** ID of the organisation. */
  readonly id: string;
  readonly isSuspended: boolean;
}

export interface Partners {
  readonly partners: readonly Partner[];
  /** Clients that may report. */
  readonly clients: readonly Client[];
}

/** What reports need from the coordinator. */
export interface PartnerSource {
  partners(): Promise<Partners>;
}

/** What an intake must know about its partner. */
export interface IntakePartner extends CountSource {
  /** Reports that the intake accepts a day: its share of the daily limit of the partner. */
  readonly reportsPerDay: number;
}

/**
 * `known`, `withdrawn`: the same report is kept, or was withdrawn. `conflict`, `conflictWithdrawn`: that ID has a report
 * with other content. `dayFull`, `minuteFull`: the partner sent too many reports, and this report is not kept.
 */
export type Acceptance = ReportStatus | 'conflict' | 'conflictWithdrawn' | 'dayFull' | 'minuteFull';

/** The result for a report that is kept. A withdrawn report never counts again. */
export type ReportStatus = 'accepted' | 'known' | 'withdrawn';

/** The withdrawal of all reports that a partner made since a time. */
export interface PartnerWithdrawal {
  /** ms since 1970. */
  readonly since: number;
  readonly requestedAt: number;
  /** Reports that were withdrawn so far. */
  readonly withdrawn: number;
  readonly isDone: boolean;
}

/** Counted since the first report. */
export interface IntakeStatus {
  /** Distinct IDs that were acknowledged. */
  readonly acknowledged: number;
  readonly withdrawn: number;
  /** Reports beyond the budgets of their reporters. */
  readonly overBudget: number;
  /** Reports and withdrawals that the counts of the subjects do not have yet. */
  readonly waiting: number;
  readonly withdrawal: PartnerWithdrawal | null;
}

/** The counts of an intake for one month. */
export interface IntakeMonth {
  /** The partner of these reports; null if the intake has no reports yet. */
  readonly partner: ReportingPartner | null;
  /** The first month that has counts; null if there is none. Counts are kept for INTAKE_MONTHS_KEPT months. */
  readonly first: string | null;
  readonly counts: readonly MonthCount[];
}

/** The reports of one partner, or of a slice of them. */
export interface IntakeObject {
  /**
   * Keeps reports. Idempotent by ID. Answers once the reports are stored: each `accepted` report is then counted exactly
   * once, whatever fails later.
   * @param seals of all subjects of the reports
   * @returns in the order of the reports
   */
  accept(
    partner: IntakePartner,
    reports: readonly KeptReport[],
    seals: Seals,
  ): Promise<readonly Acceptance[]>;
  /**
   * @returns in the order of the IDs, whether a report with the ID exists and is now withdrawn; null, and nothing is
   *   done, if there were too many reports and withdrawals in the minute
   */
  withdraw(ids: readonly string[]): Promise<readonly boolean[] | null>;
  /** Withdraws all reports that arrived since a time (ms since 1970), in steps. `status` shows the progress. */
  withdrawSince(since: number): Promise<PartnerWithdrawal>;
  status(): Promise<IntakeStatus>;
  /** Exact counts of a month in Korea, such as `2026-11`. */
  month(month: string): Promise<IntakeMonth>;
}

/** A reporter and a subject, both keyed. */
export type ReportedPair = readonly [reporter: string, subject: string];

/** The budgets of reporters: the number of subjects that one reporter may report in a day through one partner. */
export interface BudgetObject {
  /**
   * Charges pairs to the budgets. Idempotent: a pair that was admitted is admitted again.
   * @param partner ID, or ID and `/campaigns`. Each has its own budgets, so none can use up the budgets of another
   * @param day days since 1970
   * @returns indices of the pairs that are over the budget
   */
  admit(partner: string, day: number, pairs: readonly ReportedPair[]): Promise<readonly number[]>;
}

/**
 * A report or a withdrawal on its way to the counts of its subject. A report with a text has one row for its sender, and
 * one for its campaign.
 */
export type CountRow = (ReportRow | WithdrawalRow) & {
  /** Kind of the subject. Absent for a number or sender ID, and in rows from an older version. */
  readonly target?: RuleTarget;
};

interface ReportRow extends Pick<KeptReport, 'subject' | 'reporter' | 'at' | 'channel' | 'spam' | 'origin'> {
  readonly op: 'report';
  /** Number of the report in its intake. The name of the intake and this number identify a report. */
  readonly seq: number;
  /** Whether the report is within the budget of its reporter. */
  readonly isCounted: boolean;
}

interface WithdrawalRow {
  readonly op: 'withdraw';
  /** Time, channel and origin of the report. Absent in rows that an older version has stored. */
  readonly at?: number;
  readonly channel?: KeptReport['channel'];
  readonly origin?: KeptReport['origin'];
  /** Number of the report. */
  readonly seq: number;
  readonly subject: string;
  readonly spam: KeptReport['spam'];
  readonly isCounted: boolean;
}

/** The source of rows. */
export interface CountSource extends ReportingPartner {
  /** Name of the intake. */
  readonly intake: string;
}

/** Counted since the first report. `counted`: within the budgets and not withdrawn, including `notSpam`. */
export interface SubjectTotals {
  readonly received: number;
  readonly counted: number;
  readonly overBudget: number;
  readonly withdrawn: number;
  readonly notSpam: number;
}

/** Reports of one subject on one day. */
export interface ReportDay extends Pick<KeptReport, 'channel' | 'spam' | 'origin'> {
  /** Days since 1970, of Asia/Seoul. */
  readonly day: number;
  readonly received: number;
  /** Reports beyond the budgets of their reporters, which do not count. */
  readonly overBudget: number;
  readonly withdrawn: number;
}

/** The counts of the subjects of one shard. */
export interface SubjectObject extends SubjectScan {
  /**
   * Counts rows, and evaluates the rules of their subjects. Idempotent by intake and `n`, which rises with each flush.
   * @param seals of the subjects of all rows that are reports
   * @returns `last`: the number of the last counted flush of this intake. If it is above `n`, the intake was set back:
   *   number the flush after it
   */
  apply(
    source: CountSource,
    n: number,
    rows: readonly CountRow[],
    seals: Seals,
  ): Promise<{ readonly last: number }>;
  /** Reports before this time (ms since 1970) no longer count for this subject, and its decisions end. Idempotent. */
  reset(subject: string, at: number): Promise<void>;
  /** Facts from the reports that rules may count, in the order of the subjects; null without reports of spam. */
  reported(subjects: readonly string[]): Promise<readonly (ReportFacts | null)[]>;
  /** Totals of one subject; null if it has no reports. */
  totalsOf(subject: string): Promise<SubjectTotals | null>;
  totals(): Promise<SubjectTotals>;
  /**
   * Counts of the reports of a keyed subject by day, kind and channel, without reporters.
   * @param from first day @param to last day, both in days since 1970 of Asia/Seoul
   */
  reportEvidence(
    subject: string,
    from: number,
    to: number,
  ): Promise<{ readonly totals: SubjectTotals | null; readonly days: readonly ReportDay[] }>;
}

/** Shard of a keyed subject or reporter, from its first six bits. */
export function shardOf(keyed: string): string {
  return String(ALPHABET.indexOf(keyed[0]!) % REPORT_SHARDS);
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/**
 * Names of the intakes of a partner: its ID, or with several slices its ID and the slice. IDs of organisations have no
 * slash.
 */
export function intakesOf({ id, slices }: Pick<Partner, 'id' | 'slices'>): readonly string[] {
  return slices === 1 ? [id] : Array.from({ length: slices }, (_, slice) => `${id}/${slice}`);
}

/** The intake of reports with this ID, by FNV-1a (32 bits) of the ID. */
export function intakeOf(partner: Pick<Partner, 'id' | 'slices'>, reportId: string): string {
  let hash = 0x811c9dc5;
  for (let at = 0; at < reportId.length; at++)
    hash = Math.imul(hash ^ reportId.charCodeAt(at), 0x01000193) >>> 0;
  // The low bits alone depend on few bits of the text.
  return intakesOf(partner)[((hash ^ (hash >>> 15)) >>> 0) % partner.slices]!;
}
