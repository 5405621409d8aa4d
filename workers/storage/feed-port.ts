/**
 * The only store of the feed, and what it needs from the coordinator: each changed place of the live layer, with the
 * entries in force for that place.
 */
import { type FeedEntry, type FeedEvent, isPartyEntry, type PartyEntry } from '../../shared/feed/entry.ts';
import type { LiveKey, LiveOp } from '../../shared/live/entry.ts';
import type { Failure, Result } from '../../shared/result.ts';
import type { BlockStage, Subject } from '../../shared/verdict.ts';

/** The name of the only store of the feed. */
export const FEED_NAME = 'main';

/** How far the live layer was read: everything up to this cursor. */
export interface LiveCursor extends LiveKey {
  /** Generation of the tables that were read. The cursor is void for any other generation. */
  readonly generation: string;
  readonly seq: number;
}

/** A row in force. */
export interface LivePlaceRow {
  readonly seq: number;
  readonly op: LiveOp;
  readonly subjects: readonly Subject[];
  readonly code: string | null;
  readonly authority: string;
  /** Seconds since 1970, or FOREVER. */
  readonly until: number;
  readonly rule: string | null;
  readonly stage: BlockStage | null;
}

/** A number or source that has changed, with all its rows in force, newest first. */
export interface LivePlace extends LiveKey {
  /** The text that was fingerprinted: a spelling or a skeleton. Null for a number, and if no row has its text. */
  readonly form: string | null;
  /** The newest text with this spelling, as it was given. Null for a number, and if all rows are of look-alikes. */
  readonly source: string | null;
  readonly rows: readonly LivePlaceRow[];
  /** The subjects of rows that were dropped before they were read. These rows are in lists of the current release. */
  readonly dropped: readonly Subject[];
}

export interface LiveChanges {
  readonly places: readonly LivePlace[];
  /** Pass it to the next call. Null: start from the first place. */
  readonly next: LiveCursor | null;
  /** Whether there are more changes already. */
  readonly more: boolean;
  /** Changes if the tables were restored or re-keyed, or if rows were lost. Then read again from the first place on. */
  readonly generation: string;
  /** ID of the key of the fingerprints of sources. */
  readonly keyId: string;
  /** The current release; null before the first. */
  readonly release: string | null;
  /** Rows up to this `seq` are in the lists of that release. */
  readonly foldedSeq: number;
  /** Rows up to this `seq` are in the lists of every release that can become current, and no longer here. */
  readonly droppedSeq: number;
}

/** The methods of the coordinator that the feed calls. */
export interface LiveSource {
  /**
   * Changed places, in the order of their newest change. Only expiry deletes rows without a change. Reading after a
   * cursor acknowledges everything before the cursor.
   * @param after `next` of the last answer; null to start from the first place
   * @param limit number of places, at most FEED_CHANGES_MAX
   */
  liveChanges(after: LiveCursor | null, limit: number): Promise<LiveChanges>;
  /** A manifest, by its key. */
  value(key: string): Promise<Uint8Array<ArrayBuffer> | null>;
}

/** An event with its entry before the event. For a DELETE event, only the earlier entry has the number. */
export interface KeptEvent extends FeedEvent {
  readonly before: FeedEntry | null;
}

/** An event about a number or a sender ID. */
export interface KeptPartyEvent extends KeptEvent {
  readonly entry: PartyEntry | null;
  readonly before: PartyEntry | null;
}

export function isPartyEvent(event: KeptEvent): event is KeptPartyEvent {
  return [event.entry, event.before].every((entry) => entry === null || isPartyEntry(entry));
}

/**
 * `CURSOR_INVALID`, `CURSOR_FOREIGN`, `CURSOR_AHEAD`: 400. `CURSOR_GONE`: 410, take the snapshot. `NOT_CONFIGURED`: 503,
 * SHARING_KEY is not set.
 */
export type FeedProblem =
  | 'CURSOR_INVALID'
  | 'CURSOR_FOREIGN'
  | 'CURSOR_AHEAD'
  | 'CURSOR_GONE'
  | 'NOT_CONFIGURED';

