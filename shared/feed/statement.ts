/**
 * The texts that the feed signs as notes (shared/signed-note.ts): the statement that opens an epoch, and the checkpoint
 * of the feed's newest event. Each text is a header line, and one line for each value.
 */

const EPOCH_HEADER = 'numgate feed epoch';
const CHECKPOINT_HEADER = 'numgate feed checkpoint';
/** Stands for the missing previous digest of the first epoch. */
const NO_DIGEST = '-';

const FEED = '([0-9a-f]{16})';
const COUNT = '(0|[1-9]\\d{0,14})';
const DIGEST = '([\\w-]{43})';
const TIME = '(\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z)';
const EPOCH = new RegExp(`^${EPOCH_HEADER}\n${FEED}\n${COUNT}\n${COUNT}\n(?:-|${DIGEST})\n${TIME}\n$`);
const CHECKPOINT = new RegExp(`^${CHECKPOINT_HEADER}\n${FEED}\n${COUNT}\n${COUNT}\n${DIGEST}\n${TIME}\n$`);

export interface EpochStatement {
  readonly feed: string;
  /** From 1 on. */
  readonly epoch: number;
  /** Position of the epoch's first event. */
  readonly first: number;
  /** Digest of the last event of the previous epoch; null for the first epoch. */
  readonly previous: string | null;
  /** When the epoch was opened, RFC 3339 in UTC. */
  readonly at: string;
}

export interface FeedCheckpoint {
  readonly feed: string;
  /** Epoch of the newest event; the first epoch if there is no event. */
  readonly epoch: number;
  /** Position of the newest event; 0 if there is no event. */
  readonly position: number;
  /** Digest of the newest event; digest of the first epoch's statement if there is no event. */
  readonly digest: string;
  /** When it was signed, RFC 3339 in UTC. It keeps an old state from being presented as the current one. */
  readonly at: string;
}

export function formatEpoch({ feed, epoch, first, previous, at }: EpochStatement): string {
  return `${EPOCH_HEADER}\n${feed}\n${epoch}\n${first}\n${previous ?? NO_DIGEST}\n${at}\n`;
}

/** @param text text of a note, without its signatures @returns null if it is not the statement of an epoch */
export function parseEpoch(text: string): EpochStatement | null {
  const match = EPOCH.exec(text);
  if (match === null) return null;
  const [, feed, epoch, first, previous = null, at] = match;
  return { feed: feed!, epoch: Number(epoch), first: Number(first), previous, at: at! };
}

export function formatFeedCheckpoint({ feed, epoch, position, digest, at }: FeedCheckpoint): string {
  return `${CHECKPOINT_HEADER}\n${feed}\n${epoch}\n${position}\n${digest}\n${at}\n`;
}

/** @param text text of a note, without its signatures @returns null if it is not a checkpoint of a feed */
export function parseFeedCheckpoint(text: string): FeedCheckpoint | null {
  const match = CHECKPOINT.exec(text);
  if (match === null) return null;
  const [, feed, epoch, position, digest, at] = match;
  return { feed: feed!, epoch: Number(epoch), position: Number(position), digest: digest!, at: at! };
}
