/** The store of the feed as the routes see it: a chain of events of one epoch, in memory. */
import { formatCursor, parseCursor } from '../../../shared/feed/cursor.ts';
import type { FeedEntry, FeedEvent } from '../../../shared/feed/entry.ts';
import { FEED_PAGE_EVENTS } from '../../../shared/limits/feed.ts';
import { type Failure, fail, ok } from '../../../shared/result.ts';
import type {
  CurrentEntry,
  FeedDecisions,
  FeedEvents,
  FeedObject,
  FeedProblem,
  FeedSnapshotPage,
  FeedStatus,
  KeptEvent,
} from '../../../workers/storage/feed-port.ts';
import { blockOf, chainOf, FEED, FIRST_STATEMENT, START } from '../../shared/support/feed-page.ts';

export class FakeFeed implements FeedObject {
  readonly kept: KeptEvent[];
  /** Events up to this position are no longer kept. */
  gone = 0;
  /** If set, calls return this failure instead of their answer. */
  failure: Failure<FeedProblem> | null = null;
  /** Longest wait of each `read`, in ms. */
  readonly waits: number[] = [];
  #wake: (() => void)[] = [];

  /** @param entryAt the entry of each event */
  constructor(count: number, entryAt?: (index: number) => FeedEntry | null) {
    this.kept = chainOf(count, START, entryAt).map(withBefore);
  }

  get last(): KeptEvent {
    return this.kept.at(-1)!;
  }

  get cursor(): string {
    return this.cursorOf(this.kept.length);
  }

  cursorOf(position: number): string {
    return formatCursor({ feed: FEED, epoch: 1, position });
  }

  /** Adds events and wakes waiting readers. */
  append(count: number): FeedEvent[] {
    const { position, digest } = this.last;
    const added = chainOf(count, { ...START, position, digest });
    this.kept.push(...added.map(withBefore));
    this.wake();
    return added;
  }

  wake(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }

  async poke(): Promise<void> {}

  async read(cursor: string | null, waitMs: number): ReturnType<FeedObject['read']> {
    this.waits.push(waitMs);
    if (this.failure !== null) return this.failure;
    const after = cursor === null ? { feed: FEED, epoch: 1, position: 0 } : parseCursor(cursor);
    if (after === null) return fail('CURSOR_INVALID', 'the cursor is not one');
    if (after.feed !== FEED) return fail('CURSOR_FOREIGN', 'the cursor is of another feed');
    if (after.position > this.kept.length) return fail('CURSOR_AHEAD', 'the cursor is in the future');
    if (after.position < this.gone) return fail('CURSOR_GONE', 'the cursor is too old');
    if (waitMs > 0 && after.position === this.kept.length)
      await new Promise<void>((resolve) => this.#wake.push(resolve));
    const end = (Math.floor(after.position / FEED_PAGE_EVENTS) + 1) * FEED_PAGE_EVENTS;
    const events = this.kept.slice(after.position, end);
    const last = after.position + events.length;
    return ok({
      ...{ feed: FEED, epoch: 1, events, next: this.cursorOf(last), isFull: last === end },
      previous: after.position === 0 ? START.digest : this.kept[after.position - 1]!.digest,
      more: last < this.kept.length,
    });
  }

  /** The newest entry of each reference, without removed ones. */
  get current(): CurrentEntry[] {
    const entries = new Map<string, CurrentEntry>();
    for (const { reference, position, entry } of this.kept) {
      entries.delete(reference);
      if (entry !== null) entries.set(reference, { reference, position, entry });
    }
    return [...entries.values()];
  }

  async snapshot(after: number, limit: number): ReturnType<FeedObject['snapshot']> {
    if (this.failure !== null) return this.failure;
    const all = this.current;
    const end = after + limit;
    return ok({
      ...{ feed: FEED, epoch: 1, position: this.kept.length, digest: this.last.digest },
      entries: all.slice(after, end),
      next: end < all.length ? end : null,
    } satisfies FeedSnapshotPage);
  }

  async checkpoint(): ReturnType<FeedObject['checkpoint']> {
    return this.failure ?? ok('a checkpoint\n');
  }

  async epoch(epoch: number): ReturnType<FeedObject['epoch']> {
    return this.failure ?? ok(epoch === 1 ? FIRST_STATEMENT : null);
  }

  /** The positions of clients of the decision stream. */
  readonly polled = new Map<string, number>();

  async decisions(client: string, isStart: boolean): ReturnType<FeedObject['decisions']> {
    const known = this.polled.get(client);
    this.polled.set(client, this.kept.length);
    const starts = isStart || known === undefined;
    return ok({
      ...{ position: this.kept.length, isStart: starts },
      events: starts ? [] : this.kept.slice(known),
    } satisfies FeedDecisions);
  }

  async events(): Promise<FeedEvents> {
    return { events: this.kept, first: 1, last: this.kept.length };
  }

  async status(): Promise<FeedStatus> {
    throw new Error('no route asks for the status');
  }
}

/** Adds the previous entry to the end of an entry: a block. */
function withBefore(event: FeedEvent): KeptEvent {
  const before: FeedEntry | null = event.entry === null ? blockOf(`+8210${event.position}`) : null;
  return { ...event, before };
}
