/**
 * `GET /v1/feed/events`: the events of the feed as server-sent events, for consumers that want each event within a
 * second. A stream ends after FEED_STREAM_MS, and the consumer reconnects with the ID of the last event.
 */
import { utf8 } from '../../shared/bytes.ts';
import type { Encrypt } from '../../shared/feed/jwe.ts';
import {
  FEED_HEARTBEAT_MS,
  FEED_PAUSE_MS,
  FEED_RECONNECT_MS,
  FEED_STREAM_MS,
  FEED_WAIT_MARGIN_MS,
} from '../../shared/limits/feed-http.ts';
import { parametersOf } from '../http/parameters.ts';
import type { FeedPage } from '../storage/feed-port.ts';
import { admitConsumer, encryptorFor, type FeedContext, forConsumers } from './consumers.ts';
import type { OpenRequest } from './open-requests.ts';
import { readFeed, renderPage, tooManyOpen } from './pages.ts';

export const streamEvents = forConsumers(async (context) => {
  const { request, url, reply, client, feed, open } = context;
  const parameters = parametersOf(url, { lastEventId: 'text' });
  if (!parameters.ok) return parameters;
  const encrypt = await encryptorFor(context);
  if (!encrypt.ok) return encrypt;
  // A browser sends the header when it reconnects to the original URL, so the header wins.
  const cursor = request.headers.get('last-event-id') ?? parameters.value.text.lastEventId ?? null;
  const place = open.begin(client.id, COUNTED_MS);
  if (place === null) return tooManyOpen();
  // Read before the response begins, so that an invalid cursor becomes a problem instead of a stream.
  const first = await readFeed(feed, cursor, 0);
  if (!first.ok) {
    place.end();
    return first;
  }
  return reply.stream(eventsFrom(first.value, context, encrypt.value, place), 'text/event-stream');
});

/** Whether the client is still admitted, with the same encryption as when the stream began. */
async function isSameConsumer(context: FeedContext): Promise<boolean> {
  const admitted = await admitConsumer(context);
  return admitted.ok && JSON.stringify(admitted.value.access) === JSON.stringify(context.access);
}

/** How long a stream counts as open after its client last read, in ms. */
const COUNTED_MS = FEED_HEARTBEAT_MS + FEED_WAIT_MARGIN_MS;

/** @param first the page that was read already @param place among the open requests of the client */
function eventsFrom(
  first: FeedPage,
  context: FeedContext,
  encrypt: Encrypt | null,
  place: OpenRequest,
): ReadableStream<Uint8Array> {
  const endsAt = Date.now() + FEED_STREAM_MS;
  let page: FeedPage | null = first;
  let cursor = first.next;
  let isBegun = false;
  const nextPage = async (): Promise<FeedPage | null> => {
    const left = endsAt - Date.now();
    // A stream can outlive the client, its key for the data, and its place in the feed.
    if (left <= 0 || !(await isSameConsumer(context))) return null;
    const startedAt = Date.now();
    const waitMs = Math.min(FEED_HEARTBEAT_MS, left);
    const read = await readFeed(context.feed, cursor, waitMs);
    if (!read.ok) return null;
    const waitedMs = Date.now() - startedAt;
    if (read.value.events.length === 0 && waitedMs < waitMs / 2)
      await new Promise((resolve) => setTimeout(resolve, FEED_PAUSE_MS));
    return read.value;
  };
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        // Answer at once, so that the consumer knows that it is connected.
        const start = isBegun ? '' : `retry: ${FEED_RECONNECT_MS}\n\n`;
        isBegun = true;
        place.renew(COUNTED_MS);
        const now = page ?? (await nextPage().catch(() => null));
        page = null;
        if (now === null) {
          place.end();
          controller.close();
          return;
        }
        cursor = now.next;
        const events = await renderPage(now, encrypt);
        const text = events.map((event) => `id: ${event.id}\ndata: ${JSON.stringify(event)}\n\n`).join('');
        controller.enqueue(utf8(start + (text === '' ? ':\n\n' : text)));
      },
      cancel: () => place.end(),
    },
    { highWaterMark: 0 },
  );
}
