/**
 * `GET /v1/feed/snapshot`: all current entries, as NDJSON or CSV, in constant memory. The events after its
 * cursor bring the snapshot up to date, including what changed while it was read.
 *
 * For a client with encryption, the file comes in pieces. Each line is one JWE, whose plaintext is some lines
 * of the file. The protected header of the JWE names the snapshot and the piece, and marks the last piece. So a
 * missing or foreign piece is noticed.
 */
import { sha256Hex, utf8 } from '../../shared/bytes.ts';
import { csvLine } from '../../shared/csv.ts';
import { formatCursor } from '../../shared/feed/cursor.ts';
import type { Encrypt } from '../../shared/feed/jwe.ts';
import { csvRow, type SnapshotFormat, snapshotColumns, snapshotHead } from '../../shared/feed/snapshot.ts';
import { fieldError } from '../../shared/fields.ts';
import { FEED_SNAPSHOT_PAGE_MAX } from '../../shared/limits/feed.ts';
import { FEED_PIECE_ENTRIES } from '../../shared/limits/feed-http.ts';
import { ok, type Result } from '../../shared/result.ts';
import { prefers } from '../http/accept.ts';
import { parametersOf } from '../http/parameters.ts';
import { isKnown, type Problem } from '../http/reply.ts';
import type { CurrentEntry, FeedObject, FeedSnapshotPage } from '../storage/feed-port.ts';
import { encryptorFor, type FeedContext, forConsumers, limitSnapshots } from './consumers.ts';
import { CURSOR_HEADER, callFeed } from './pages.ts';

const TYPES = { ndjson: 'application/x-ndjson', csv: 'text/csv; charset=utf-8' } as const;

const ETAG_CHARS = 16;

export const getSnapshot = forConsumers(async (context) => {
  const { request, reply, client, access, feed } = context;
  const format = formatOf(context);
  if (!format.ok) return format;
  const encrypt = await encryptorFor(context);
  if (!encrypt.ok) return encrypt;
  const known = request.headers.get('if-none-match');
  // One entry is enough to learn the cursor of the feed.
  const first = await callFeed(feed.snapshot(0, known === null ? FEED_SNAPSHOT_PAGE_MAX : 1));
  if (!first.ok) return first;
  const etagOf = async (page: FeedSnapshotPage): Promise<string> => {
    // The ETag covers the key: with another key, the client cannot read the snapshot that it has.
    const named = await sha256Hex(JSON.stringify([formatCursor(page), client.id, access, format.value]));
    // Weak, because the same entries are encrypted anew.
    return `W/"${named.slice(0, ETAG_CHARS)}"`;
  };
  const etag = await etagOf(first.value);
  reply.addHeaders({ etag, [CURSOR_HEADER]: formatCursor(first.value) });
  if (isKnown(etag, known)) return reply.notModified();
  const limited = limitSnapshots(context);
  if (limited !== null) return limited;
  const whole = known === null ? first : await callFeed(feed.snapshot(0, FEED_SNAPSHOT_PAGE_MAX));
  if (!whole.ok) return whole;
  reply.addHeaders({ etag: await etagOf(whole.value), [CURSOR_HEADER]: formatCursor(whole.value) });
  if (prefersGzip(request)) reply.addHeaders({ 'content-encoding': 'gzip', vary: 'accept-encoding' });
  const body = snapshotFrom(whole.value, feed, format.value, encrypt.value);
  return reply.stream(body, TYPES[format.value]);
});

function formatOf({ request, url }: FeedContext): Result<SnapshotFormat, Problem> {
  const parameters = parametersOf(url, { format: 'text' });
  if (!parameters.ok) return parameters;
  const { format } = parameters.value.text;
  if (format === 'csv' || format === 'ndjson') return ok(format);
  if (format !== undefined) return fieldError('FIELD_VALUE', 'format', 'must be csv or ndjson');
  return ok(prefers(request, 'text/csv', 'application/x-ndjson') ? 'csv' : 'ndjson');
}

/** Accepts only a plain `gzip`. A client that weighs codings gets no coding, which is always right. */
function prefersGzip({ headers }: Request): boolean {
  const codings = headers.get('accept-encoding')?.split(',') ?? [];
  return codings.some((coding) => coding.trim().toLowerCase() === 'gzip');
}

function snapshotFrom(
  first: FeedSnapshotPage,
  feed: FeedObject,
  format: SnapshotFormat,
  encrypt: Encrypt | null,
): ReadableStream<Uint8Array> {
  const { feed: id, epoch, position, digest } = first;
  const point = { cursor: formatCursor({ feed: id, epoch, position }), digest };
  let piece = 0;
  let page: FeedSnapshotPage | null = null;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        page = page === null ? first : await nextPage(feed, page);
        const isEnd = page.next === null;
        const head = piece === 0 ? linesBefore(format, point) : '';
        const lines = page.entries.map((entry) => `${lineOf(format, entry)}\n`);
        if (encrypt === null) {
          controller.enqueue(utf8(head + lines.join('')));
          piece++;
        } else {
          // An empty snapshot has one piece as well.
          for (let at = 0; at === 0 || at < lines.length; at += FEED_PIECE_ENTRIES) {
            const text = (at === 0 ? head : '') + lines.slice(at, at + FEED_PIECE_ENTRIES).join('');
            const isLast = isEnd && at + FEED_PIECE_ENTRIES >= lines.length;
            const jwe = await encrypt(text, { snapshot: { ...point, piece, isLast } });
            controller.enqueue(utf8(wrapped(format, piece, jwe)));
            piece++;
          }
        }
        if (isEnd) controller.close();
      },
    },
    { highWaterMark: 0 },
  );
}

/** @throws if the store fails: the client then sees that the response broke off */
async function nextPage(feed: FeedObject, { next }: FeedSnapshotPage): Promise<FeedSnapshotPage> {
  const read = await feed.snapshot(next!, FEED_SNAPSHOT_PAGE_MAX);
  if (!read.ok) throw new Error(read.message);
  return read.value;
}

function linesBefore(format: SnapshotFormat, point: { cursor: string; digest: string }): string {
  return format === 'csv' ? `${csvLine(snapshotColumns)}\n` : `${JSON.stringify(snapshotHead(point))}\n`;
}

function lineOf(format: SnapshotFormat, { reference, position, entry }: CurrentEntry): string {
  const line = { reference, position, ...entry };
  return format === 'csv' ? csvRow(line) : JSON.stringify(line);
}

/** The line of the file that carries an encrypted piece. */
function wrapped(format: SnapshotFormat, piece: number, jwe: string): string {
  if (format === 'ndjson') return `${JSON.stringify({ data: jwe })}\n`;
  return piece === 0 ? `data\n${jwe}\n` : `${jwe}\n`;
}
