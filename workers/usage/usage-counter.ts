/**
 * The Durable Object that keeps the counts of one client, or of a share of its isolates. It takes flushes from
 * isolates and commits many at once. The coordinator is not involved.
 *
 * A client begins with one object, named by its ID. When an object gets more than USAGE_FLUSHES_PER_SECOND, the client is
 * divided over twice as many objects. The first object stores how many there are before any isolate uses the new ones, so
 * that readers find them all.
 */
import { DurableObject } from 'cloudflare:workers';
import { USAGE_COMMIT_MS, USAGE_FLUSHES_PER_SECOND, USAGE_SHARDS_MAX } from '../../shared/limits/control.ts';
import { RECORD_BYTES_PER_DAY_MAX } from '../../shared/limits/edge.ts';
import { NOTICE_RETRY_MS, NOTICE_RETRY_MS_MAX } from '../../shared/limits/notice-sources.ts';
import {
  type FlushAnswer,
  type UsageFlush,
  type UsageHistory,
  usageObjectName,
} from '../../shared/usage/flush.ts';
import type { ControlEnv } from '../env.ts';
import { warnFailed } from '../log.ts';
import { DRIFT_NAME } from '../storage/drift-port.ts';
import { FigureReporter } from '../storage/figure-reporter.ts';
import { METRIC_TOTALS_NAME } from '../storage/metrics-port.ts';
import type { MobileTexts } from '../storage/notice-sources-port.ts';
import { RetriedWork } from '../storage/retried-work.ts';
import type { UsageObject } from '../storage/usage-port.ts';
import { DriftReporter } from './drift-reporter.ts';
import { OwnerFactSender } from './owner-facts.ts';
import { UsageStore } from './usage-store.ts';

/** Time over which flushes are counted before a client is divided, in ms. */
const RATE_MS = 60_000;

interface Waiting {
  readonly flush: UsageFlush;
  resolve(answer: FlushAnswer): void;
  reject(error: unknown): void;
}

