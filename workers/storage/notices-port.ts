/**
 * Notices to organisations: the router, which decides which organisation gets which notice, and the store of each receiver,
 * which delivers the notices. Every sender numbers its batches, and sends a batch again until it gets an answer.
 */
import type { NewNotice, NoticeCount, NoticeRecord } from '../../shared/notices/notice.ts';
import type { Organisation } from '../../shared/organisations.ts';
import type { ChainAnchor } from './chain-anchor.ts';
import type { OwnerFact } from './notice-sources-port.ts';

/** The name of the only router. */
export const NOTICE_ROUTER_NAME = 'main';

export interface NoticeRouterObject {
  /** Reads new events of the feed. Never fails. The cron calls it too, so a lost call only causes a delay. */
  poke(): Promise<void>;
  /**
   * Notifies the owners of mobile numbers, each once a day. Idempotent by sender and `n`, which rises by 1 from 1.
   * @param facts at most OWNER_FACTS_MAX
   * @returns `last`: the newest batch of this sender that is kept
   */
  ownersUsed(sender: string, n: number, facts: readonly OwnerFact[]): Promise<{ readonly last: number }>;
  status(): Promise<NoticeRouterStatus>;
}

/** The progress of the router. */
export interface NoticeRouterStatus {
  /** Position in the feed up to which notices are made. */
  readonly position: number;
  /** Notices that their stores do not have yet. */
  readonly waiting: number;
  /** Notices dropped since the first one, because a store stayed full, or an operator had enough notices for a day. */
  readonly dropped: number;
  /** Senders about whose block an organisation was notified. */
  readonly senders: number;
}

/** The answer to a batch. */
export interface NoticesAdded {
  /** The newest batch of this sender that is kept. Greater than `n` only if the sender was set back. */
  readonly last: number;
  /** Nothing was kept, because too many notices wait for their webhooks: send the batch again later. */
  readonly isFull: boolean;
}

/** Selects the notices for an evidence file. */
export interface NoticeQuery {
  /** At most NOTICE_SUBJECTS_MAX; null for all. */
  readonly subjects: readonly string[] | null;
  /** In ms since 1970. */
  readonly from: number;
  /** In ms since 1970, exclusive. */
  readonly to: number;
  /** `version` of the last notice that was seen; 0 for the first page. */
  readonly after: number;
  /** At most NOTICES_PAGE_MAX. */
  readonly limit: number;
}

/** The progress of a store with its deliveries. */
export interface NoticesStatus {
  /** Notices that are kept. */
  readonly notices: number;
  /** Open deliveries of all enabled webhooks. */
  readonly pending: number;
  /** When the oldest notice of an open delivery was kept, in ms since 1970; null if none is open. */
  readonly oldestPendingAt: number | null;
  /** Deliveries that were given up and are still kept. */
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
   * Keeps notices for this organisation, in this order, and delivers them. Idempotent by sender and `n`, which rises by 1
   * from 1, and by `key`: a notice is dropped if the store has already had its key.
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

/** What the store needs from the coordinator. */
export interface OrganisationSource {
  organisation(id: string): Promise<Organisation | null>;
  /** Records the end of the audit chain of the organisation's webhooks in the audit log. */
  anchorWebhooks(organisation: string, end: ChainAnchor): Promise<number>;
}
