/** Pages of a feed as the service sends them, without a service. */
import { cloudEventOf, type FeedCloudEvent, feedData } from '../../../shared/feed/cloud-event.ts';
import { digestOf, digestOfStatement } from '../../../shared/feed/digest.ts';
import type { PartyEntry, FeedEvent } from '../../../shared/feed/entry.ts';
import type { Encrypt } from '../../../shared/feed/jwe.ts';
import type { ChainPoint } from '../../../shared/feed/open-page.ts';
import { formatEpoch } from '../../../shared/feed/statement.ts';

export const FEED = '0123456789abcdef';
export const FIRST_STATEMENT = formatEpoch({
  ...{ feed: FEED, epoch: 1, first: 1, previous: null, at: '2026-11-27T00:00:00.000Z' },
});
/** Before the first event. */
export const START: ChainPoint = {
  ...{ feed: FEED, epoch: 1, position: 0, digest: digestOfStatement(FIRST_STATEMENT) },
};

export function blockOf(number: string, rest: Partial<PartyEntry> = {}): PartyEntry {
  return {
    ...{ number, source: null, subject: 'from', effect: 'block', code: 'SENDER_REPORTED', authority: 'kisa' },
    ...{ list: 'live', rule: null, stage: null, until: null, ...rest },
  };
}

/** A chain of events: a block, a label of a sender ID, a recipient, a lift and the end of an entry, again and again. */
export function chainOf(count: number, after: ChainPoint = START): FeedEvent[] {
  const events: FeedEvent[] = [];
  let previous = after.digest;
  for (let index = 0; index < count; index++) {
    const position = after.position + index + 1;
    const number = `+8210${20_000_000 + index}`;
    const entry = [
      blockOf(number, { rule: 'burst@3', stage: 'provisional', until: '2026-11-30T00:00:00.000Z' }),
      blockOf(number, { number: null, source: 'BANK"은행', effect: 'label', code: 'OVERSEAS_SOURCE_LISTED' }),
      blockOf(number, { subject: 'to', code: 'NUMBER_SUSPENDED', list: 'kr-suspended', authority: 'ktoa' }),
      blockOf(number, { effect: 'allow', code: null }),
      null,
    ][index % 5]!;
    const content = {
      ...{ position, epoch: after.epoch, reference: `reference-${String(index).padStart(12, '0')}` },
      ...{ entry, at: new Date(Date.UTC(2026, 10, 27) + index * 1_000).toISOString() },
    };
    const event = { ...content, digest: digestOf(previous, content) };
    previous = event.digest;
    events.push(event);
  }
  return events;
}

/** @param encrypt null for data in clear */
export async function pageOf(
  events: readonly FeedEvent[],
  encrypt: Encrypt | null,
  after: ChainPoint = START,
): Promise<FeedCloudEvent[]> {
  const page: FeedCloudEvent[] = [];
  let previous = after.digest;
  for (const event of events) {
    const data = feedData(event, event.entry?.subject ?? 'from', previous);
    const sent = encrypt === null ? data : await encrypt(JSON.stringify(data));
    page.push(cloudEventOf(data, after.feed, event.digest, sent));
    previous = event.digest;
  }
  return page;
}
