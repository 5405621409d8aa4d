/** Pages of a feed like those of the service, without a service. */
import { cloudEventOf, type FeedCloudEvent, feedData } from '../../../shared/feed/cloud-event.ts';
import { digestOf, digestOfStatement } from '../../../shared/feed/digest.ts';
import type { FeedEntry, FeedEvent, PartyEntry } from '../../../shared/feed/entry.ts';
import type { Encrypt } from '../../../shared/feed/jwe.ts';
import type { ChainPoint } from '../../../shared/feed/open-page.ts';
import { formatEpoch } from '../../../shared/feed/statement.ts';

export const FEED = '0123456789abcdef';
export const FIRST_STATEMENT = formatEpoch({
  ...{ feed: FEED, epoch: 1, first: 1, previous: null, at: '2026-11-27T00:00:00.000Z' },
});
/** The place before the first event. */
export const START: ChainPoint = {
  ...{ feed: FEED, epoch: 1, position: 0, digest: digestOfStatement(FIRST_STATEMENT) },
};

export function blockOf(number: string, rest: Partial<PartyEntry> = {}): PartyEntry {
  return {
    ...{ number, source: null, subject: 'from', effect: 'block', code: 'SENDER_REPORTED', authority: 'kisa' },
    ...{ list: 'live', rule: null, stage: null, until: null, ...rest },
  };
}

/** In turns: a block, a label of a sender ID, a block of a recipient, a lift, and the end of an entry. */
function partyAt(index: number): FeedEntry | null {
  const number = `+8210${20_000_000 + index}`;
  return [
    blockOf(number, { rule: 'burst@3', stage: 'provisional', until: '2026-11-30T00:00:00.000Z' }),
    blockOf(number, { number: null, source: 'BANK"은행', effect: 'label', code: 'OVERSEAS_SOURCE_LISTED' }),
    blockOf(number, { subject: 'to', code: 'NUMBER_SUSPENDED', list: 'kr-suspended', authority: 'ktoa' }),
    blockOf(number, { effect: 'allow', code: null }),
    null,
  ][index % 5]!;
}

/** In turns: a campaign of a rule, a campaign of a person, and a host. */
export function textAt(index: number): FeedEntry {
  const at = '2026-11-27T00:00:00.000Z';
  const campaign = {
    ...({ subject: 'campaign', fingerprint: `${'B'.repeat(171)}=`, textKeyId: '0123456789abcdef' } as const),
    ...{
      authority: 'kisa',
      rule: null,
      stage: null,
      firstSeen: at,
      lastSeen: at,
      reporters: index,
      until: at,
    },
  };
  if (index % 3 === 0) return { ...campaign, rule: 'loan-texts@1', stage: 'confirmed' };
  if (index % 3 === 1) return campaign;
  return { subject: 'host', host: `h${index}.example`, list: 'phish', effect: 'block', authority: 'kisa' };
}

/** A chain of events. @param entryAt the entry of each event */
export function chainOf(
  count: number,
  after: ChainPoint = START,
  entryAt: (index: number) => FeedEntry | null = partyAt,
): FeedEvent[] {
  const events: FeedEvent[] = [];
  let previous = after.digest;
  for (let index = 0; index < count; index++) {
    const position = after.position + index + 1;
    const entry = entryAt(index);
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

/** @param encrypt null for unencrypted data */
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
