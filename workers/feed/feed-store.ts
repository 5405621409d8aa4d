/**
 * The Durable Object that keeps the feed: a chain of events, and the entries that result from them. There is
 * one per installation. It follows the live layer by a cursor, so a lost `poke` only delays it.
 */
import { DurableObject } from 'cloudflare:workers';
import { ReferenceKey } from '../../shared/feed/reference.ts';
import { formatFeedCheckpoint } from '../../shared/feed/statement.ts';
import {
  FEED_EVENTS_MAX,
  FEED_LAG_WARNING_MS,
  FEED_RETRY_MS,
  FEED_RETRY_MS_MAX,
} from '../../shared/limits/feed.ts';
import { type Failure, fail, ok, type Result } from '../../shared/result.ts';
import { openKeyRing } from '../../shared/set/key-ring.ts';
import { openSharingKeys } from '../../shared/sharing-keys.ts';
import { type NoteSigner, openSigner } from '../../shared/signed-note.ts';
import type { ControlEnv } from '../env.ts';
import { warn, warnFailed } from '../log.ts';
import { COORDINATOR_NAME } from '../storage/coordinator-port.ts';
import type {
  FeedDecisions,
  FeedEvents,
  FeedObject,
  FeedPage,
  FeedProblem,
  FeedSnapshotPage,
  FeedStatus,
  LiveSource,
} from '../storage/feed-port.ts';
import { NOTICE_ROUTER_NAME } from '../storage/notices-port.ts';
import { RetriedWork } from '../storage/retried-work.ts';
import { TEXT_NAME } from '../storage/text-port.ts';
import { Follower } from './follower.ts';
import { HostDiff } from './host-diff.ts';
import { LiveReader } from './live-reader.ts';
import { CHECK_START, type CheckCursor } from './party-rows.ts';
import { FeedReads } from './reads.ts';
import { ReleasedLists } from './released-lists.ts';
import { createTables } from './schema.ts';
import { Tables } from './tables.ts';
import { TextFollower } from './text-follower.ts';
import { Waiting } from './waiting.ts';

/** How often the time when the feed last caught up is stored, in ms. */
const CAUGHT_UP_STORED_MS = 30_000;

export class FeedStore extends DurableObject<ControlEnv> implements FeedObject {
  readonly #tables: Tables;
  readonly #reads: FeedReads;
  readonly #waiting = new Waiting();
  readonly #work: RetriedWork;
  #lists: ReleasedLists | null = null;
  #texts: TextFollower | null = null;
  #follower: Result<Follower, Failure<FeedProblem>> = fail('NOT_CONFIGURED', 'the feed has not started');
  #signer: NoteSigner | null = null;
  #alarmAt: number | null = null;
  #hasAppended = false;
  /** Calls that wait for the same run. */
  #callers = 0;
  /** Whether the last run left work to do. */
  #hasMore = false;

  constructor(ctx: DurableObjectState, env: ControlEnv) {
    super(ctx, env);
    createTables(ctx.storage);
    this.#tables = new Tables(ctx.storage);
    this.#reads = new FeedReads(this.#tables);
    this.#work = new RetriedWork(FEED_RETRY_MS, FEED_RETRY_MS_MAX, (error) => this.#failed(error));
    ctx.blockConcurrencyWhile(async () => {
      this.#follower = await this.#open();
      this.#alarmAt = await ctx.storage.getAlarm();
    });
  }

  async #open(): Promise<Result<Follower, Failure<FeedProblem>>> {
    const { SHARING_KEY = '', LIST_KEY = '', CHECKPOINT_KEY = '', COORDINATOR, LISTS, TEXT } = this.env;
    const sharing = await openSharingKeys(SHARING_KEY);
    if (!sharing.ok) return sharing;
    const ring = await openKeyRing(LIST_KEY);
    if (!ring.ok) return fail('NOT_CONFIGURED', `LIST_KEY ${ring.message}`);
    this.#signer = await openSigner(CHECKPOINT_KEY);
    const source = () => COORDINATOR.getByName(COORDINATOR_NAME) as unknown as LiveSource;
    const tables = this.#tables;
    const lists = new ReleasedLists(source, LISTS, ring.value);
    this.#lists = lists;
    const references = await ReferenceKey.open(sharing.value[0]!);
    const text = () => TEXT.getByName(TEXT_NAME);
    const hosts = new HostDiff(tables, text, ring.value, references);
    const texts = new TextFollower({ tables, source: text, references, hosts });
    this.#texts = texts;
    return ok(
      new Follower({
        ...{ tables, ring: ring.value, signer: this.#signer },
        reader: new LiveReader(tables, source, ring.value, references),
        ...{ lists, texts },
        onAppended: () => this.#appended(),
        onProgress: () => this.#work.progressed(),
      }),
    );
  }

