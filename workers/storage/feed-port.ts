/**
 * The store of the feed, of which there is one, and what it needs from the coordinator: each place of the live layer
 * that has changed, with the entries in force for it.
 */
import type { LiveKey, LiveOp } from '../../shared/live/entry.ts';
import type { BlockStage, Subject } from '../../shared/verdict.ts';

/** The name of the only store of the feed. */
export const FEED_NAME = 'main';

/** Where a reading of the live layer stands: everything up to here is read. */
export interface LiveCursor extends LiveKey {
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

/** A number or sender ID that has changed, with all its rows in force, newest first. */
export interface LivePlace extends LiveKey {
  /** Null for a number. */
  readonly source: string | null;
  readonly rows: readonly LivePlaceRow[];
}

export interface LiveChanges {
  readonly places: readonly LivePlace[];
  /** Pass it to the next call. */
  readonly next: LiveCursor | null;
  /** Whether more has changed already. */
  readonly more: boolean;
  /** The current release; null before the first. */
  readonly release: string | null;
  /** Rows up to this `seq` are in the lists of that release. */
  readonly foldedSeq: number;
}

/** What the coordinator answers. */
export interface LiveSource {
  /** @param after null from the first on */
  liveChanges(after: LiveCursor | null, limit: number): Promise<LiveChanges>;
}

export interface FeedObject {
  /** Something has changed. Never fails; the cron calls it too, so a lost call only delays. */
  poke(): Promise<void>;
}
