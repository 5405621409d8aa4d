/** The store of statistics by month, of which there is one: how others call it, and what it needs from them. */
import type { AppealMonth } from '../../shared/statistics/figures.ts';
import type { Organisation } from '../../shared/organisations.ts';
import type { Client } from '../../shared/clients.ts';
import type { QualificationInfo } from '../../shared/senders/qualification.ts';
import type { Partners } from './reports-port.ts';

/** The name of the only store of statistics. */
export const STATISTICS_NAME = 'main';

export interface StatisticsStatus {
  /** The newest closed month; null if there is none. */
  readonly closed: string | null;
  /** Months that are over for MONTH_CLOSED_AFTER_MS and not closed yet. */
  readonly due: number;
  /** Intakes that are known. */
  readonly intakes: number;
}

export interface StatisticsObject {
  /** Called by the cron: closes the months that are due. Never fails. */
  sweep(): Promise<void>;
  /** An intake exists, and its counts belong to the statistics. It calls until it is answered. Idempotent. */
  announce(intake: string): Promise<void>;
  status(): Promise<StatisticsStatus>;
}

/** A version of a month, as the audit log records it. */
export interface RecordedMonth {
  /** `2026-11` */
  readonly month: string;
  readonly version: number;
  /** SHA-256 of the exact and of the published tables, hex. */
  readonly digest: string;
  /** Who corrected it; null for the first version, which the service makes. */
  readonly actor: string | null;
  readonly reason: string;
}

/** What statistics need from the coordinator. */
export interface StatisticsSource {
  partners(): Promise<Pick<Partners, 'partners'>>;
  organisations(): Promise<readonly Organisation[]>;
  clients(): Promise<readonly Client[]>;
  qualifications(): Promise<readonly QualificationInfo[]>;
  /** Records a version in the audit log. Idempotent by month and version. */
  recordStatistics(version: RecordedMonth): Promise<void>;
}

/** What statistics need from the store of appeals. */
export interface AppealMonths {
  /** @param from ms since 1970 @param to exclusive */
  month(from: number, to: number): Promise<AppealMonth>;
}