  async poke(): Promise<void> {
    if (!this.#follower.ok) return;
    this.ctx.waitUntil(this.#run());
  }

  async read(cursor: string | null, waitMs: number): Promise<Result<FeedPage, Failure<FeedProblem>>> {
    const ready = await this.#ready();
    if (!ready.ok) return ready;
    const page = this.#reads.page(cursor);
    if (!page.ok || page.value.events.length > 0 || waitMs <= 0) return page;
    await this.#waiting.next(waitMs);
    return this.#reads.page(cursor);
  }

  async snapshot(after: number, limit: number): Promise<Result<FeedSnapshotPage, Failure<FeedProblem>>> {
    const ready = await this.#ready();
    return ready.ok ? ok(this.#reads.snapshot(after, limit)) : ready;
  }

  async checkpoint(): Promise<Result<string, Failure<FeedProblem>>> {
    const ready = await this.#ready();
    if (!ready.ok) return ready;
    if (this.#signer === null)
      return fail('NOT_CONFIGURED', 'CHECKPOINT_KEY is not set, so the feed has no signed checkpoints');
    const { feed, log } = this.#tables;
    return ok(
      await this.#signer.sign(formatFeedCheckpoint({ feed, ...log.last, at: new Date().toISOString() })),
    );
  }

  async epoch(epoch: number): Promise<Result<string | null, Failure<FeedProblem>>> {
    const ready = await this.#ready();
    return ready.ok ? ok(this.#tables.epochs.get(epoch)?.note ?? null) : ready;
  }

  async decisions(client: string, isStart: boolean): Promise<Result<FeedDecisions, Failure<FeedProblem>>> {
    const ready = await this.#ready();
    return ready.ok ? ok(this.#reads.decisions(client, isStart)) : ready;
  }

  async events(after: number, limit: number): Promise<FeedEvents> {
    const { epochs, log } = this.#tables;
    if (epochs.current === null) return { events: [], first: 1, last: 0 };
    const { position: last } = log.last;
    const most = Math.max(1, Math.min(limit, FEED_EVENTS_MAX));
    const from = Math.max(after, log.first - 1);
    return { events: log.range(from, Math.min(last, from + most)), first: log.first, last };
  }

  async status(): Promise<FeedStatus> {
    const { meta, epochs, log, parties } = this.#tables;
    const { current } = epochs;
    const position = current === null ? 0 : log.last.position;
    const caughtUpAt = meta.number('caughtUpAt');
    const checkAfter = meta.json<CheckCursor>('checkAfter');
    return {
      ...{
        isConfigured: this.#follower.ok,
        feed: meta.text('feed') ?? '',
        epoch: current?.epoch ?? 0,
        position,
        first: log.first,
      },
      ...{ entries: meta.number('entries'), unnamed: meta.number('unnamed'), waiting: this.#waiting.count },
      pending:
        parties.countDue(Math.floor(Date.now() / 1000)) +
        (checkAfter === null ? 0 : parties.countAfter(checkAfter)) +
        (meta.number('checkAgain') === 1 ? parties.countAfter(CHECK_START) : 0) +
        meta.number('hostsLeft'),
      lagMs: caughtUpAt === 0 ? null : Math.max(0, Date.now() - caughtUpAt),
    };
  }

  override async alarm(): Promise<void> {
    this.#alarmAt = null;
    await this.#run();
  }

  /** Makes sure that the log has its first epoch before anybody reads it. */
  async #ready(): Promise<Result<null, Failure<FeedProblem>>> {
    if (!this.#follower.ok) return this.#follower;
    if (this.#tables.epochs.current === null) await this.#follower.value.openEpoch();
    return ok(null);
  }

  async #run(): Promise<void> {
    const follower = this.#follower;
    if (!follower.ok) return;
    // Operations on KV count against the invocation that began the run.
    if (this.#callers++ === 0) this.#lists?.renew();
    await this.#work.run(async () => {
      this.#hasMore = await follower.value.run();
      if (this.#hasMore && this.#lists?.mayRead === false) this.#continueLater();
      // Without room, changes wait, so the feed has not caught up.
      if (!this.#hasMore && !this.#tables.isFull && this.#texts?.retryAt === 0) this.#caughtUp(Date.now());
    });
    this.#callers--;
    this.#pokeRouter();
    await this.#arm(this.#nextAt(Date.now()));
  }

  /** Leaves the rest to the alarm, which is another invocation. */
  #continueLater(): void {
    this.#work.progressed();
    this.#work.pause();
  }

  /** When there is work to do again, in ms since 1970; Infinity for never. */
  #nextAt(now: number): number {
    const { retryAt } = this.#work;
    if (retryAt > now) return retryAt;
    if (this.#hasMore) return now;
    const due = this.#tables.parties.nextDue;
    // The text store is tried again after a failure.
    const texts = this.#texts?.retryAt || Number.POSITIVE_INFINITY;
    return Math.max(now, Math.min(texts, due === null ? Number.POSITIVE_INFINITY : due * 1000));
  }

  #appended(): void {
    this.#hasAppended = true;
    this.#waiting.wakeAll();
  }

  #pokeRouter(): void {
    if (!this.#hasAppended) return;
    this.#hasAppended = false;
    const router = this.env.NOTICE_ROUTER.getByName(NOTICE_ROUTER_NAME);
    this.ctx.waitUntil(Promise.resolve(router.poke()).catch(() => undefined));
  }

  #caughtUp(now: number): void {
    const { meta } = this.#tables;
    if (now - meta.number('caughtUpAt') >= CAUGHT_UP_STORED_MS) meta.set('caughtUpAt', now);
  }

  #failed(error: unknown): void {
    warnFailed('feedFailed', error);
    const caughtUpAt = this.#tables.meta.number('caughtUpAt');
    const lagMs = Date.now() - caughtUpAt;
    if (caughtUpAt > 0 && lagMs >= FEED_LAG_WARNING_MS)
      warn('feedLags', { seconds: Math.floor(lagMs / 1000) });
  }

  /** Sets an alarm, unless an earlier one is set. @param at ms since 1970, or Infinity for none */
  async #arm(at: number): Promise<void> {
    if (at === Number.POSITIVE_INFINITY || (this.#alarmAt !== null && this.#alarmAt <= at)) return;
    this.#alarmAt = at;
    await this.ctx.storage.setAlarm(at);
  }
}
