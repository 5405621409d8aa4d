/**
 * The Durable Object that decides which organisations get a notice about a sender. There is one per installation. It
 * reads the feed and the changes of qualifications, and stores each position with the notices made so far. It also
 * takes facts from the counters of usage. So every fact reaches each receiver once, even if objects die.
 */
import { DurableObject } from 'cloudflare:workers';
import {
  NOTICE_RETRY_MS,
  NOTICE_RETRY_MS_MAX,
  OUTBOX_NOTICES_PAUSE,
} from '../../shared/limits/notice-sources.ts';
import type { ControlEnv } from '../env.ts';
import { warnFailed } from '../log.ts';
import { NoticeOutbox } from '../storage/notice-outbox.ts';
import type { OwnerFact } from '../storage/notice-sources-port.ts';
import type { NoticeRouterObject, NoticeRouterStatus } from '../storage/notices-port.ts';
import { RetriedWork } from '../storage/retried-work.ts';
import { FeedRouting } from './feed-routing.ts';
import { Operators } from './operators.ts';
import { OwnerNotices } from './owner-notices.ts';
import { QualificationNotices } from './qualification-notices.ts';
import { RouterTables } from './router-tables.ts';

/** Delay of the alarm that finishes the work if the object ends, in ms after the poke. */
const ALARM_MS = 10_000;

export class NoticeRouter extends DurableObject<ControlEnv> implements NoticeRouterObject {
  readonly #tables: RouterTables;
  readonly #outbox: NoticeOutbox;
  readonly #feed: FeedRouting;
  readonly #qualifications: QualificationNotices;
  readonly #owners: OwnerNotices;
  readonly #reading = new RetriedWork(NOTICE_RETRY_MS, NOTICE_RETRY_MS_MAX, (error) =>
    warnFailed('noticesNotMade', error),
  );
  /** Whether the last reading failed, or paused because too many notices wait. */
  #isBehind = false;
  #alarmAt: number | null = null;

  constructor(ctx: DurableObjectState, env: ControlEnv) {
    super(ctx, env);
    const { storage } = ctx;
    this.#tables = new RouterTables(storage);
    this.#outbox = new NoticeOutbox(
      storage,
      () => 'router',
      () => this.env.NOTICES,
    );
    const operators = new Operators(env);
    this.#feed = new FeedRouting(storage, env, this.#tables, this.#outbox, operators);
    this.#qualifications = new QualificationNotices(storage, env, this.#tables, this.#outbox);
    this.#owners = new OwnerNotices(storage, env, this.#tables, this.#outbox, operators);
    ctx.blockConcurrencyWhile(async () => {
      this.#alarmAt = await storage.getAlarm();
    });
  }

  async poke(): Promise<void> {
    this.#isBehind = true;
    await this.#arm();
    this.ctx.waitUntil(this.#run());
  }

  async ownersUsed(
    sender: string,
    n: number,
    facts: readonly OwnerFact[],
  ): Promise<{ readonly last: number }> {
    const taken = await this.#owners.take(sender, n, facts);
    await this.#arm();
    this.ctx.waitUntil(this.#run());
    return taken;
  }

  async status(): Promise<NoticeRouterStatus> {
    const { meta } = this.#tables;
    return {
      position: meta.number('position'),
      waiting: this.#outbox.waiting,
      dropped: this.#outbox.dropped + meta.number('dropped'),
      senders: meta.number('senders'),
    };
  }

  override async alarm(): Promise<void> {
    this.#alarmAt = null;
    // A new object does not know what the previous one left undone.
    this.#isBehind = true;
    await this.#run();
  }

  /** Never throws. */
  async #run(): Promise<void> {
    await this.#reading.run(() => this.#read());
    await this.#outbox.run();
    await this.#arm();
  }

  async #read(): Promise<void> {
    this.#isBehind = true;
    while (this.#outbox.waiting < OUTBOX_NOTICES_PAUSE) {
      const hasMore = await this.#feed.step();
      const hasQualifications = await this.#qualifications.step();
      if (!hasMore && !hasQualifications) {
        this.#isBehind = false;
        return;
      }
      this.#reading.progressed();
      // Send the notices while the next events are read.
      this.ctx.waitUntil(this.#outbox.run());
    }
  }

  async #arm(): Promise<void> {
    const now = Date.now();
    const readAt = this.#isBehind ? Math.max(this.#reading.retryAt, now + ALARM_MS) : null;
    const times = [readAt, this.#outbox.alarmAt(now)].filter((time) => time !== null);
    if (times.length === 0) return;
    const next = Math.min(...times);
    if (this.#alarmAt !== null && this.#alarmAt <= next) return;
    this.#alarmAt = next;
    await this.ctx.storage.setAlarm(next);
  }
}
