/** The only store of monthly statistics: how other objects call it, and what it needs from them. */
import type { Client } from '../../shared/clients.ts';
import type { Organisation } from '../../shared/organisations.ts';
import type { QualificationInfo } from '../../shared/senders/qualification.ts';
import type { NoticeFigures } from '../../shared/statistics/counts.ts';
import type { Partners } from './reports-port.ts';
import type { StoreRequest } from './store-request.ts';

/** The name of the only store of statistics. */
export const STATISTICS_NAME = 'main';

export interface StatisticsStatus {
  /** The newest closed month; null if there is none. */
  readonly closed: string | null;
  /** Months that can be closed and are not closed yet. */
  readonly due: number;
  /** Number of known intakes. */
  readonly intakes: number;
  /** Number of sources that are still to be read. */
  readonly waiting: number;
}

export interface StatisticsObject {
  /** Called by the cron: reads sources that are due, and closes months. Never fails. */
  sweep(): Promise<void>;
  /** Adds an intake whose counts belong to the statistics. The intake repeats the call until it succeeds. Idempotent. */
  announce(intake: string): Promise<void>;
  status(): Promise<StatisticsStatus>;
}

/** A version of a month, as the audit log records it. */
export interface RecordedMonth {
  /** `2026-11` */
  readonly month: string;
  readonly version: number;
  /** SHA-256 of the published tables, hex. */
  readonly digest: string;
  /** SHA-256 (hex) of a random salt and the exact counts. Without the salt, nobody can guess small counts. */
  readonly exactDigest: string;
}

/** What statistics need from the coordinator. */
export interface StatisticsSource {
  partners(): Promise<Pick<Partners, 'partners'>>;
  organisations(): Promise<readonly Organisation[]>;
  clients(): Promise<readonly Client[]>;
  qualifications(filter: { readonly limit: number }): Promise<readonly QualificationInfo[]>;
  /** Records a version in the audit log. Idempotent by the key of the request. */
  recordStatistics(request: StoreRequest, version: RecordedMonth): Promise<void>;
}

/** What statistics need from the store of an organisation's notices. */
export interface NoticeMonths {
  totals(fromMonth: string, toMonth: string): Promise<readonly NoticeFigures[]>;
}
