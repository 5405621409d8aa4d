/**
 * Decides what to send to a webhook next, and stores what an attempt changes, each in one transaction. If an
 * object dies in between, a notice is sent again, and none is skipped. Each webhook gets its notices in the
 * order of their versions. An attempt that was cut off counts, but it is never the last attempt for a notice.
 */
import {
  WEBHOOK_ATTEMPTS_MAX,
  WEBHOOK_FAILING_ATTEMPTS_MIN,
  WEBHOOK_FAILING_MS_MAX,
  WEBHOOK_LEASE_MS,
  WEBHOOK_REPLAY_ATTEMPTS_MAX,
} from '../../shared/limits/notices.ts';
import { pauseAfter } from '../../shared/notices/ladder.ts';
import { warn } from '../log.ts';
import type { Author } from '../storage/audit-chain.ts';
import { type Attempted, GONE_STATUS } from './attempt.ts';
import type { StoredNotice } from './notice-rows.ts';
import type { Tables } from './tables.ts';
import { dueAtOf, type Lane, type Sending, type StoredWebhook } from './webhook-rows.ts';

/** An attempt to make. */
export interface Job extends Sending {
  readonly webhook: StoredWebhook;
  readonly notice: StoredNotice;
}

const CUT_OFF: Attempted = { status: null, error: 'INTERRUPTED', retryAfterMs: null };

export class Deliveries {
  readonly #tables: Tables;
  readonly #random: () => number;
  /** Webhooks whose last attempt was for a notice in order. A replay has the next turn. */
  readonly #ordered = new Set<string>();

  /** @param random returns a number from 0 to 1 */
  constructor(tables: Tables, random: () => number) {
    this.#tables = tables;
    this.#random = random;
  }

  /** Webhooks with an attempt that is due. */
  due(now: number): StoredWebhook[] {
    return this.#tables.webhooks.all.filter((webhook) => (dueAtOf(webhook) ?? Infinity) <= now);
  }

  /** When the next attempt is due, in ms since 1970; null if nothing waits. */
  get nextDueAt(): number | null {
    return nextDueOf(this.#tables.webhooks.all);
  }

  /** Ends the attempts that an earlier instance of this object began. Call before the first attempt of this instance. */
  endCutOff(now: number): void {
    for (const { id } of this.#tables.webhooks.all) this.#endCutOff(id, now);
  }

  /** Begins an attempt, if one is due. A previous attempt without a result was cut off, and ends here. */
  begin(id: string, now: number): Job | null {
    this.#endCutOff(id, now);
    return this.#tables.storage.transactionSync(() => {
      const { webhooks } = this.#tables;
      const webhook = webhooks.get(id);
      if (webhook === null || webhook.state !== 'enabled') return null;
      const inOrder = () => this.#nextInOrder(webhook, now);
      const toReplay = () => this.#nextReplay(webhook, now);
      const notice = this.#ordered.has(id) ? (toReplay() ?? inOrder()) : (inOrder() ?? toReplay());
      if (notice === null) return null;
      const lane: Lane = notice.lane;
      if (lane === 'order') this.#ordered.add(id);
      else this.#ordered.delete(id);
      const { version } = notice.notice;
      // If this object dies, the next instance tries again at this time.
      const leased = now + WEBHOOK_LEASE_MS;
      webhooks.update(id, {
        sending: { lane, version },
        ...(lane === 'order'
          ? { attempts: webhook.attempts + 1, nextAt: leased }
          : { replayAttempts: webhook.replayAttempts + 1, replayAt: leased }),
      });
      return { lane, version, notice: notice.notice, webhook: webhooks.get(id)! };
    });
  }

