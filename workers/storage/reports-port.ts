/**
 * What flows from partners to decisions: a report goes to the intake of its partner, then to the budget of its
 * reporter, then to the counts of its subject. Reporters and subjects are keyed in the isolate that received the
 * report (shared/reports/report-keys.ts), so no object ever has a number in clear.
 */
import { REPORT_SHARDS } from '../../shared/limits/intake.ts';
import type { Channel } from '../../shared/request.ts';
import type { PartnerKind, SpamKind } from '../../shared/reports/report.ts';

/** A report as it is kept, keyed. */
export interface KeptReport {
  /** The partner's own ID of it. */
  readonly id: string;
  /** Keyed: 128 bits in base64url, as `reporter`. */
  readonly subject: string;
  readonly reporter: string;
  /** When the text or call came, in ms since 1970. */
  readonly at: number;
  readonly channel: Channel;
  readonly kind: SpamKind;
  readonly origin: 'domestic' | 'overseas';
  readonly route: string | null;
  readonly relayCode: string | null;
  readonly ingressOperator: string | null;
  readonly campaign: string | null;
}

/** What an intake must know of its partner. */
export interface IntakePartner {
  /** ID of the organisation. */
  readonly id: string;
  readonly kind: PartnerKind;
  /** Its share of what the partner may report in a day. */
  readonly reportsPerDay: number;
  readonly mock: boolean;
}

/**
 * `conflict`: the ID has other content. `dayFull`, `minuteFull`: the partner has sent too many, and nothing of this
 * report is kept.
 */
export type Acceptance = 'accepted' | 'known' | 'conflict' | 'dayFull' | 'minuteFull';

/** The withdrawal of all reports that a partner made since a time. */
export interface PartnerWithdrawal {
  /** ms since 1970. */
  readonly since: number;
  readonly requestedAt: number;
  /** Reports that it has withdrawn so far. */
  readonly withdrawn: number;
  readonly isDone: boolean;
}

export interface IntakeStatus {
  /** Distinct IDs that were acknowledged and are still kept. */
  readonly reports: number;
  /** Of these, reports that SubjectCounts does not have yet. */
  readonly waiting: number;
  readonly withdrawn: number;
  /** Beyond the budgets of their reporters. */
  readonly overBudget: number;
  readonly withdrawal: PartnerWithdrawal | null;
}

/** The reports of one partner, or of a slice of them. */
export interface IntakeObject {
  /**
   * Keeps reports. Idempotent by ID. The answer comes once they are stored: each `accepted` report is then counted
   * exactly once, whatever fails later.
   * @param seals of the subjects, by keyed subject
   * @returns in the order of the reports
   */
  accept(
    partner: IntakePartner,
    reports: readonly KeptReport[],
    seals: Readonly<Record<string, string>>,
  ): Promise<readonly Acceptance[]>;
  /** @returns in the order of the IDs, whether each is a report that is now withdrawn */
  withdraw(ids: readonly string[]): Promise<readonly boolean[]>;
  /** Withdraws all reports that came since a time (ms since 1970), in steps. `status` has the progress. */
  withdrawSince(since: number): Promise<PartnerWithdrawal>;
  status(): Promise<IntakeStatus>;
}

/** The budgets of reporters: of how many subjects one may report in a day. */
export interface BudgetObject {
  /**
   * Idempotent: a pair that was admitted is admitted again.
   * @param day days since 1970 @param pairs a reporter and a subject each
   * @returns indices of the pairs that are over the budget
   */
  admit(day: number, pairs: readonly (readonly [reporter: string, subject: string])[]): Promise<readonly number[]>;
}

/** A report on its way to the counts of its subject, or the withdrawal of one. */
export type CountRow =
  | {
      readonly op: 'report';
      /** Number of the report in its intake: identifies it together with the name of the intake. */
      readonly seq: number;
      readonly subject: string;
      readonly reporter: string;
      readonly at: number;
      readonly channel: Channel;
      readonly kind: SpamKind;
      readonly origin: 'domestic' | 'overseas';
      /** Whether it is within the budget of its reporter. */
      readonly isCounted: boolean;
      /** The sealed subject. */
      readonly seal: string;
    }
  | {
      readonly op: 'withdraw';
      readonly seq: number;
      readonly subject: string;
      readonly channel: Channel;
    };

export interface CountSource {
  /** Name of the intake. */
  readonly intake: string;
  readonly partner: string;
  readonly kind: PartnerKind;
  readonly mock: boolean;
}

/** Exact, over the whole time for which reports are kept. */
export interface SubjectTotals {
  readonly received: number;
  readonly counted: number;
  readonly overBudget: number;
  readonly withdrawn: number;
  readonly notSpam: number;
}

/** The counts of the subjects of one shard. */
export interface SubjectObject {
  /**
   * Counts rows. Idempotent by intake and `n`, which rises with each flush.
   * @returns `last`: the number of the last flush of this intake that is counted. More than `n` means that the intake
   *   was set back: number the flush after it
   */
  apply(source: CountSource, n: number, rows: readonly CountRow[]): Promise<{ readonly last: number }>;
  /** Reports before this time (ms since 1970) no longer count for this subject. Idempotent. */
  reset(subject: string, at: number): Promise<void>;
  totals(): Promise<SubjectTotals>;
}

/** Shard of a keyed subject or reporter: its first six bits. */
export function shardOf(keyed: string): string {
  return String(ALPHABET.indexOf(keyed[0]!) % REPORT_SHARDS);
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
