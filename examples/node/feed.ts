/**
 * Follows the feed: the entries as a snapshot, and then each change, decrypted and verified. If an event was altered, left out
 * or moved, the iteration ends with an error before you get the event.
 */
import { type Call, Cutoff, callOf, failureOf, request, send } from './attempts.ts';
import { connectionOf } from './connection.ts';
import { localError } from './errors.ts';
import { type Decrypt, decryptorOf, digestOf, type EventData, placeAtEpoch } from './feed-data.ts';
import type { FeedChange, FeedPlace, FeedSnapshotEntry } from './feed-types.ts';
import { linesOf } from './lines.ts';

/** How to reach the control plane. */
export interface FeedOptions {
  /** Base URL of the control plane, such as `https://control.numgate.example`. */
  readonly url: string;
  /** The key of a client with the right `feed`, `<client id>.<secret>`. */
  readonly key: string;
  /** The output of `clients feed-key`, or your private key. Null for a client without encryption. */
  readonly jwk: JsonWebKey | null;
  /** How long a request waits for the next event, in ms. Default 20,000, at most 25,000. */
  readonly waitMs?: number;
  /** Attempts of one request after the first. Default 8. */
  readonly retries?: number;
  /** Sends the requests. Default: the global `fetch`. */
  readonly fetch?: typeof fetch;
  /** Waits between attempts. Tests pass their own function. */
  readonly pause?: (ms: number, signal?: AbortSignal) => Promise<unknown>;
}

export interface FeedCall extends Call {
  /** Whether to wait for further events, or to end after the last one. Default `true`. */
  readonly follow?: boolean;
}

/** All entries, and the place to continue from. */
export interface FeedSnapshot {
  readonly place: FeedPlace;
  /** Read all entries before you use any, because only the end shows that the snapshot is complete. */
  readonly entries: AsyncGenerator<FeedSnapshotEntry, void, undefined>;
}

export interface Feed {
  /**
   * Yields each change after a place, in order.
   * @param after null to begin with the first event
   * @throws {NumgateError} `CURSOR_GONE` if you must begin with a snapshot again; `FEED_ALTERED`
   */
  changes(after: FeedPlace | null, call?: FeedCall): AsyncGenerator<FeedChange, void, undefined>;
  /** @throws {NumgateError} `FEED_ALTERED` if the snapshot is not complete */
  snapshot(call?: Call): Promise<FeedSnapshot>;
}

/** Time that a response may take beyond the wait, in ms, and the longest time for all attempts. */
const RESPONSE_MS = 20_000;
const DEADLINE_MS = 300_000;
/** Longest time until the response to a snapshot request begins, in ms. */
const SNAPSHOT_MS = 60_000;
/** Pause after a response that came too early, in ms. */
const RETRY_MS = 5_000;
const TYPE = 'application/json';

interface WireEvent {
  readonly [name: string]: unknown;
}

