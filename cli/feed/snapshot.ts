/**
 * Reads a snapshot: lines of JSON, of which the first has the cursor and the digest. For a consumer with encryption, each line
 * has a piece of these lines as JWE. The header of the JWE names the piece and its snapshot.
 */
import * as v from 'valibot';
import { feedEntrySchema } from '../../shared/feed/cloud-event.ts';
import type { FeedKey } from '../../shared/feed/open-jwe.ts';
import { openData } from '../../shared/feed/open-jwe.ts';
import type { SnapshotHead } from '../../shared/feed/snapshot.ts';
import { isRecord } from '../../shared/fields.ts';
import type { FeedEntries } from './entries.ts';
import { headerOf, keyFor, refusal } from './keys.ts';

/** Entries between two reports of the progress. */
const PROGRESS_ENTRIES = 1_000;

const headSchema = v.object({ cursor: v.string(), digest: v.string() });
const pieceSchema = v.object({ ...headSchema.entries, piece: v.number(), isLast: v.boolean() });
const entrySchema = v.intersect([v.object({ reference: v.string() }), feedEntrySchema]);

/**
 * @param keys null for a consumer without encryption
 * @param entries receives all entries
 * @param onHead called first; it may refuse the snapshot
 * @throws CommandFailure if a line has a wrong form, or a piece is missing, altered or of another snapshot
 */
export async function readSnapshot(
  lines: AsyncIterable<string>,
  keys: readonly FeedKey[] | null,
  entries: FeedEntries,
  onHead: (head: SnapshotHead) => void,
  onProgress: () => void,
): Promise<SnapshotHead> {
  let head: SnapshotHead | null = null;
  for await (const line of decrypted(lines, keys)) {
    const value = jsonOf(line);
    if (head === null) {
      head = parsed(headSchema, value);
      onHead(head);
    } else {
      const { reference, ...entry } = parsed(entrySchema, value);
      entries.set(reference, entry);
      if ((entries.size + entries.texts.size) % PROGRESS_ENTRIES === 0) onProgress();
    }
  }
  if (head === null) throw refusal('FEED_FORM', 'the snapshot is empty');
  return head;
}

/** Decrypts all pieces, and returns their lines. */
async function* decrypted(
  lines: AsyncIterable<string>,
  keys: readonly FeedKey[] | null,
): AsyncGenerator<string> {
  if (keys === null) {
    let isFirst = true;
    for await (const line of lines) {
      if (line === '') continue;
      const value = isFirst ? jsonOf(line) : null;
      // Throws if the data is encrypted.
      if (isFirst) keyFor(null, isRecord(value) ? value.data : undefined);
      isFirst = false;
      yield line;
    }
    return;
  }
  let last: v.InferOutput<typeof pieceSchema> | null = null;
  for await (const line of lines) {
    if (line === '') continue;
    const wrapped = jsonOf(line);
    const data = isRecord(wrapped) ? wrapped.data : null;
    const text = typeof data === 'string' ? await openData(data, keyFor(keys, data)!) : null;
    if (typeof data !== 'string' || text === null)
      throw refusal(
        'FEED_KEY_OTHER',
        'a piece of the snapshot was altered, or is not encrypted for this key',
      );
    // The header is authenticated: a piece with an altered header does not decrypt.
    const piece: v.InferOutput<typeof pieceSchema> = parsed(pieceSchema, headerOf(data)?.snapshot);
    const isNext =
      piece.piece === (last?.piece ?? -1) + 1 &&
      last?.isLast !== true &&
      (last === null || (piece.cursor === last.cursor && piece.digest === last.digest));
    if (!isNext)
      throw refusal(
        'FEED_CHAIN_BROKEN',
        'a piece of the snapshot is missing, repeated or from another snapshot',
      );
    last = piece;
    for (const each of text.split('\n')) if (each !== '') yield each;
  }
  if (last?.isLast !== true) throw refusal('FEED_CHAIN_BROKEN', 'the last piece of the snapshot is missing');
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw refusal('FEED_FORM', 'a line of the snapshot is not JSON');
  }
}

function parsed<Schema extends v.GenericSchema>(schema: Schema, value: unknown): v.InferOutput<Schema> {
  const result = v.safeParse(schema, value);
  if (result.success) return result.output;
  throw refusal('FEED_FORM', 'a line of the snapshot is not valid');
}
