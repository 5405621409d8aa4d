/**
 * Events of the feed as CloudEvents 1.0 in JSON. An HTTP feed (http-feeds.org) is a list of events, in the order of their
 * positions. Consumers need only the data. The attributes around it repeat parts of the data, for tools that route by
 * attributes, and `openPage` refuses events whose attributes differ from the data.
 */
import * as v from 'valibot';
import { BLOCK_STAGES, EFFECTS, SUBJECTS } from '../verdict.ts';
import { formatCursor } from './cursor.ts';
import { FEED_SUBJECTS, type FeedEvent, type FeedSubject, isPartyEntry } from './entry.ts';

export const FEED_BATCH_TYPE = 'application/cloudevents-batch+json';
/** Content types: of data that is one compact JWE (RFC 7515, 9.2.1), and of data in clear. */
export const JOSE_TYPE = 'application/jose';
export const CLEAR_TYPE = 'application/json';

export const FEED_TYPES = [
  'kr.numgate.sender.blocked.v1',
  'kr.numgate.sender.unblocked.v1',
  'kr.numgate.recipient.blocked.v1',
  'kr.numgate.recipient.unblocked.v1',
  'kr.numgate.campaign.confirmed.v1',
  'kr.numgate.campaign.revoked.v1',
  'kr.numgate.host.listed.v1',
  'kr.numgate.host.unlisted.v1',
] as const;
export type FeedType = (typeof FEED_TYPES)[number];

/** The plaintext of an event's data: the event, and the digest that it follows. */
export interface FeedData extends Omit<FeedEvent, 'digest'> {
  /** Subject of the entry. Present even if the entry no longer exists. */
  readonly subject: FeedSubject;
  /** Digest of the previous event. For the first event of an epoch, digest of the epoch's statement. */
  readonly previous: string;
}

export interface FeedCloudEvent {
  readonly specversion: '1.0';
  /** The cursor of the event: `<feed>.<epoch>.<position>`. */
  readonly id: string;
  /** `urn:numgate:feed:<feed>` */
  readonly source: string;
  readonly type: FeedType;
  /** Reference of the entry. */
  readonly subject: string;
  readonly time: string;
  /** Present if the entry no longer exists. */
  readonly method?: 'DELETE';
  readonly epoch: number;
  readonly digest: string;
  readonly datacontenttype: typeof JOSE_TYPE | typeof CLEAR_TYPE;
  /** A compact JWE, or the data in clear. */
  readonly data: string | FeedData;
}

/** @param feed ID of the feed */
export function feedSource(feed: string): string {
  return `urn:numgate:feed:${feed}`;
}

export function feedType(subject: FeedSubject, entry: FeedEvent['entry']): FeedType {
  if (subject === 'campaign') return `kr.numgate.campaign.${entry === null ? 'revoked' : 'confirmed'}.v1`;
  if (subject === 'host') return `kr.numgate.host.${entry === null ? 'unlisted' : 'listed'}.v1`;
  const party = subject === 'from' ? 'sender' : 'recipient';
  const isBlocked = entry !== null && isPartyEntry(entry) && entry.effect !== 'allow';
  return `kr.numgate.${party}.${isBlocked ? 'blocked' : 'unblocked'}.v1`;
}

/** Returns the data of an event before encryption. @param previous digest that the event follows */
export function feedData(event: FeedEvent, subject: FeedSubject, previous: string): FeedData {
  const { position, epoch, reference, entry, at } = event;
  return { position, epoch, reference, subject, entry, at, previous };
}

/** @param feed ID of the feed @param digest the event's digest @param data `content`, or its encryption as compact JWE */
export function cloudEventOf(
  content: FeedData,
  feed: string,
  digest: string,
  data: string | FeedData,
): FeedCloudEvent {
  const { position, epoch, reference, subject, entry, at } = content;
  return {
    specversion: '1.0',
    id: formatCursor({ feed, epoch, position }),
    source: feedSource(feed),
    type: feedType(subject, entry),
    subject: reference,
    time: at,
    ...(entry === null ? { method: 'DELETE' as const } : {}),
    epoch,
    digest,
    datacontenttype: typeof data === 'string' ? JOSE_TYPE : CLEAR_TYPE,
    data,
  };
}

const partySchema = v.object({
  number: v.nullable(v.string()),
  source: v.nullable(v.string()),
  subject: v.picklist(SUBJECTS),
  effect: v.picklist(EFFECTS),
  code: v.nullable(v.string()),
  authority: v.string(),
  list: v.string(),
  rule: v.nullable(v.string()),
  stage: v.nullable(v.picklist(BLOCK_STAGES)),
  until: v.nullable(v.string()),
});

const campaignSchema = v.object({
  subject: v.literal('campaign'),
  fingerprint: v.string(),
  textKeyId: v.string(),
  authority: v.string(),
  rule: v.nullable(v.string()),
  stage: v.nullable(v.picklist(BLOCK_STAGES)),
  firstSeen: v.string(),
  lastSeen: v.string(),
  reporters: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  until: v.string(),
});

const hostSchema = v.object({
  subject: v.literal('host'),
  host: v.string(),
  list: v.string(),
  effect: v.picklist(EFFECTS),
  authority: v.string(),
});

/** Drops unknown fields, because the digest does not cover them. */
export const feedEntrySchema = v.variant('subject', [partySchema, campaignSchema, hostSchema]);

export const feedDataSchema = v.object({
  position: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
  epoch: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
  reference: v.string(),
  subject: v.picklist(FEED_SUBJECTS),
  entry: v.nullable(feedEntrySchema),
  at: v.string(),
  previous: v.string(),
});
