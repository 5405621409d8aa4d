/** The reads of consumers: events after a cursor, the snapshot, and the decision stream. */
import { formatCursor, parseCursor } from '../../shared/feed/cursor.ts';
import { FEED_DECISIONS_MAX, FEED_SNAPSHOT_PAGE_MAX } from '../../shared/limits/feed.ts';
import { type Failure, fail, ok, type Result } from '../../shared/result.ts';
import type {
  FeedDecisions,
  FeedPage,
  FeedProblem,
  FeedSnapshotPage,
  KeptEvent,
} from '../storage/feed-port.ts';
import { epochLimits } from './epochs.ts';
import type { Tables } from './tables.ts';

/** Added to the IDs of campaigns and hosts, so that they follow all IDs of parties in a snapshot. */
const TEXTS_AFTER = 2 ** 45;

export class FeedReads {
  readonly #tables: Tables;

  constructor(tables: Tables) {
    this.#tables = tables;
  }

  /** The events after a cursor, up to the end of the page of the first one. */
  page(cursor: string | null): Result<FeedPage, Failure<FeedProblem>> {
    const after = this.#positionOf(cursor);
    if (!after.ok) return after;
    const { feed, log, epochs } = this.#tables;
    const { last } = log;
    const first = after.value + 1;
    const previous = log.previousOf(first);
    if (first > last.position) {
      const { epoch } = epochs.current!;
      const next = cursor ?? formatCursor({ feed, epoch: last.epoch, position: 0 });
      return ok({ feed, epoch, events: [], previous, next, isFull: false, more: false });
    }
    const { epoch, first: start } = epochs.of(first)!;
    const { pageEvents } = epochLimits;
    const pageEnd = start + (Math.floor((first - start) / pageEvents) + 1) * pageEvents - 1;
    const epochEnd = (epochs.get(epoch + 1)?.first ?? Number.POSITIVE_INFINITY) - 1;
    const end = Math.min(pageEnd, epochEnd);
    const position = Math.min(end, last.position);
    return ok({
      ...{ feed, epoch, events: log.range(after.value, position), previous },
      next: formatCursor({ feed, epoch, position }),
      ...{ isFull: position === end, more: position < last.position },
    });
  }

  #positionOf(text: string | null): Result<number, Failure<FeedProblem>> {
    const { feed, log, epochs } = this.#tables;
    const { first, last } = log;
    const gone = fail(
      'CURSOR_GONE',
      'these events are no longer kept: read the snapshot, and continue from its cursor',
    );
    if (text === null) return first === 1 ? ok(0) : gone;
    const cursor = parseCursor(text);
    if (cursor === null)
      return fail('CURSOR_INVALID', '"lastEventId" must be the "id" of an event of this feed');
    const foreign = fail(
      'CURSOR_FOREIGN',
      '"lastEventId" belongs to another feed: begin with the snapshot of this feed',
    );
    if (cursor.feed !== feed) return foreign;
    const { epoch, position } = cursor;
    if (position > last.position || epoch > last.epoch)
      return fail('CURSOR_AHEAD', '"lastEventId" is newer than the newest event: begin with the snapshot');
    if (position < first - 1) return gone;
    // The last event before the oldest epoch is no longer kept. It belonged to the previous epoch.
    const right = position < first ? Math.max(1, epochs.oldest!.epoch - 1) : epochs.of(position)!.epoch;
    // An epoch begins where the previous one ends. A consumer that has read its statement already names the new epoch.
    const isBeginning = epochs.get(epoch)?.first === position + 1;
    return epoch === right || isBeginning ? ok(position) : foreign;
  }

  /** @param after ID of a party, or TEXTS_AFTER plus the ID of a campaign or host */
  snapshot(after: number, limit: number): FeedSnapshotPage {
    const { feed, log, parties, texts } = this.#tables;
    const { epoch, position, digest } = log.last;
    const most = Math.max(1, Math.min(limit, FEED_SNAPSHOT_PAGE_MAX));
    const found = after < TEXTS_AFTER ? parties.entries(after, most) : [];
    // Fill up the page with campaigns and hosts, so that no page is empty before the end.
    const left = most - found.length;
    const own = left === 0 ? [] : texts.entries(Math.max(0, after - TEXTS_AFTER), left);
    return {
      ...{ feed, epoch, position, digest },
      entries: [...found, ...own].map(({ reference, position: at, entry }) => ({
        reference,
        position: at,
        entry,
      })),
      next: own.length < left ? null : left === 0 ? found.at(-1)!.id : TEXTS_AFTER + own.at(-1)!.id,
    };
  }

  /** See FeedObject. */
  decisions(client: string, isStart: boolean): FeedDecisions {
    const { storage, log, pollers } = this.#tables;
    return storage.transactionSync(() => {
      const { position: last } = log.last;
      const known = pollers.get(client);
      if (isStart || known === null || known.covered < log.first - 1 || known.offered > last) {
        pollers.put(client, { covered: last, offered: last }, Date.now());
        return { position: last, events: [], isStart: true };
      }
      const { covered, offered } = known;
      const position = Math.min(last, offered + FEED_DECISIONS_MAX);
      pollers.put(client, { covered: offered, offered: position }, Date.now());
      return { position, events: newest(log.range(covered, position)), isStart: false };
    });
  }
}

/** The newest event of each reference, in order. Its `before` is the earliest one that is not null. */
function newest(events: readonly KeptEvent[]): KeptEvent[] {
  const found = new Map<string, KeptEvent>();
  for (const event of events) {
    const { before } = found.get(event.reference) ?? event;
    found.delete(event.reference);
    found.set(event.reference, { ...event, before: before ?? event.before });
  }
  return [...found.values()];
}