export class UsageCounter extends DurableObject<ControlEnv> implements UsageObject {
  readonly #store: UsageStore;
  readonly #facts: OwnerFactSender;
  readonly #sending = new RetriedWork(NOTICE_RETRY_MS, NOTICE_RETRY_MS_MAX, (error) =>
    warnFailed('ownersNotNotified', error),
  );
  #waiting: Waiting[] = [];
  #committedAt = 0;
  #rateSince = 0;
  #rateCount = 0;
  readonly #reporter: FigureReporter;
  readonly #scores: DriftReporter;
  #alarmAt: number | null = null;

  constructor(ctx: DurableObjectState, env: ControlEnv) {
    super(ctx, env);
    this.#store = new UsageStore(ctx.storage);
    this.#facts = new OwnerFactSender(ctx.storage, () => this.env, this.#store);
    const source = ctx.id.name ?? ctx.id.toString();
    this.#reporter = new FigureReporter(
      () => ({ kind: 'usage', source, figures: this.#store.figures, waitingSince: null }),
      () => this.env.METRIC_TOTALS.getByName(METRIC_TOTALS_NAME),
    );
    this.#scores = new DriftReporter(this.#store.scores, () => this.env.TEXT_DRIFT.getByName(DRIFT_NAME));
  }

  async apply(flush: UsageFlush): Promise<FlushAnswer> {
    const answered = new Promise<FlushAnswer>((resolve, reject) => {
      this.#waiting.push({ flush, resolve, reject });
    });
    if (this.#waiting.length === 1) {
      const pauseMs = this.#committedAt + USAGE_COMMIT_MS - Date.now();
      // Only a busy object waits, and its time costs nothing more.
      if (pauseMs > 0) setTimeout(() => this.#commit(), pauseMs);
      else this.#commit();
    }
    return answered;
  }

  async history(from: number, to: number): Promise<UsageHistory> {
    const { shards } = this.#store;
    return { shards, lastHour: this.#store.lastHour(), periods: this.#store.periods(from, to) };
  }

  async addTexts(
    client: string,
    shard: number,
    n: number,
    texts: readonly MobileTexts[],
  ): Promise<{ readonly last: number }> {
    const last = this.#store.addTexts(client, shard, { n, texts }, Date.now());
    this.#sendTexts();
    return { last };
  }

  override async alarm(): Promise<void> {
    this.#alarmAt = null;
    await Promise.all([this.#sending.run(() => this.#facts.run()), this.#reporter.run(), this.#scores.run()]);
    this.#arm();
  }

  /** Sends texts and facts after the response. If that fails, the alarm sends again. */
  #sendTexts(): void {
    if (!this.#store.texts.hasWork) return;
    // Set the alarm in the same turn, so that it is stored with the counts.
    this.#arm();
    this.ctx.waitUntil(this.#sending.run(() => this.#facts.run()));
  }

  async divide(shards: number): Promise<void> {
    this.#store.setShards(Math.min(shards, USAGE_SHARDS_MAX));
  }

  #commit(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    const now = Date.now();
    this.#committedAt = now;
    try {
      const flushes = waiting.map(({ flush }) => flush);
      const fresh = this.#store.commit(flushes, now);
      this.#forward(fresh);
      if (fresh.some(({ scores = [] }) => scores.length > 0)) {
        this.#scores.changed();
        // Set the alarm in the same turn, so that it is stored with the counts.
        this.#arm();
      }
      for (const { shards } of flushes) this.#store.setShards(shards);
      this.#sendTexts();
      this.#watchRate(flushes, now);
      const share = RECORD_BYTES_PER_DAY_MAX / this.#store.shards;
      const recordsFull = this.#store.recordBytes(now) >= share;
      this.#reporter.changed();
      this.ctx.waitUntil(this.#report());
      for (const { resolve } of waiting) resolve({ shards: this.#store.shards, recordsFull });
    } catch (error) {
      for (const { reject } of waiting) reject(error);
    }
  }

  /** Reports figures now if that is due, otherwise by the alarm. */
  async #report(): Promise<void> {
    await Promise.all([this.#reporter.run(), this.#scores.run()]);
    this.#arm();
  }

  /** Sets the alarm to the next time at which work is due. */
  #arm(): void {
    const texts = this.#store.texts.hasWork ? Date.now() + NOTICE_RETRY_MS_MAX : Number.POSITIVE_INFINITY;
    const reports = [this.#reporter.dueAt, this.#scores.alarmAt].map((at) => at ?? Number.POSITIVE_INFINITY);
    const next = Math.min(texts, ...reports);
    if (next === Number.POSITIVE_INFINITY || (this.#alarmAt !== null && this.#alarmAt <= next)) return;
    this.#alarmAt = next;
    this.ctx.storage.setAlarm(next).catch(() => undefined);
  }

  /** Passes the sketches of fresh flushes to the object of the organisation. If that fails, the sketches are lost. */
  #forward(fresh: readonly UsageFlush[]): void {
    const scans = fresh.flatMap(({ scan }) => (scan === undefined ? [] : [scan]));
    for (const [organisation, group] of Map.groupBy(scans, (scan) => scan.organisation)) {
      const added = this.env.SCANS?.getByName(organisation).add(organisation, group);
      if (added !== undefined) {
        this.ctx.waitUntil(added.catch((error: unknown) => warnFailed('scansLost', error)));
      }
    }
  }

  /** Divides the client further if this object gets too many flushes. */
  #watchRate(flushes: readonly UsageFlush[], now: number): void {
    this.#rateCount += flushes.length;
    const seconds = (now - this.#rateSince) / 1000;
    if (seconds * 1000 < RATE_MS) return;
    const isBusy = this.#rateSince > 0 && this.#rateCount / seconds > USAGE_FLUSHES_PER_SECOND;
    this.#rateSince = now;
    this.#rateCount = 0;
    if (isBusy && this.#store.shards < USAGE_SHARDS_MAX) {
      this.ctx.waitUntil(this.#divideClient(flushes[0]!.client, this.#store.shards * 2));
    }
  }

  async #divideClient(client: string, shards: number): Promise<void> {
    try {
      await this.env.USAGE?.getByName(usageObjectName(client, 0)).divide(shards);
      this.#store.setShards(shards);
    } catch (error) {
      warnFailed('usageNotDivided', error);
    }
  }
}
