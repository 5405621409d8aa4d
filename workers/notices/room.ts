/**
 * Makes room for notices. Removes old ones, and beyond NOTICES_MAX the oldest that no enabled webhook waits for. So a flood
 * never removes a notice that is still to be delivered. With the limits on each, notices and deliveries take at most 3 GB.
 */
import {
  NOTICE_KEPT_MS,
  NOTICES_FULL_WARNED_MS,
  NOTICES_MAX,
  NOTICES_REMOVED_AT_ONCE,
  NOTICES_SWEEP_MS,
} from '../../shared/limits/notices.ts';
import { warn } from '../log.ts';
import type { Meta } from './meta.ts';
import type { NoticeRows } from './notice-rows.ts';
import type { WebhookRows } from './webhook-rows.ts';

export class Room {
  readonly #storage: DurableObjectStorage;
  readonly #meta: Meta;
  readonly #notices: NoticeRows;
  readonly #webhooks: WebhookRows;

  constructor(storage: DurableObjectStorage, meta: Meta, notices: NoticeRows, webhooks: WebhookRows) {
    this.#storage = storage;
    this.#meta = meta;
    this.#notices = notices;
    this.#webhooks = webhooks;
  }

  /** Makes room for this many notices. Must run in the transaction that adds them. @returns whether there is room */
  make(many: number, now: number): boolean {
    const over = this.#notices.count + many - NOTICES_MAX;
    if (over <= 0) return true;
    const first = this.#notices.firstVersion;
    // Make more room than needed, so that a full store does not remove notices for every batch.
    const upTo = Math.min(
      first + Math.max(over, NOTICES_REMOVED_AT_ONCE) - 1,
      this.#webhooks.settledUpTo(this.#notices.lastVersion),
    );
    if (upTo - first + 1 < over) {
      this.#warn('noticesFull', now);
      return false;
    }
    this.#remove(upTo, now);
    return true;
  }

  /** Removes notices that are too old, in one bounded step. If more are left, the next step is due at once. */
  sweep(now: number): void {
    this.#storage.transactionSync(() => {
      const last = this.#notices.lastBefore(now - NOTICE_KEPT_MS, NOTICES_REMOVED_AT_ONCE);
      if (last === null) this.#meta.set('sweptAt', now);
      else this.#remove(last, now);
    });
  }

  /** When the next sweep is due, in ms since 1970; null if no notice is kept. */
  get sweepAt(): number | null {
    const oldest = this.#notices.oldestKeptAt;
    if (oldest === null) return null;
    return Math.max(oldest + NOTICE_KEPT_MS, this.#meta.number('sweptAt') + NOTICES_SWEEP_MS);
  }

  #remove(upTo: number, now: number): void {
    // These notices are too old, or wait for a webhook that is disabled.
    if (this.#webhooks.isWaiting(upTo)) this.#warn('noticesRemovedUnsent', now);
    this.#notices.remove(upTo);
    this.#webhooks.skip(upTo);
  }

  /** Warns at most once in NOTICES_FULL_WARNED_MS, because every batch may find a full store. */
  #warn(event: 'noticesFull' | 'noticesRemovedUnsent', now: number): void {
    const key = `${event}At` as const;
    if (now - this.#meta.number(key) < NOTICES_FULL_WARNED_MS) return;
    this.#meta.set(key, now);
    warn(event, { organisation: this.#meta.text('organisation') ?? '', notices: this.#notices.count });
  }
}
