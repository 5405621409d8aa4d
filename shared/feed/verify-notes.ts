/**
 * Verifies the notes that the feed signs, for consumers. A consumer begins an epoch with its statement, and compares its
 * place in the chain with a checkpoint.
 */
import { type Failure, fail, ok, type Result } from '../result.ts';
import { type NoteVerifier, notesIn, type SignedNote, verifyNote } from '../signed-note.ts';
import { digestOfStatement } from './digest.ts';
import type { ChainPoint } from './open-page.ts';
import { type FeedCheckpoint, parseEpoch, parseFeedCheckpoint } from './statement.ts';

/**
 * `FEED_NOTE_FORM`: not a note of the expected kind. `FEED_NOTE_UNSIGNED`: not signed by this key, or altered.
 * `FEED_NOTE_OTHER`: from another feed, or it does not follow what the consumer has read.
 */
export type NoteProblem = 'FEED_NOTE_FORM' | 'FEED_NOTE_UNSIGNED' | 'FEED_NOTE_OTHER';
type Opened<Value> = Promise<Result<Value, Failure<NoteProblem>>>;

/**
 * Returns the place in the chain of a consumer that has read everything before the epoch.
 * @param text the statement of an epoch, with its signatures
 * @param verifier null to accept the statement without a signature
 * @param before the consumer's place at the end of the previous epoch; null if it begins with the first event
 */
export async function beginEpoch(
  text: string,
  verifier: NoteVerifier | null,
  before: ChainPoint | null,
): Opened<ChainPoint> {
  const note = await openNote(text, verifier);
  if (!note.ok) return note;
  const statement = parseEpoch(note.value.text);
  if (statement === null) return fail('FEED_NOTE_FORM', 'the note is not the statement of an epoch');
  const { feed, epoch, first, previous } = statement;
  const isNext =
    before === null
      ? first === 1 && previous === null
      : feed === before.feed &&
        epoch === before.epoch + 1 &&
        first === before.position + 1 &&
        previous === before.digest;
  if (!isNext)
    return fail('FEED_NOTE_OTHER', `the statement of epoch ${epoch} does not follow what was read before`);
  return ok({ feed, epoch, position: first - 1, digest: digestOfStatement(note.value.text) });
}

/** @param text a checkpoint with its signatures @param verifier null to accept it without a signature */
export async function openCheckpoint(text: string, verifier: NoteVerifier | null): Opened<FeedCheckpoint> {
  const note = await openNote(text, verifier);
  if (!note.ok) return note;
  const checkpoint = parseFeedCheckpoint(note.value.text);
  return checkpoint === null
    ? fail('FEED_NOTE_FORM', 'the note is not a checkpoint of a feed')
    : ok(checkpoint);
}

async function openNote(text: string, verifier: NoteVerifier | null): Opened<SignedNote> {
  // Without a verifier, a statement that the service could not sign is readable, too.
  if (verifier === null) return ok({ text: textOf(text), signatures: [] });
  const [found, ...more] = notesIn(text);
  if (found === undefined || found.note === null || more.length > 0)
    return fail('FEED_NOTE_FORM', 'the text is not one signed note');
  const problem = await verifyNote(found.note, verifier);
  if (problem === null) return ok(found.note);
  return fail('FEED_NOTE_UNSIGNED', `the note is not signed by ${verifier.name}, or was altered`);
}

/** Returns the signed part of a note, which ends at the blank line before the signatures. */
function textOf(note: string): string {
  const end = note.indexOf('\n\n');
  return end < 0 ? note : note.slice(0, end + 1);
}
