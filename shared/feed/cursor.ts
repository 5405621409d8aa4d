/**
 * A cursor says how far a consumer has read. It equals the CloudEvents `id` of the event at its position. Position 0 is
 * before the first event.
 */
import { FEED_CURSOR_CHARS_MAX } from '../limits/feed.ts';

export interface FeedCursor {
  /** ID of the feed: 16 hex digits, which never change. */
  readonly feed: string;
  readonly epoch: number;
  readonly position: number;
}

const CURSOR = /^([0-9a-f]{16})\.([1-9]\d{0,14})\.(0|[1-9]\d{0,14})$/;

export function formatCursor({ feed, epoch, position }: FeedCursor): string {
  return `${feed}.${epoch}.${position}`;
}

/** Returns null if the text is not a cursor. */
export function parseCursor(text: string): FeedCursor | null {
  const match = text.length > FEED_CURSOR_CHARS_MAX ? null : CURSOR.exec(text);
  if (match === null) return null;
  return { feed: match[1]!, epoch: Number(match[2]), position: Number(match[3]) };
}
