/**
 * Decrypts and verifies what a consumer reads from the feed. Each event must follow the previous event (position and
 * digest), and its attributes must agree with its data. An event that was altered, left out, repeated or moved is an
 * error, and never changes the consumer's state.
 *
 * With `ECDH-ES`, anybody who knows the public key of a consumer can encrypt to it. With `none`, anybody on the way can
 * write. There, only a signed checkpoint (statement.ts) proves that the chain comes from the service.
 */
import * as v from 'valibot';
import { isRecord } from '../fields.ts';
import { type Failure, fail, ok, type Result } from '../result.ts';
import { cloudEventOf, type FeedCloudEvent, type FeedData, feedDataSchema } from './cloud-event.ts';
import { digestOf } from './digest.ts';
import type { FeedEvent } from './entry.ts';
import { type FeedKey, openData } from './open-jwe.ts';

/** A consumer's place in the chain: the last event that it read, and the digest that the next event must follow. */
export interface ChainPoint {
  /** ID of the feed. */
  readonly feed: string;
  readonly epoch: number;
  /** Position of the last event; 0 before the first event. */
  readonly position: number;
  /** Digest of the last event. Before the first event of an epoch, digest of the epoch's statement. */
  readonly digest: string;
}

export interface OpenedPage {
  readonly events: readonly FeedEvent[];
  /** The place after the last of `events`. */
  readonly end: ChainPoint;
}

/**
 * `FEED_FORM`: not a page of a feed. `FEED_KEY_OTHER`: the data is not for this key, or altered. `FEED_EVENT_ALTERED`: an
 * attribute differs from the data. `FEED_CHAIN_BROKEN`: an event is missing, repeated, moved or altered. `FEED_EPOCH_NEXT`:
 * an event begins the next epoch, so the consumer must continue with the verified statement of that epoch.
 */
export type PageProblem =
  | 'FEED_FORM'
  | 'FEED_KEY_OTHER'
  | 'FEED_EVENT_ALTERED'
  | 'FEED_CHAIN_BROKEN'
  | 'FEED_EPOCH_NEXT';

/**
 * @param page the JSON of a response: a list of CloudEvents
 * @param key null for a consumer without encryption
 * @param after the consumer's place in the chain
 */
export async function openPage(
  page: unknown,
  key: FeedKey | null,
  after: ChainPoint,
): Promise<Result<OpenedPage, Failure<PageProblem>>> {
  if (!Array.isArray(page)) return fail('FEED_FORM', 'the page must be a list of CloudEvents');
  const events: FeedEvent[] = [];
  let end = after;
  for (const cloudEvent of page as unknown[]) {
    const opened = await openEvent(cloudEvent, key, end);
    if (!opened.ok) return opened;
    events.push(opened.value);
    const { epoch, position, digest } = opened.value;
    end = { feed: after.feed, epoch, position, digest };
  }
  return ok({ events, end });
}

/** Opens a single event, such as one of an event stream. @param after the place before the event */
export async function openEvent(
  given: unknown,
  key: FeedKey | null,
  after: ChainPoint,
): Promise<Result<FeedEvent, Failure<PageProblem>>> {
  const where = `the event after position ${after.position}`;
  if (!isRecord(given)) return fail('FEED_FORM', `${where} must be a CloudEvent`);
  const data = await dataOf(given.data, key, where);
  if (!data.ok) return data;
  const { previous, subject: _, ...digested } = data.value;
  const { position, epoch } = digested;
  if (position !== after.position + 1)
    return fail('FEED_CHAIN_BROKEN', `${where} has the position ${position}`);
  if (epoch === after.epoch + 1)
    return fail('FEED_EPOCH_NEXT', `${where} begins epoch ${epoch}: read its statement first`);
  if (epoch !== after.epoch || previous !== after.digest)
    return fail('FEED_CHAIN_BROKEN', `${where} does not follow it: its "previous" is another digest`);
  const event: FeedEvent = { ...digested, digest: digestOf(previous, digested) };
  const expected = cloudEventOf(data.value, after.feed, event.digest, given.data as FeedCloudEvent['data']);
  // Unknown attributes are ignored.
  for (const name of new Set([...Object.keys(expected), 'method']))
    if (name !== 'data' && given[name] !== (expected as unknown as Record<string, unknown>)[name])
      return fail('FEED_EVENT_ALTERED', `"${name}" of ${where} differs from its data`);
  return ok(event);
}

async function dataOf(
  data: unknown,
  key: FeedKey | null,
  where: string,
): Promise<Result<FeedData, Failure<PageProblem>>> {
  let value = data;
  if (key !== null) {
    const text = typeof data === 'string' ? await openData(data, key) : null;
    if (text === null)
      return fail('FEED_KEY_OTHER', `the data of ${where} was altered, or is not encrypted for this key`);
    try {
      value = JSON.parse(text) as unknown;
    } catch {
      return fail('FEED_FORM', `the data of ${where} is not JSON`);
    }
  }
  const parsed = v.safeParse(feedDataSchema, value);
  return parsed.success
    ? ok(parsed.output)
    : fail('FEED_FORM', `the data of ${where} is not an event of the feed`);
}
