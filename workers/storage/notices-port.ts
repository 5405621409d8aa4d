/**
 * Notices to organisations: the router, which decides who gets which, and the store of each receiver, which delivers
 * them. Every sender numbers its batches, and sends a batch again until it is answered.
 */
import type { NewNotice } from '../../shared/notices/notice.ts';

/** The name of the only router. */
export const NOTICE_ROUTER_NAME = 'main';

export interface NoticeRouterObject {
  /** The feed has gained events. Never fails; the cron calls it too, so a lost call only delays. */
  poke(): Promise<void>;
}

export interface NoticeObject {
  /**
   * Keeps notices for this organisation, in this order. Idempotent by sender and `n`, which rises by 1 from 1, and by
   * `key`: a notice whose key the store has had is dropped.
   * @param organisation its ID, which is the name of the object
   * @param sender such as `router` or `registrations`
   * @returns `last`: the newest batch of this sender that is kept. Not `n` only if the sender was set back
   */
  add(
    organisation: string,
    sender: string,
    n: number,
    notices: readonly NewNotice[],
  ): Promise<{ readonly last: number }>;
}
