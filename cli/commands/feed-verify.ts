/** `numgate feed verify`: verifies kept pages, statements and checkpoints of a feed, without a service. */
import { readFileSync, statSync } from 'node:fs';
import { fromBase64Url, toBase64 } from '../../shared/bytes.ts';
import type { FeedCloudEvent } from '../../shared/feed/cloud-event.ts';
import { parseCursor } from '../../shared/feed/cursor.ts';
import { digestOfStatement } from '../../shared/feed/digest.ts';
import { type FeedKey, openData } from '../../shared/feed/open-jwe.ts';
import { type ChainPoint, openPage } from '../../shared/feed/open-page.ts';
import { type FeedCheckpoint, parseEpoch, parseFeedCheckpoint } from '../../shared/feed/statement.ts';
import { beginEpoch } from '../../shared/feed/verify-notes.ts';
import { isRecord } from '../../shared/fields.ts';
import { PULLED_PAGE_BYTES_MAX } from '../../shared/limits/feed-pull.ts';
import { fail, ok } from '../../shared/result.ts';
import { type NoteVerifier, notesIn, type SignedNote, verifyNote } from '../../shared/signed-note.ts';
import { CommandFailure, describeFileError } from '../failure.ts';
import { accepted, keyFor, openSigned, refusal } from '../feed/keys.ts';
import { count, counted } from '../terminal/figures.ts';
import type { Report } from '../terminal/output.ts';

interface VerifyKeys {
  readonly keys: readonly FeedKey[] | null;
  readonly verifiers: readonly NoteVerifier[];
}

interface Kept {
  readonly pages: { readonly path: string; readonly events: readonly unknown[] }[];
  /** Statements as texts of notes with their signatures, by epoch. */
  readonly statements: Map<number, string>;
  readonly checkpoints: { readonly path: string; readonly checkpoint: FeedCheckpoint }[];
}

/** @throws CommandFailure that names the first file that is wrong */
export async function verifyFeedFiles(paths: readonly string[], keys: VerifyKeys): Promise<Report> {
  const kept: Kept = { pages: [], statements: new Map(), checkpoints: [] };
  for (const path of paths) await within(path, () => readKept(path, kept, keys));
  const first = kept.pages[0];
  if (first === undefined) throw new CommandFailure('none of the files is a page of a feed', 2);
  const begin = await within(first.path, () => beginningOf(first.events, kept, keys));
  let end = begin;
  const digests = new Map<number, string>();
  const wanted = new Set(kept.checkpoints.map(({ checkpoint }) => checkpoint.position));
  for (const { path, events } of kept.pages) {
    await within(path, async () => {
      const key = keyFor(keys.keys, (events[0] as FeedCloudEvent | undefined)?.data);
      let opened = await openPage(events, key, end);
      if (!opened.ok && opened.code === 'FEED_EPOCH_NEXT') {
        const statement = kept.statements.get(end.epoch + 1);
        if (statement === undefined)
          throw new CommandFailure(`begins epoch ${end.epoch + 1}: add the file with its signed statement`);
        const before = end;
        end = await openSigned(keys.verifiers, (verifier) => beginEpoch(statement, verifier, before));
        opened = await openPage(events, key, end);
      }
      const page = accepted(opened);
      for (const { position, digest } of page.events) if (wanted.has(position)) digests.set(position, digest);
      end = page.end;
    });
  }
  const covered = checkCheckpoints(kept, end, digests);
  return formatVerified(begin, end, covered, kept.checkpoints.at(-1)?.checkpoint.position ?? null);
}

/** Runs a step, and adds the path of the file to its failure. */
async function within<Value>(path: string, run: () => Promise<Value>): Promise<Value> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof CommandFailure)) throw error;
    throw new CommandFailure(`${path}: ${error.message}`, error.exitCode, error.extras);
  }
}

async function readKept(path: string, kept: Kept, { verifiers }: VerifyKeys): Promise<void> {
  const text = readText(path);
  if (text.trimStart().startsWith('[')) {
    kept.pages.push({ path, events: eventsIn(text) });
    return;
  }
  for (const { note } of notesIn(text)) {
    if (note === null) throw refusal('FEED_NOTE_FORM', 'is neither a page of a feed nor signed notes');
    await checkSigned(note, verifiers);
    const checkpoint = parseFeedCheckpoint(note.text);
    const statement = parseEpoch(note.text);
    if (checkpoint !== null) kept.checkpoints.push({ path, checkpoint });
    else if (statement !== null) kept.statements.set(statement.epoch, formatNote(note));
    else throw refusal('FEED_NOTE_FORM', 'is a signed note, but not of a feed');
  }
}

