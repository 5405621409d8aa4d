/**
 * Sends due notices to several webhooks at the same time, so that a slow webhook delays no other. There is one
 * run at a time. A run ends once nothing is due, and an alarm begins the next run.
 */
import {
  WEBHOOK_BLOCKED_MS,
  WEBHOOK_RUN_MS_MAX,
  WEBHOOKS_PARALLEL_MAX,
} from '../../shared/limits/notices.ts';
import { checkWebhookUrl } from '../../shared/notices/webhook-url.ts';
import { warn } from '../log.ts';
import { type Attempted, attempt } from './attempt.ts';
import { CLOUD_EVENT_TYPE, cloudEvent, noticeId } from './cloud-event.ts';
import { type Deliveries, nextDueOf } from './deliveries.ts';
import type { StoredNotice } from './notice-rows.ts';
import type { FactsReader, OrganisationFacts } from './organisation-facts.ts';
import type { WebhookSigner } from './signing.ts';
import type { Tables } from './tables.ts';
import { previousSecretUntil, type StoredWebhook } from './webhook-rows.ts';

/** The settings of the service that deliveries need. */
export interface CourierSettings {
  /** Null while SHARING_KEY is not valid. Nothing is sent then. */
  readonly signer: WebhookSigner | null;
  /** PUBLIC_URL; null if there is none. */
  readonly source: string | null;
  /** Whether the service runs on one machine. Only then may URLs use `http:`, to that machine. */
  readonly isLocal: boolean;
}

export class Courier {
  readonly #tables: Tables;
  readonly #deliveries: Deliveries;
  readonly #facts: FactsReader;
  readonly #settings: CourierSettings;
  readonly #sending = new Map<string, Promise<void>>();
  /** Ends the wait of a run, because something is due. */
  #wake: (() => void) | null = null;

  constructor(tables: Tables, deliveries: Deliveries, facts: FactsReader, settings: CourierSettings) {
    this.#tables = tables;
    this.#deliveries = deliveries;
    this.#facts = facts;
    this.#settings = settings;
  }

  /** Call when something may be due earlier than expected. @returns whether a current run takes care of it */
  wake(): boolean {
    this.#wake?.();
    return this.#wake !== null;
  }

  /** Sends everything that is due. @throws if the coordinator does not respond: try again later */
  async run(): Promise<void> {
    const begun = Date.now();
    const failures: unknown[] = [];
    for (;;) {
      const now = Date.now();
      const isOver = now - begun >= WEBHOOK_RUN_MS_MAX || failures.length > 0;
      const due = isOver ? [] : this.#deliveries.due(now);
      for (const { id } of due) {
        if (this.#sending.has(id) || this.#sending.size >= WEBHOOKS_PARALLEL_MAX) continue;
        const sending = this.#sendOne(id)
          .catch((error: unknown) => void failures.push(error))
          .finally(() => this.#sending.delete(id));
        this.#sending.set(id, sending);
      }
      if (this.#sending.size === 0) break;
      await this.#waitForChange(isOver ? null : now);
    }
    if (failures.length > 0) throw failures[0];
  }

  /** Waits until an attempt ends, something else is due, or `wake` is called. @param now null if nothing more begins */
  async #waitForChange(now: number | null): Promise<void> {
    const { promise: woken, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    const dueAt = now === null ? null : this.#othersDueAt();
    const timer = now === null || dueAt === null ? null : setTimeout(resolve, Math.max(dueAt - now, 0));
    try {
      await Promise.race([...this.#sending.values(), woken]);
    } finally {
      this.#wake = null;
      if (timer !== null) clearTimeout(timer);
    }
  }

  /** When the next idle webhook is due; null if none is, or if the limit of parallel attempts is reached. */
  #othersDueAt(): number | null {
    if (this.#sending.size >= WEBHOOKS_PARALLEL_MAX) return null;
    return nextDueOf(this.#tables.webhooks.all.filter(({ id }) => !this.#sending.has(id)));
  }

  async #sendOne(id: string): Promise<void> {
    const facts = await this.#facts.read(this.#tables.organisation);
    const { signer } = this.#settings;
    if (!facts.isActive || signer === null) {
      this.#block(id, signer === null ? 'SHARING_KEY' : 'organisation');
      return;
    }
    const job = this.#deliveries.begin(id, Date.now());
    if (job === null) return;
    const result = await this.send(job.webhook, job.notice, facts, signer);
    this.#deliveries.settle(job, result, Date.now());
  }

  /** Makes one attempt, and stores nothing. */
  async send(
    webhook: StoredWebhook,
    notice: StoredNotice,
    { hosts }: OrganisationFacts,
    signer: WebhookSigner,
  ): Promise<Attempted> {
    const { source, isLocal } = this.#settings;
    // The list of allowed hosts may have become shorter.
    const url = checkWebhookUrl(webhook.url, hosts, isLocal);
    if (!url.ok) return { status: null, error: url.code, retryAfterMs: null };
    const { organisation } = this.#tables;
    const [id, now] = [noticeId(organisation, notice.version), Date.now()];
    const timestamp = String(Math.floor(now / 1000));
    const body = cloudEvent(notice, organisation, source);
    const isRotating = previousSecretUntil(webhook, now) !== null;
    const numbers = isRotating ? [webhook.secretN, webhook.secretN - 1] : [webhook.secretN];
    const names = numbers.map((n) => ({ organisation, webhook: webhook.id, n }));
    const headers = {
      'content-type': CLOUD_EVENT_TYPE,
      'user-agent': 'numgate-webhooks/1',
      'webhook-id': id,
      'webhook-timestamp': timestamp,
      'webhook-signature': await signer.sign(names, `${id}.${timestamp}.${body}`),
    };
    return attempt(url.value, headers, body);
  }

  /** Sends nothing to a webhook for WEBHOOK_BLOCKED_MS. */
  #block(id: string, what: string): void {
    const { organisation, webhooks } = this.#tables;
    const [webhook, at] = [webhooks.get(id), Date.now() + WEBHOOK_BLOCKED_MS];
    if (webhook === null) return;
    warn('webhooksBlocked', { organisation, what });
    webhooks.update(id, {
      ...(webhook.nextAt === null ? {} : { nextAt: at }),
      ...(webhook.replayAt === null ? {} : { replayAt: at }),
    });
  }
}