  /** Ends an attempt. */
  settle({ webhook: { id }, lane, version }: Omit<Job, 'notice'>, result: Attempted, now: number): void {
    this.#tables.storage.transactionSync(() => {
      const webhook = this.#tables.webhooks.get(id);
      // The webhook was removed meanwhile.
      if (webhook === null) return;
      const isDelivered = result.error === null;
      this.record(id, version, isDelivered ? 'delivered' : this.#stateOf(webhook, lane, result), result, now);
      const { sending } = webhook;
      if (sending?.version !== version || sending.lane !== lane) return;
      this.#tables.webhooks.update(id, {
        sending: null,
        failingSince: isDelivered ? null : (webhook.failingSince ?? now),
      });
      if (isDelivered) this.#pass(webhook, lane, version, now);
      else this.#failed(webhook, lane, version, result, now);
    });
  }

  #endCutOff(id: string, now: number): void {
    const webhook = this.#tables.webhooks.get(id);
    if (webhook === null || webhook.sending === null) return;
    this.settle({ ...webhook.sending, webhook }, CUT_OFF, now);
  }

  /** Records the result of an attempt, for the delivery and for the notice. Must run in a transaction. */
  record(
    id: string,
    version: number,
    state: 'delivered' | 'retrying' | 'failed' | 'replaying',
    result: Attempted,
    now: number,
  ): void {
    const { deliveries, notices, counts } = this.#tables;
    const notice = notices.get(version);
    // The notice was removed meanwhile, and its deliveries with it.
    if (notice === null) return;
    deliveries.record(id, version, state, result, now);
    if (notices.attempted(version, result.error === null, now)) counts.add(notice, 'delivered');
  }

  #nextInOrder({ id, position, types, nextAt }: StoredWebhook, now: number) {
    if (nextAt === null || nextAt > now) return null;
    const { notices, webhooks } = this.#tables;
    const notice = notices.next(position, types);
    if (notice !== null) return { lane: 'order' as const, notice };
    webhooks.update(id, { position: Math.max(position, notices.lastVersion), attempts: 0, nextAt: null });
    return null;
  }

  #nextReplay({ id, replayAt }: StoredWebhook, now: number) {
    if (replayAt === null || replayAt > now) return null;
    const { notices, webhooks, deliveries } = this.#tables;
    const version = deliveries.nextReplay(id);
    const notice = version === null ? null : notices.get(version);
    if (notice !== null) return { lane: 'replay' as const, notice };
    webhooks.update(id, { replayAttempts: 0, replayAt: null });
    return null;
  }

  /** Moves on to the next notice. */
  #pass({ id, position }: StoredWebhook, lane: Lane, version: number, now: number): void {
    const { webhooks } = this.#tables;
    if (lane === 'replay') webhooks.update(id, { replayAttempts: 0, replayAt: now });
    else webhooks.update(id, { position: Math.max(position, version), attempts: 0, nextAt: now });
  }

  #isLast({ attempts, replayAttempts }: StoredWebhook, lane: Lane, { error }: Attempted): boolean {
    if (error === CUT_OFF.error) return false;
    return lane === 'order'
      ? attempts >= WEBHOOK_ATTEMPTS_MAX
      : replayAttempts >= WEBHOOK_REPLAY_ATTEMPTS_MAX;
  }

  #stateOf(webhook: StoredWebhook, lane: Lane, result: Attempted): 'retrying' | 'failed' | 'replaying' {
    if (this.#isLast(webhook, lane, result)) return 'failed';
    return lane === 'order' ? 'retrying' : 'replaying';
  }

  #failed(webhook: StoredWebhook, lane: Lane, version: number, result: Attempted, now: number): void {
    const { id, attempts, replayAttempts, failingSince } = webhook;
    const { organisation, webhooks } = this.#tables;
    const isLast = this.#isLast(webhook, lane, result);
    if (isLast) warn('noticeGivenUp', { organisation, webhook: id, version, error: result.error });
    // The notice may have been skipped meanwhile.
    if (isLast || (lane === 'order' && version <= webhook.position)) this.#pass(webhook, lane, version, now);
    else {
      const made = lane === 'order' ? attempts : replayAttempts;
      const nextAt = now + Math.max(pauseAfter(made, this.#random()), result.retryAfterMs ?? 0);
      // A cut-off attempt is never the last one, so leave room for another attempt.
      webhooks.update(
        id,
        lane === 'order'
          ? { attempts: Math.min(attempts, WEBHOOK_ATTEMPTS_MAX - 1), nextAt }
          : { replayAttempts: Math.min(replayAttempts, WEBHOOK_REPLAY_ATTEMPTS_MAX - 1), replayAt: nextAt },
      );
    }
    const isFailing =
      now - (failingSince ?? now) >= WEBHOOK_FAILING_MS_MAX && attempts >= WEBHOOK_FAILING_ATTEMPTS_MIN;
    if (webhook.state !== 'enabled') return;
    if (result.status === GONE_STATUS) this.#stop(webhook, 'gone', 'GONE', now);
    else if (isFailing) this.#stop(webhook, 'disabled', 'FAILING', now);
  }

  /** Stops sending to a webhook. Its notices keep waiting. */
  #stop(
    webhook: StoredWebhook,
    state: 'disabled' | 'gone',
    stateReason: 'FAILING' | 'GONE',
    now: number,
  ): void {
    const { organisation, webhooks, audit } = this.#tables;
    webhooks.update(webhook.id, { state, stateReason });
    const why = state === 'gone' ? 'its receiver answered 410' : 'it has failed for 5 days';
    const author: Author = { actor: 'numgate', reason: why, at: now };
    audit.append(author, webhook.id, {
      ...{ action: 'disable', before: { state: webhook.state }, after: { state, stateReason } },
    });
    warn(state === 'gone' ? 'webhookGone' : 'webhookDisabled', { organisation, webhook: webhook.id });
  }
}

/** When the next attempt for one of these webhooks is due, in ms since 1970; null if nothing waits. */
export function nextDueOf(webhooks: readonly StoredWebhook[]): number | null {
  const times = webhooks.map(dueAtOf).filter((time) => time !== null);
  return times.length === 0 ? null : Math.min(...times);
}