function readText(path: string): string {
  try {
    if (statSync(path).size <= PULLED_PAGE_BYTES_MAX) return readFileSync(path, 'utf8');
  } catch (error) {
    throw new CommandFailure(describeFileError(error));
  }
  throw new CommandFailure(
    `is larger than ${count(PULLED_PAGE_BYTES_MAX)} bytes, the maximum for a page of a feed`,
  );
}

function eventsIn(text: string): readonly unknown[] {
  try {
    return JSON.parse(text) as unknown[];
  } catch {
    throw refusal('FEED_FORM', 'is not JSON');
  }
}

async function checkSigned(note: SignedNote, verifiers: readonly NoteVerifier[]): Promise<void> {
  await openSigned(verifiers, async (verifier) => {
    const problem = await verifyNote(note, verifier);
    if (problem === null) return ok(note);
    return fail('FEED_NOTE_UNSIGNED', `the note is not signed by ${verifier.name}, or was altered`);
  });
}

function formatNote({ text, signatures }: SignedNote): string {
  return `${text}\n${signatures.map(({ name, bytes }) => `— ${name} ${toBase64(bytes)}\n`).join('')}`;
}

/** The point of the chain before the first event: from its epoch's statement if the files have that, else from the event. */
async function beginningOf(
  events: readonly unknown[],
  { statements }: Kept,
  { keys }: VerifyKeys,
): Promise<ChainPoint> {
  const event = events[0];
  const cursor = isRecord(event) && typeof event.id === 'string' ? parseCursor(event.id) : null;
  if (!isRecord(event) || cursor === null)
    throw refusal('FEED_FORM', 'does not begin with an event of a feed');
  const before = { ...cursor, position: cursor.position - 1 };
  const note = [...notesIn(statements.get(cursor.epoch) ?? '')][0]?.note ?? null;
  const statement = note === null ? null : parseEpoch(note.text);
  if (note !== null && statement?.first === cursor.position && statement.feed === cursor.feed)
    return { ...before, digest: digestOfStatement(note.text) };
  const key = keyFor(keys, event.data);
  const text = key === null ? JSON.stringify(event.data) : await openData(String(event.data), key);
  const data: unknown = text === null ? null : JSON.parse(text);
  const previous = isRecord(data) ? data.previous : null;
  if (typeof previous !== 'string' || fromBase64Url(previous)?.length !== 32)
    throw refusal(
      'FEED_KEY_OTHER',
      'the data of its first event was altered, or is not encrypted for this key',
    );
  return { ...before, digest: previous };
}

/** @returns the last position that a checkpoint covers; null if none does */
function checkCheckpoints(
  { checkpoints }: Kept,
  end: ChainPoint,
  digests: ReadonlyMap<number, string>,
): number | null {
  let covered: number | null = null;
  for (const { path, checkpoint } of checkpoints) {
    const { feed, position, digest } = checkpoint;
    if (feed !== end.feed) throw refusal('FEED_OTHER', `${path}: the checkpoint is of another feed`);
    const own = digests.get(position);
    // The checkpoint is of an event that is not among the pages.
    if (own === undefined) continue;
    if (own !== digest)
      throw refusal(
        'FEED_CHAIN_BROKEN',
        `${path}: the service has signed another event at position ${position}`,
      );
    covered = Math.max(covered ?? 0, position);
  }
  return covered;
}

/** @param other position of the last checkpoint, for when no checkpoint covers the events; null without checkpoints */
function formatVerified(
  begin: ChainPoint,
  end: ChainPoint,
  covered: number | null,
  other: number | null,
): Report {
  const events = end.position - begin.position;
  const elsewhere =
    other === null
      ? ''
      : `the checkpoint is of position ${count(other)}: add the page that has this position\n`;
  const signed =
    covered === null
      ? `no checkpoint covers them: they follow one another, but nothing proves which service made them\n${elsewhere}`
      : covered === end.position
        ? 'a signed checkpoint covers all of them\n'
        : `a signed checkpoint covers the events up to position ${count(covered)}\n`;
  const text = `feed ${end.feed}: ${counted(events, 'event')}, ${count(begin.position + 1)} to ${count(end.position)}, none altered or missing\n${signed}`;
  return [text, { feed: end.feed, first: begin.position + 1, last: end.position, events, covered }];
}
