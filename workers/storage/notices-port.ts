/**
 * Notices to organisations: the router, which decides who gets which, and the store of each receiver, which delivers
 * them. Every sender numbers its batches, and sends a batch again until it is answered.
 */
import type { NewNotice, NoticeCount, NoticeRecord } from '../../shared/notices/notice.ts';

/** The name of the only router. */
export const NOTICE_ROUTER_NAME = 'main';

export interface NoticeRouterObject {
  /** The feed has gained events. Never fails; the cron calls it too, so a lost call only delays. */
  poke(): Promise<void>;
}

/** The answer to a batch. */
export interface NoticesAdded {
  /** The newest batch of this sender that is kept. Greater than `n` only if the sender was set back. */
  readonly last: number;
  /** Nothing was kept, because too many notices wait for their webhooks: send the batch again later. */
  readonly isFull: boolean;
}

/** Which notices are wanted as evidence. */
export interface NoticeQuery {
  /** At most NOTICE_SUBJECTS_MAX; null for all. */
  readonly subjects: readonly string[] | null;
  /** In ms since 1970. */
  readonly from: number;
  /** In ms since 1970, exclusive. */
  readonly to: number;
  /** `version` of the last one that was seen; 0 for the first page. */
  readonly after: number;
  /** At most NOTICES_PAGE_MAX. */
  readonly limit: number;
}

/** How far a store is with its deliveries. */
export interface NoticesStatus {
  /** Notices that are kept. */
  readonly notices: number;
  /** Deliveries that are open, over all webhooks that are enabled. */
  readonly pending: number;
  /** When the oldest notice of an open delivery was kept, in ms since 1970; null if none is open. */
  readonly oldestPendingAt: number | null;
  /** Deliveries that were given up, as long as they are kept. */
  readonly failed: number;
  /** Webhooks by state. */
  readonly webhooks: { readonly enabled: number; readonly disabled: number; readonly gone: number };
  /** Guidance past its `respondBy` without an answer. */
  readonly overdue: number;
  /** The size of the database. */
  readonly bytes: number;
}

export interface NoticeObject {
  /**
   * Keeps notices for this organisation, in this order, and delivers them. Idempotent by sender and `n`, which rises by
   * 1 from 1, and by `key`: a notice whose key the store has had is dropped.
   * @param organisation its ID, which is the name of the object
   * @param sender such as `router` or `registrations`
   * @param notices at most NOTICE_BATCH_MAX
   */
  add(organisation: string, sender: string, n: number, notices: readonly NewNotice[]): Promise<NoticesAdded>;

  /** Exact counts by month and type, which outlive the notices. @param months such as `2026-11`; both inclusive */
  totals(fromMonth: string, toMonth: string): Promise<readonly NoticeCount[]>;

  /** Notices as evidence, oldest first. */
  evidence(query: NoticeQuery): Promise<readonly NoticeRecord[]>;

  status(): Promise<NoticesStatus>;
}