/** Events of one page, in order. */
export interface FeedPage {
  readonly feed: string;
  /** Epoch of the events; the current epoch if there are no events. */
  readonly epoch: number;
  readonly events: readonly KeptEvent[];
  /** Digest of the event before the first one, or of the statement of the epoch. */
  readonly previous: string;
  /** Cursor of the last event; the given cursor if there are no events. */
  readonly next: string;
  /** Whether the events end their page, so that the same request always gets the same answer. */
  readonly isFull: boolean;
  /** Whether there are events after this page. */
  readonly more: boolean;
}

/** An entry in its current state. */
export interface CurrentEntry {
  readonly reference: string;
  /** Position of the event that made this state. */
  readonly position: number;
  readonly entry: FeedEntry;
}

export interface FeedSnapshotPage {
  readonly feed: string;
  /** Epoch of the event at `position`; the first epoch at position 0. */
  readonly epoch: number;
  /** Position of the newest event when this page was read. Continue from the position of the first page. */
  readonly position: number;
  /** Digest of the event at `position`, or of the statement of the first epoch. The next event of the epoch follows it. */
  readonly digest: string;
  readonly entries: readonly CurrentEntry[];
  /** Pass it to the next call; null at the end. */
  readonly next: number | null;
}

export interface FeedDecisions {
  /** Position up to which the events are covered. */
  readonly position: number;
  /** The newest event of each reference that changed, in order. */
  readonly events: readonly KeptEvent[];
  /** Whether the client must begin with the snapshot: it requested that, is not known, or has fallen behind. */
  readonly isStart: boolean;
}

export interface FeedEvents {
  readonly events: readonly KeptEvent[];
  /** Positions of the first event that is kept, and of the newest event. */
  readonly first: number;
  readonly last: number;
}

export interface FeedStatus {
  readonly isConfigured: boolean;
  readonly feed: string;
  readonly epoch: number;
  /** Position of the newest event. */
  readonly position: number;
  /** Position of the first event that is kept. */
  readonly first: number;
  /** Entries of the snapshot. */
  readonly entries: number;
  /** Numbers, sender IDs and hosts that must be looked up in a new release. */
  readonly pending: number;
  /** How long ago the feed had read all changes, in ms; null if never. */
  readonly lagMs: number | null;
  /** Requests that wait for the next event. */
  readonly waiting: number;
  /** Restored sources without text, which the feed cannot name. */
  readonly unnamed: number;
}

export interface FeedObject {
  /** Reads new changes. Never fails. The cron calls it too, so a lost call only causes a delay. */
  poke(): Promise<void>;
  /**
   * Events after a cursor.
   * @param cursor null to start from the first event: CURSOR_GONE if that event is no longer kept
   * @param waitMs how long to wait if there are none, at most FEED_WAIT_MS_MAX
   */
  read(cursor: string | null, waitMs: number): Promise<Result<FeedPage, Failure<FeedProblem>>>;
  /**
   * The current entries, a page at a time. A consumer that then reads the events after the position of the first page has
   * exactly the state of the feed.
   * @param after `next` of the page before, or 0 @param limit at most FEED_SNAPSHOT_PAGE_MAX
   */
  snapshot(after: number, limit: number): Promise<Result<FeedSnapshotPage, Failure<FeedProblem>>>;
  /** The newest event as a signed note: see shared/feed/statement.ts. Fails if CHECKPOINT_KEY is not set. */
  checkpoint(): Promise<Result<string, Failure<FeedProblem>>>;
  /** The statement of an epoch as a note, signed if CHECKPOINT_KEY was set; null if it is not kept. */
  epoch(epoch: number): Promise<Result<string | null, Failure<FeedProblem>>>;
  /**
   * Changes for a client that keeps no cursor. The answer also repeats the changes of the previous answer, because
   * nothing shows whether the previous answer arrived.
   * @param isStart the client takes the snapshot now
   */
  decisions(client: string, isStart: boolean): Promise<Result<FeedDecisions, Failure<FeedProblem>>>;
  /** Events after a position, for consumers inside the service. @param limit at most FEED_EVENTS_MAX */
  events(after: number, limit: number): Promise<FeedEvents>;
  status(): Promise<FeedStatus>;
}
