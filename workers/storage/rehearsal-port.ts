/**
 * What a rehearsal of a rule reads: the kept reports from the counts of subjects, and past blocks from the desk.
 */
import type { CountedReport } from '../../shared/reports/evaluate.ts';
import type { RuleRef, RuleTarget } from '../../shared/reports/rule.ts';

/** A subject and its reports. */
export interface ScannedSubject {
  /** Keyed. */
  readonly subject: string;
  readonly seal: string;
  /** Reports before this time no longer count, ms since 1970; 0 if all reports count. */
  readonly resetAt: number;
  /** Reports that count: within the budgets, and not withdrawn. */
  readonly reports: readonly CountedReport[];
}

export interface ScanPage {
  /** In the order of their keys. */
  readonly subjects: readonly ScannedSubject[];
  /** Pass as `after` for the next page; null on the last one. */
  readonly next: string | null;
}

/** Implemented by SubjectCounts. */
export interface SubjectScan {
  /**
   * Subjects with at least `reportsMin` counted reports since a time, with these reports.
   * @param after keyed subject; empty to start
   * @param limit reports of a page: it ends with the subject that exceeds it
   * @param since ms since 1970
   * @param target kind of the subjects
   */
  scan(
    after: string,
    limit: number,
    since: number,
    reportsMin: number,
    target?: RuleTarget,
  ): Promise<ScanPage>;
}

/** Past blocks of a subject that rules made. */
export interface PastBlock {
  /** Rules that blocked the subject, without rules in shadow and without mere proposals. */
  readonly rules: readonly RuleRef[];
  /** Whether an appeal was accepted against one of these blocks. */
  readonly appealed: boolean;
}

/** Implemented by ResponseDesk. */
export interface BlockHistory {
  /** Blocks that began since a time, by keyed subject. Subjects without a block are left out. */
  pastBlocks(subjects: readonly string[], since: number): Promise<Readonly<Record<string, PastBlock>>>;
}
