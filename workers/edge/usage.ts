/**
 * Counts usage in the isolate, and sends the counts after the answers. No request waits for this, and no
 * failure reaches a request. The first count of a client starts a timer under `waitUntil`. When the timer ends,
 * everything counted since then becomes one flush. If it cannot be sent, it is sent again after
 * USAGE_BACKOFF_MS, and then with later requests, after pauses that double.
 */
import {
  JITTER_SHARE,
  USAGE_BACKOFF_MAX_MS,
  USAGE_BACKOFF_MS,
  USAGE_CLIENTS_MAX,
  USAGE_FLUSH_MS,
  USAGE_WAIT_MS,
} from '../../shared/limits/edge.ts';
import type { ScreenRequest } from '../../shared/request.ts';
import type { Decision } from '../../shared/screening/decision.ts';
import { HOUR_MS, HOURS_PER_DAY } from '../../shared/time.ts';
import { ClientUsage } from '../../shared/usage/client-usage.ts';
import { usageObjectName } from '../../shared/usage/flush.ts';
import type { Env } from '../env.ts';
import { warn, warnFailed } from '../log.ts';
import { within } from '../storage/single-flight.ts';
import type { UsageObjects } from '../storage/usage-port.ts';

/** Bytes of the random ID of a counter. */
const ID_BYTES = 9;
/** Longest time that a flush takes, in ms. If it takes longer, its request has died. */
const LATE_MS = 2 * USAGE_WAIT_MS + USAGE_BACKOFF_MS;

/** The context of a flush, from the request that starts it. */
export interface FlushContext {
  readonly env: Pick<Env, 'USAGE'>;
  readonly ctx: Pick<ExecutionContext, 'waitUntil'>;
}

/** The counts of one client, and when to send them. */
export class UsageMeter {
  readonly usage: ClientUsage;
  /** Whether a flush will follow: a timer runs, or a later request repeats a failed flush. */
  #isDue = false;
  /** After this time, in ms since 1970, a request starts the flush: its timer has died, or a pause has ended. */
  #lateAt = 0;
  /** The end of the pause after a failure, in ms since 1970. */
  #retryAt = 0;
  #isSending = false;
  #failures = 0;
  /** The day of the last warning about block records, in days since 1970. */
  #warnedOn = 0;

  /** @param isSent whether these counts are ever sent */
  constructor(usage: ClientUsage, isSent = true) {
    this.usage = usage;
    if (isSent) return;
    this.#isDue = true;
    this.#lateAt = Number.POSITIVE_INFINITY;
  }

  /** Makes sure that a flush will follow. Each request calls it. */
  begin(now: number, context: FlushContext): void {
    if (!this.#isDue) this.#schedule(now, context);
    else if (now > this.#lateAt) {
      // The request that was sending is gone.
      this.#isSending = false;
      this.#lateAt = now + LATE_MS;
      context.ctx.waitUntil(this.#flush(context));
    }
  }

  /** Counts a request that was screened: see ClientUsage. @param now the time of its snapshot, in ms since 1970 */
  count(
    request: ScreenRequest,
    decision: Decision,
    now: number,
    context: FlushContext,
    isText = false,
    isScored = true,
  ): void {
    this.usage.count(request, decision, now, isText, isScored);
    if (!this.#isDue) this.#schedule(now, context);
  }

  /** Counts a block record. @param bytes its length as text @returns whether to keep it */
  addRecord(bytes: number, now: number): boolean {
    const isKept = this.usage.addRecord(bytes, now);
    const day = Math.floor(now / (HOUR_MS * HOURS_PER_DAY));
    if (!isKept && day !== this.#warnedOn) {
      this.#warnedOn = day;
      warn('recordsFull', { client: this.usage.client });
    }
    return isKept;
  }

  #schedule(now: number, context: FlushContext): void {
    const waitMs = USAGE_FLUSH_MS * (1 + JITTER_SHARE * (2 * Math.random() - 1));
    this.#isDue = true;
    this.#lateAt = now + waitMs + LATE_MS;
    // Without the binding, counts stay in the isolate, within their bounds.
    if (context.env.USAGE !== undefined) context.ctx.waitUntil(this.#flushLater(waitMs, context));
  }

  async #flushLater(waitMs: number, context: FlushContext): Promise<void> {
    await pause(waitMs);
    await this.#flush(context);
  }

  async #flush({ env }: FlushContext): Promise<void> {
    if (env.USAGE === undefined || this.#isSending || Date.now() < this.#retryAt) return;
    this.#isSending = true;
    // Later counts start a timer of their own.
    this.#isDue = false;
    const isSent = (await this.#send(env.USAGE)) || (await this.#sendAgain(env.USAGE));
    this.#isSending = false;
    this.#failures = isSent ? 0 : this.#failures + 1;
    if (isSent) return;
    this.#isDue = true;
    this.#retryAt = Date.now() + Math.min(USAGE_BACKOFF_MAX_MS, USAGE_BACKOFF_MS * 2 ** this.#failures);
    this.#lateAt = this.#retryAt;
  }

  async #sendAgain(objects: UsageObjects): Promise<boolean> {
    await pause(USAGE_BACKOFF_MS);
    return this.#send(objects);
  }

  /** Sends flushes, oldest first, until none is left. @returns whether all arrived */
  async #send(objects: UsageObjects): Promise<boolean> {
    try {
      for (let flush = this.usage.nextFlush(Date.now()); flush !== null; ) {
        const object = objects.getByName(usageObjectName(flush.client, flush.shard));
        const answer = await within(object.apply(flush), USAGE_WAIT_MS);
        flush = this.usage.delivered(flush, answer, Date.now());
      }
      return true;
    } catch (error) {
      warnFailed('usageFlushFailed', error);
      return false;
    }
  }
}

export class UsageMeters {
  readonly #meters = new Map<string, UsageMeter>();
  /** For clients beyond USAGE_CLIENTS_MAX. Its counts are never sent. */
  #unsent: UsageMeter | null = null;

  /** The meter of a client. Keep it for one request only. */
  of(client: string, now: number): UsageMeter {
    return this.#meters.get(client) ?? this.#add(client, now);
  }

  #add(client: string, now: number): UsageMeter {
    const isFull = this.#meters.size >= USAGE_CLIENTS_MAX && !this.#removeDelivered();
    if (isFull && this.#unsent !== null) return this.#unsent;
    const meter = new UsageMeter(meteredClient(client, now), !isFull);
    if (isFull) {
      warn('usageLost', { clients: USAGE_CLIENTS_MAX });
      this.#unsent = meter;
    } else this.#meters.set(client, meter);
    return meter;
  }

  /** Makes room by removing a client whose counts were all delivered. @returns whether there was one */
  #removeDelivered(): boolean {
    for (const [client, { usage }] of this.#meters) if (usage.isDelivered) return this.#meters.delete(client);
    return false;
  }
}

function meteredClient(client: string, now: number): ClientUsage {
  const random = crypto.getRandomValues(new Uint8Array(ID_BYTES));
  const place = new DataView(random.buffer).getUint32(0);
  return new ClientUsage(client, btoa(String.fromCharCode(...random)), place, now);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
