/**
 * What flows from partners to decisions: a report goes to the intake of its partner, then to the budget of its
 * reporter, then to the counts of its subject. Reporters and subjects are keyed in the isolate that received the
 * report (shared/reports/report-keys.ts), so no object ever has a number in clear.
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
  /** Of its text; null if it has none, or one that is too short, or nobody can take it. Dropped with the next flush. */
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
  /** Those that may report. */
  readonly clients: readonly Client[];
}

/** What reports need from the coordinator. */
export interface PartnerSource {
  partners(): Promise<Partners>;
}

/** What an intake must know of its partner. */
export interface IntakePartner extends CountSource {
  /** Reports that the intake takes a day: its share of what the partner may send. */
  readonly reportsPerDay: number;
}

/**
 * `known`, `withdrawn`: the same report is there, or was withdrawn. `conflict`, `conflictWithdrawn`: such a report has the
 * ID, with other content. `dayFull`, `minuteFull`: the partner has sent too many, and nothing of this report is kept.
 */
export type Acceptance = ReportStatus | 'conflict' | 'conflictWithdrawn' | 'dayFull' | 'minuteFull';

/** What became of a report that is kept. A withdrawn one never counts again. */
export type ReportStatus = 'accepted' | 'known' | 'withdrawn';

/** The withdrawal of all reports that a partner made since a time. */
export interface PartnerWithdrawal {
  /** ms since 1970. */
  readonly since: number;
  readonly requestedAt: number;
  /** Reports that it has withdrawn so far. */
  readonly withdrawn: number;
  readonly isDone: boolean;
}

/** Counted since the first report. */
export interface IntakeStatus {
  /** Distinct IDs that were acknowledged. */
  readonly acknowledged: number;
  readonly withdrawn: number;
  /** Beyond the budgets of their reporters. */
  readonly overBudget: number;
  /** Reports and withdrawals that the counts of the subjects do not have yet. */
  readonly waiting: number;
  readonly withdrawal: PartnerWithdrawal | null;
}

/** What an intake has counted of a month. */
export interface IntakeMonth {
  /** Whose reports these are; null if the intake has none yet. */
  readonly partner: ReportingPartner | null;
  /** The first month with a report; null without any. Months are kept for INTAKE_MONTHS_KEPT. */
  readonly first: string | null;
  readonly counts: readonly MonthCount[];
}

/** The reports of one partner, or of a slice of them. */
export interface IntakeObject {
  /**
   * Keeps reports. Idempotent by ID. The answer comes once they are stored: each `accepted` report is then counted
   * exactly once, whatever fails later.
   * @param seals of all their subjects
   * @returns in the order of the reports
   */
  accept(
    partner: IntakePartner,
    reports: readonly KeptReport[],
    seals: Seals,
  ): Promise<readonly Acceptance[]>;
  /**
   * @returns in the order of the IDs, whether each is a report that is now withdrawn; null, and nothing is done, if the
   *   minute has had too many requests
   */
  withdraw(ids: readonly string[]): Promise<readonly boolean[] | null>;
  /** Withdraws all reports that came since a time (ms since 1970), in steps. `status` has the progress. */
  withdrawSince(since: number): Promise<PartnerWithdrawal>;
  status(): Promise<IntakeStatus>;
  /** Exact counts of a month in Korea, such as `2026-11`. */
  month(month: string): Promise<IntakeMonth>;
}

/** A reporter and a subject, both keyed. */
export type ReportedPair = readonly [reporter: string, subject: string];

/** The budgets of reporters: of how many subjects one may report in a day through one partner. */
export interface BudgetObject {
  /**
   * Idempotent: a pair that was admitted is admitted again.
   * @param partner ID, or ID and `/campaigns`. Each has budgets of its own, so none can use up what others have
   * @param day days since 1970
   * @returns indices of the pairs that are over the budget
   */
  admit(partner: string, day: number, pairs: readonly ReportedPair[]): Promise<readonly number[]>;
}

/**
 * A report on its way to the counts of its subject, or the withdrawal of one. A report with a text has a row for its
 * sender, and one for its campaign.
 */
export type CountRow = (ReportRow | WithdrawalRow) & {
  /** What the subject is; absent in what an older version sends, and for a number or sender ID. */
  readonly target?: RuleTarget;
};

interface ReportRow extends Pick<KeptReport, 'subject' | 'reporter' | 'at' | 'channel' | 'spam' | 'origin'> {
  readonly op: 'report';
  /** Number of the report in its intake. The name of the intake and this number identify a report. */
  readonly seq: number;
  /** Whether it is within the budget of its reporter. */
  readonly isCounted: boolean;
}

interface WithdrawalRow {
  readonly op: 'withdraw';
  /** Of the report. Absent in what an older version has stored. */
  readonly at?: number;
  readonly channel?: KeptReport['channel'];
  readonly origin?: KeptReport['origin'];
  /** Of the report. */
  readonly seq: number;
  readonly subject: string;
  readonly spam: KeptReport['spam'];
  readonly isCounted: boolean;
}

/** Where rows come from. */
export interface CountSource extends ReportingPartner {
  /** Name of the intake. */
  readonly intake: string;
}

/** Counted since the first report. `counted`: within the budgets, and not withdrawn; `notSpam` are some of these. */
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
  /** Beyond the budgets of their reporters: they do not count. */
  readonly overBudget: number;
  readonly withdrawn: number;
}

/** The counts of the subjects of one shard. */
export interface SubjectObject extends SubjectScan {
  /**
   * Counts rows, and evaluates the rules of their subjects. Idempotent by intake and `n`, which rises with each flush.
   * @param seals of all subjects of the rows that are reports
   * @returns `last`: the number of the last flush of this intake that is counted. More than `n` means that the intake
   *   was set back: number the flush after it
   */
  apply(
    source: CountSource,
    n: number,
    rows: readonly CountRow[],
    seals: Seals,
  ): Promise<{ readonly last: number }>;
  /** Reports before this time (ms since 1970) no longer count for this subject, and its decisions end. Idempotent. */
  reset(subject: string, at: number): Promise<void>;
  /** What rules may count of each of these subjects, in their order; null for one without reports of spam. */
  reported(subjects: readonly string[]): Promise<readonly (ReportFacts | null)[]>;
  /** Of one subject; null if it has no reports. */
  totalsOf(subject: string): Promise<SubjectTotals | null>;
  totals(): Promise<SubjectTotals>;
  /**
   * Reports of a keyed subject by day, kind and channel; no reporter.
   * @param from first day, to last day, in days since 1970 of Asia/Seoul
   */
  reportEvidence(
    subject: string,
    from: number,
    to: number,
  ): Promise<{ readonly totals: SubjectTotals | null; readonly days: readonly ReportDay[] }>;
}

/** Shard of a keyed subject or reporter: its first six bits. */
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

/** The intake that has reports with this ID: by FNV-1a (32 bits) of the ID. */
export function intakeOf(partner: Pick<Partner, 'id' | 'slices'>, reportId: string): string {
  let hash = 0x811c9dc5;
  for (let at = 0; at < reportId.length; at++)
    hash = Math.imul(hash ^ reportId.charCodeAt(at), 0x01000193) >>> 0;
  // The low bits alone depend on few bits of the text.
  return intakesOf(partner)[((hash ^ (hash >>> 15)) >>> 0) % partner.slices]!;
}
