/**
 * The chain of events: the digest of an event is SHA-256 over the digest of the previous event (32 bytes) and the
 * event in canonical form. The first event of an epoch follows the SHA-256 of the epoch's statement. One digest
 * therefore vouches for all events before it: none can be altered, left out or moved unnoticed.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { fromBase64Url, toBase64Url, utf8 } from '../bytes.ts';
import type { FeedEntry, FeedEvent } from './entry.ts';

const DIGEST_BYTES = 32;

/** The fields that a digest covers, besides the previous digest. */
export type DigestedEvent = Omit<FeedEvent, 'digest'>;

/** Returns the canonical form of an event: an array, because the order of an object's members is not fixed. */
function canonical({ position, epoch, reference, at, entry }: DigestedEvent): string {
  return JSON.stringify([position, epoch, reference, at, entry === null ? null : valuesOf(entry)]);
}

/** Each kind of entry has its own shape of array, so that no two entries of different kinds have equal values. */
function valuesOf(entry: FeedEntry): readonly unknown[] {
  switch (entry.subject) {
    case 'campaign': {
      const { fingerprint, textKeyId, authority, rule, stage, firstSeen, lastSeen, reporters, until } = entry;
      const values = [fingerprint, textKeyId, authority, rule, stage, firstSeen, lastSeen, reporters, until];
      return [entry.subject, values];
    }
    case 'host': {
      const { host, list, effect, authority } = entry;
      return [entry.subject, [host, list, effect, authority]];
    }
    default: {
      const { number, source, subject, effect, code, authority, list, rule, stage, until } = entry;
      return [number, source, subject, effect, code, authority, list, rule, stage, until];
    }
  }
}

/** Whether two entries are equal in every field. */
export function isSameEntry(a: FeedEntry | null, b: FeedEntry | null): boolean {
  return a === null || b === null ? a === b : JSON.stringify(valuesOf(a)) === JSON.stringify(valuesOf(b));
}

/**
 * Returns the digest of an event, in base64url.
 * @param previous digest of the previous event, or of the statement of the event's epoch
 * @throws RangeError if `previous` is not a digest
 */
export function digestOf(previous: string, event: DigestedEvent): string {
  const before = fromBase64Url(previous);
  if (before?.length !== DIGEST_BYTES) throw new RangeError('feed: the digest before an event is not one');
  return toBase64Url(
    sha256
      .create()
      .update(before)
      .update(utf8(canonical(event)))
      .digest(),
  );
}

/** Returns the digest that the first event of an epoch follows. @param statement text of the note, without signatures */
export function digestOfStatement(statement: string): string {
  return toBase64Url(sha256(utf8(statement)));
}
