/**
 * `GET /v1/feed`: the events after a cursor, as an HTTP feed (http-feeds.org). A response has only events of
 * one page. A page has at most FEED_PAGE_EVENTS, which limits what one request encrypts.
 */
import {
  cloudEventOf,
  FEED_BATCH_TYPE,
  type FeedCloudEvent,
  feedData,
} from '../../shared/feed/cloud-event.ts';
import type { Encrypt } from '../../shared/feed/jwe.ts';
import { FEED_WAIT_MS_MAX } from '../../shared/limits/feed.ts';
import { FEED_RETRY_AFTER_SECONDS, FEED_WAIT_MARGIN_MS } from '../../shared/limits/feed-http.ts';
import type { Result } from '../../shared/result.ts';
import { parametersOf } from '../http/parameters.ts';
import { type Problem, problem } from '../http/reply.ts';
import { warnFailed } from '../log.ts';
import type { FeedObject, FeedPage, FeedProblem } from '../storage/feed-port.ts';
import { encryptorFor, forConsumers } from './consumers.ts';

/** The path of the snapshot, for consumers whose cursor is gone. */
const SNAPSHOT = '/v1/feed/snapshot';
/** The header with the cursor of a response. */
export const CURSOR_HEADER = 'numgate-cursor';

/** Calls the store. @returns its failures as problems, and UNAVAILABLE if it does not respond */
export async function callFeed<Value>(
  call: Promise<Result<Value, { ok: false; code: FeedProblem; message: string }>>,
): Promise<Result<Value, Problem>> {
  try {
    const answer = await call;
    if (answer.ok) return answer;
    const { code, message } = answer;
    return problem(code, message, code === 'CURSOR_GONE' ? { extras: { snapshot: SNAPSHOT } } : {});
  } catch (error) {
    warnFailed('feedNotRead', error);
    return problem('UNAVAILABLE', 'the feed does not respond: try again', {
      retryAfterSeconds: FEED_RETRY_AFTER_SECONDS,
    });
  }
}

/** @param cursor null to read from the first event on */
export function readFeed(
  feed: FeedObject,
  cursor: string | null,
  waitMs: number,
): Promise<Result<FeedPage, Problem>> {
  return callFeed(feed.read(cursor, waitMs));
}

export function renderPage(
  { events, feed, previous: first }: FeedPage,
  encrypt: Encrypt | null,
): Promise<FeedCloudEvent[]> {
  return Promise.all(
    events.map(async (event, index) => {
      const previous = index === 0 ? first : events[index - 1]!.digest;
      // If the entry is gone, `before` has its subject.
      const { subject } = event.entry ?? event.before!;
      const data = feedData(event, subject, previous);
      const sent = encrypt === null ? data : await encrypt(JSON.stringify(data));
      return cloudEventOf(data, feed, event.digest, sent);
    }),
  );
}

export const readPage = forConsumers(async (context) => {
  const { url, reply, client, feed, open } = context;
  const parameters = parametersOf(url, { lastEventId: 'text', timeout: 'number' });
  if (!parameters.ok) return parameters;
  const encrypt = await encryptorFor(context);
  if (!encrypt.ok) return encrypt;
  const { text, number } = parameters.value;
  const waitMs = Math.min(number.timeout ?? 0, FEED_WAIT_MS_MAX);
  const waiting = waitMs > 0 ? open.begin(client.id, waitMs + FEED_WAIT_MARGIN_MS) : null;
  if (waitMs > 0 && waiting === null) return tooManyOpen();
  try {
    const startedAt = Date.now();
    const page = await readFeed(feed, text.lastEventId ?? null, waitMs);
    if (!page.ok) return page;
    const { events, next } = page.value;
    reply.header(CURSOR_HEADER, next);
    // The wait ended early, because too many wait already. Without a pause, the client would poll in a tight loop.
    if (events.length === 0 && Date.now() - startedAt < waitMs / 2)
      reply.header('retry-after', String(FEED_RETRY_AFTER_SECONDS));
    return reply.json(await renderPage(page.value, encrypt.value), 200, FEED_BATCH_TYPE);
  } finally {
    waiting?.end();
  }
});

export function tooManyOpen(): Problem {
  const message = 'too many requests of this client wait for events: close some of them first';
  return problem('QUOTA_EXCEEDED', message, { retryAfterSeconds: FEED_RETRY_AFTER_SECONDS });
}
