/**
 * The checks before a pull moves its state: the service must neither have less than the state has verified, nor another
 * history.
 */
import { type FeedCursor, parseCursor } from '../../shared/feed/cursor.ts';
import type { ChainPoint } from '../../shared/feed/open-page.ts';
import type { FeedCheckpoint } from '../../shared/feed/statement.ts';
import { PULLED_CHECKPOINT_AGE_MS_MAX } from '../../shared/limits/feed-pull.ts';
import { type FeedRefusal, refusal } from './keys.ts';

/** Whether a consumer at this place has read everything up to the checkpoint. */
export function isAt(place: ChainPoint, { epoch, position }: FeedCheckpoint): boolean {
  return place.position === position && place.epoch === epoch;
}

/** @throws FeedRefusal if the service has less than the state, or another history */
export function checkNotBehind(place: ChainPoint, checkpoint: FeedCheckpoint): void {
  const { feed, epoch, position, digest } = checkpoint;
  if (feed !== place.feed) throw otherFeed();
  if (position < place.position || epoch < place.epoch)
    throw wentBack(`the service has signed position ${position}`, place.position);
  if (isAt(place, checkpoint) && digest !== place.digest) {
    throw refusal(
      'FEED_FORKED',
      `up to position ${position}, the service has signed a different history than this state has`,
    );
  }
}

/** @param now ms since 1970 @throws FeedRefusal if the checkpoint is too old, or from the future */
export function checkFresh({ at }: FeedCheckpoint, now: number): void {
  if (Math.abs(now - Date.parse(at)) <= PULLED_CHECKPOINT_AGE_MS_MAX) return;
  throw refusal(
    'FEED_STALE',
    `the checkpoint was signed at ${at}, but the time here is ${new Date(now).toISOString()}: somebody on the way sends an ` +
      'old state, or one of the clocks is wrong',
  );
}

/** The place of a snapshot. @throws FeedRefusal if the state must not move there */
export function placeOf(cursor: string, before: ChainPoint | null): FeedCursor {
  const place = parseCursor(cursor);
  if (place === null) throw refusal('FEED_FORM', 'the snapshot has an invalid cursor');
  if (before !== null && place.feed !== before.feed) throw otherFeed();
  if (before !== null && place.position < before.position)
    throw wentBack(`the snapshot is of position ${place.position}`, before.position);
  return place;
}

function wentBack(what: string, position: number): FeedRefusal {
  return refusal(
    'FEED_OLDER',
    `${what}, but the state is already at position ${position}: the service was restored from a backup, or somebody ` +
      'replays old data. If you trust the service, use another folder with --out',
  );
}

function otherFeed(): FeedRefusal {
  return refusal('FEED_OTHER', 'the URL has a different feed than this state: use another folder with --out');
}