/** @throws {TypeError} if the URL, the key or the JWK is not valid */
export function makeFeed(options: FeedOptions): Feed {
  const { waitMs = 20_000, retries = 8, jwk } = options;
  const connection = connectionOf(options);
  const decrypt = jwk === null ? null : decryptorOf(jwk);

  async function get<Value>(
    path: string,
    read: (value: unknown) => Value | null,
    call: Call,
    parse?: (response: Response) => Promise<unknown>,
  ): Promise<Value> {
    const limits = { timeoutMs: waitMs + RESPONSE_MS, retries, end: performance.now() + DEADLINE_MS };
    const content = { method: 'GET', type: TYPE, body: null } as const;
    const attempt = await request(connection, path, content, read, limits, callOf(call), parse);
    if (attempt.ok) return attempt.value;
    throw attempt.failure.error;
  }

  async function enterEpoch(epoch: number, place: FeedPlace | null, call: Call): Promise<FeedPlace> {
    const read = (value: unknown): string | null => (typeof value === 'string' ? value : null);
    const note = await get(`/v1/feed/epochs/${epoch}`, read, call, (response) => response.text());
    const entered = await placeAtEpoch(note, place);
    if (entered === null) throw altered(`epoch ${epoch} does not follow what you have read`);
    return entered;
  }

  async function* changes(
    after: FeedPlace | null,
    { follow = true, ...call }: FeedCall = {},
  ): AsyncGenerator<FeedChange, void, undefined> {
    let place = after ?? (await enterEpoch(1, null, call));
    const read = (value: unknown): WireEvent[] | null =>
      Array.isArray(value) ? (value as WireEvent[]) : null;
    for (;;) {
      const timeout = follow ? `&timeout=${waitMs}` : '';
      const path = `/v1/feed?lastEventId=${encodeURIComponent(place.cursor)}${timeout}`;
      const startedAt = performance.now();
      const events = await get(path, read, call);
      for (const event of events) {
        const data = await dataOf(event, decrypt);
        if (data.epoch === epochOf(place) + 1) place = await enterEpoch(data.epoch, place, call);
        place = await verified(event, data, place);
        yield { reference: data.reference, entry: data.entry, at: data.at, place };
      }
      if (events.length > 0) continue;
      if (!follow) return;
      // An early empty response means that too many requests are waiting.
      if (performance.now() - startedAt < waitMs / 2) await connection.pause(RETRY_MS, call.signal);
    }
  }

  async function snapshot(call: Call = {}): Promise<FeedSnapshot> {
    const cutoff = new Cutoff(call.signal);
    try {
      cutoff.arm(SNAPSHOT_MS);
      const content = { method: 'GET', type: TYPE, body: null } as const;
      const attempt = await send(connection, '/v1/feed/snapshot', content, callOf(call), cutoff.signal);
      if (!attempt.ok) throw attempt.failure.error;
      cutoff.disarm();
      const lines = wholeLines(linesOf(attempt.value.body!), decrypt);
      const head = await lines.next();
      if (head.done === true) throw altered('the snapshot is empty');
      return { place: JSON.parse(head.value) as FeedPlace, entries: entriesOf(lines, cutoff) };
    } catch (error) {
      cutoff.close();
      if (error instanceof Error && error.name === 'NumgateError') throw error;
      throw failureOf(error, cutoff, call).error;
    }
  }

  return { changes, snapshot };
}

function epochOf({ cursor }: FeedPlace): number {
  return Number(cursor.split('.')[1]);
}

function altered(what: string): Error {
  return localError('FEED_ALTERED', `${what}: none of it was used`);
}

async function dataOf({ data }: WireEvent, decrypt: Decrypt | null): Promise<EventData> {
  if (decrypt === null) return data as EventData;
  const opened = typeof data === 'string' ? await decrypt(data) : null;
  if (opened === null) throw altered('an event was altered, or is not for your key');
  return JSON.parse(opened.text) as EventData;
}

/** The place after an event. @throws {NumgateError} if the event does not follow `place`, or its attributes differ */
async function verified(event: WireEvent, data: EventData, place: FeedPlace): Promise<FeedPlace> {
  const [feed, epoch, position] = place.cursor.split('.');
  const { reference, entry, at } = data;
  const follows =
    data.epoch === Number(epoch) && data.position === Number(position) + 1 && data.previous === place.digest;
  if (!follows) throw altered(`the event after position ${position} is missing, moved or altered`);
  const next = { cursor: `${feed}.${epoch}.${data.position}`, digest: await digestOf(data) };
  const isSame =
    event.id === next.cursor &&
    event.source === `urn:numgate:feed:${feed}` &&
    event.digest === next.digest &&
    event.epoch === data.epoch &&
    event.subject === reference &&
    event.time === at &&
    event.method === (entry === null ? 'DELETE' : undefined);
  if (!isSame) throw altered(`the event at position ${data.position} differs from its data`);
  return next;
}

/** Joins the pieces of a snapshot, and yields whole lines. */
async function* wholeLines(
  lines: AsyncIterable<string>,
  decrypt: Decrypt | null,
): AsyncGenerator<string, void, undefined> {
  if (decrypt === null) return yield* lines;
  let cursor: unknown = null;
  let pieces = 0;
  let isOver = false;
  for await (const line of lines) {
    const opened = await decrypt((JSON.parse(line) as { data: string }).data);
    const piece = opened?.header.snapshot as { cursor: unknown; piece: unknown; isLast: unknown } | undefined;
    cursor ??= piece?.cursor;
    if (opened === null || isOver || piece?.piece !== pieces || piece.cursor !== cursor)
      throw altered(`piece ${pieces} of the snapshot is missing, moved or altered`);
    pieces++;
    isOver = piece.isLast === true;
    yield* opened.text.split('\n').slice(0, -1);
  }
  if (!isOver) throw altered('the snapshot ends before its last piece');
}

async function* entriesOf(
  lines: AsyncGenerator<string, void, undefined>,
  cutoff: Cutoff,
): AsyncGenerator<FeedSnapshotEntry, void, undefined> {
  try {
    for await (const line of lines) yield JSON.parse(line) as FeedSnapshotEntry;
  } finally {
    cutoff.close();
  }
}
