/** The chain of the feed, its cursors, its references, and the texts that it signs. */
import { createHash, createHmac, hkdfSync } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatCursor, parseCursor } from '../../../shared/feed/cursor.ts';
import { type DigestedEvent, digestOf, digestOfStatement, isSameEntry } from '../../../shared/feed/digest.ts';
import type { CampaignEntry, FeedEntry, HostEntry, PartyEntry } from '../../../shared/feed/entry.ts';
import { ReferenceKey } from '../../../shared/feed/reference.ts';
import {
  formatEpoch,
  formatFeedCheckpoint,
  parseEpoch,
  parseFeedCheckpoint,
} from '../../../shared/feed/statement.ts';
import { FEED_CURSOR_CHARS_MAX } from '../../../shared/limits/feed.ts';
import { openSharingKeys } from '../../../shared/sharing-keys.ts';
import { holds } from '../support/properties.ts';

const FEED = '00112233445566ff';
const ENTRY: PartyEntry = {
  ...{ number: '+821030000001', source: null, subject: 'from', effect: 'block', code: 'SENDER_REPORTED' },
  ...{
    authority: 'kisa',
    list: 'live',
    rule: 'kr-50@3',
    stage: 'provisional',
    until: '2040-01-01T00:00:00.000Z',
  },
};
const EVENT: DigestedEvent = {
  ...{
    position: 3,
    epoch: 1,
    reference: 'HlD4LNY6rLqmvmQVRQVZ1g',
    at: '2039-12-29T00:00:00.000Z',
    entry: ENTRY,
  },
};
const STATEMENT = { feed: FEED, epoch: 1, first: 1, previous: null, at: '2039-01-01T00:00:00.000Z' };

describe('the digest of an event', () => {
  const start = digestOfStatement(formatEpoch(STATEMENT));

  test('is SHA-256 over the digest before it and the event as an array', () => {
    expect(start).toBe(createHash('sha256').update(formatEpoch(STATEMENT)).digest('base64url'));
    const canonical = JSON.stringify([
      ...[3, 1, 'HlD4LNY6rLqmvmQVRQVZ1g', '2039-12-29T00:00:00.000Z'],
      [
        ...[
          '+821030000001',
          null,
          'from',
          'block',
          'SENDER_REPORTED',
          'kisa',
          'live',
          'kr-50@3',
          'provisional',
        ],
        '2040-01-01T00:00:00.000Z',
      ],
    ]);
    const expected = createHash('sha256').update(Buffer.from(start, 'base64url')).update(canonical);
    expect(digestOf(start, EVENT)).toBe(expected.digest('base64url'));
    const removed = createHash('sha256').update(Buffer.from(start, 'base64url'));
    removed.update('[4,1,"HlD4LNY6rLqmvmQVRQVZ1g","2039-12-29T00:00:00.000Z",null]');
    expect(digestOf(start, { ...EVENT, position: 4, entry: null })).toBe(removed.digest('base64url'));
  });

  test('is one of a campaign and of a host, too, and that of no number', () => {
    const at = '2039-12-29T00:00:00.000Z';
    const campaign: CampaignEntry = {
      ...{ subject: 'campaign', fingerprint: 'AAAA', textKeyId: '0123456789abcdef', authority: 'kisa' },
      ...{ rule: null, stage: null, firstSeen: at, lastSeen: at, reporters: 3, until: at },
    };
    const host: HostEntry = {
      ...{ subject: 'host', host: 'a.example', list: 'phish', effect: 'block', authority: 'kisa' },
    };
    for (const [entry, values] of [
      [campaign, ['campaign', ['AAAA', '0123456789abcdef', 'kisa', null, null, at, at, 3, at]]],
      [host, ['host', ['a.example', 'phish', 'block', 'kisa']]],
    ] as const) {
      const canonical = JSON.stringify([3, 1, 'HlD4LNY6rLqmvmQVRQVZ1g', at, values]);
      const expected = createHash('sha256').update(Buffer.from(start, 'base64url')).update(canonical);
      const digest = digestOf(start, { ...EVENT, entry });
      expect(digest).toBe(expected.digest('base64url'));
      const others = Object.keys(entry)
        .filter((name) => name !== 'subject')
        .map((name) => digestOf(start, { ...EVENT, entry: { ...entry, [name]: 'other' } as FeedEntry }));
      expect(new Set([digest, ...others]).size).toBe(1 + others.length);
      expect(isSameEntry(entry, { ...entry })).toBe(true);
      expect(isSameEntry(entry, ENTRY)).toBe(false);
    }
  });

  test('does not depend on the order of members', () => {
    const turned = Object.fromEntries(Object.entries(ENTRY).reverse()) as unknown as PartyEntry;
    expect(digestOf(start, { ...EVENT, entry: turned })).toBe(digestOf(start, EVENT));
    expect(isSameEntry(turned, ENTRY)).toBe(true);
  });

  test('is another one if anything in it or before it is altered', () => {
    const digest = digestOf(start, EVENT);
    const others: DigestedEvent[] = [
      { ...EVENT, position: 4 },
      { ...EVENT, epoch: 2 },
      { ...EVENT, reference: 'ZAeTcIVl5FQ1DrFcIvKlAA' },
      { ...EVENT, at: '2039-12-29T00:00:00.001Z' },
      { ...EVENT, entry: null },
      ...Object.keys(ENTRY).map((name) => ({ ...EVENT, entry: { ...ENTRY, [name]: 'other' } as PartyEntry })),
    ];
    const digests = [digestOf(digest, EVENT), ...others.map((other) => digestOf(start, other))];
    expect(new Set([digest, ...digests]).size).toBe(1 + digests.length);
    for (const { entry } of others.slice(5)) expect(isSameEntry(entry, ENTRY)).toBe(false);
  });

  test('cannot follow what is not a digest', () => {
    for (const broken of ['', 'x', `${start}A`, `${start.slice(0, -1)}!`])
      expect(() => digestOf(broken, EVENT)).toThrow(RangeError);
  });
});

describe('a cursor', () => {
  const count = fc.integer({ min: 1, max: 999_999_999_999_999 });

  test('is read as it was written', () => {
    holds(
      fc.property(
        fc.stringMatching(/^[0-9a-f]{16}$/),
        count,
        fc.oneof(fc.constant(0), count),
        (feed, epoch, position) => {
          const text = formatCursor({ feed, epoch, position });
          expect(text.length).toBeLessThanOrEqual(FEED_CURSOR_CHARS_MAX);
          expect(parseCursor(text)).toEqual({ feed, epoch, position });
        },
      ),
    );
  });

  test('is nothing else', () => {
    const others = ['', '1', `${FEED}.1`, `${FEED}.0.1`, `${FEED}.1.01`, `${FEED}.1.-1`, `${FEED}.1.1.1`];
    for (const other of [
      ...others,
      `${FEED}.1.1 `,
      `${FEED.toUpperCase()}.1.1`,
      `${FEED}.1.${'9'.repeat(16)}`,
    ])
      expect([other, parseCursor(other)]).toEqual([other, null]);
  });
});

describe('a text that the feed signs', () => {
  const digest = digestOfStatement('x\n');
  const statements = [STATEMENT, { ...STATEMENT, epoch: 12, first: 500_001, previous: digest }];
  const checkpoint = { feed: FEED, epoch: 2, position: 0, digest, at: STATEMENT.at };

  test('is read as it was written', () => {
    for (const statement of statements) expect(parseEpoch(formatEpoch(statement))).toEqual(statement);
    expect(parseFeedCheckpoint(formatFeedCheckpoint(checkpoint))).toEqual(checkpoint);
  });

  test('is not the other one, nor anything that is cut or longer', () => {
    const [epoch, signed] = [formatEpoch(statements[1]!), formatFeedCheckpoint(checkpoint)];
    expect([parseEpoch(signed), parseFeedCheckpoint(epoch)]).toEqual([null, null]);
    for (let end = 0; end < epoch.length; end++) expect(parseEpoch(epoch.slice(0, end))).toBe(null);
    for (let end = 0; end < signed.length; end++)
      expect(parseFeedCheckpoint(signed.slice(0, end))).toBe(null);
    expect([parseEpoch(`${epoch}\n`), parseFeedCheckpoint(`${signed}x\n`)]).toEqual([null, null]);
  });
});

test('a reference is HMAC-SHA-256 under a key that derives from SHARING_KEY', async () => {
  const secret = Buffer.from(Array.from({ length: 32 }, (_, index) => index));
  const keys = await openSharingKeys(secret.toString('base64'));
  const key = await ReferenceKey.open(keys.ok ? keys.value[0]! : (null as never));
  const info = JSON.stringify(['numgate/1 sharing', 'feed reference', '']);
  const derived = Buffer.from(hkdfSync('sha256', secret, '', info, 32));
  const mac = createHmac('sha256', derived).update('number|+821030000001|from').digest().subarray(0, 16);
  expect(await key.reference('number', '+821030000001', 'from')).toBe(mac.toString('base64url'));
  const others = await Promise.all([
    key.reference('number', '+821030000001', 'to'),
    key.reference('number', '+821030000002', 'from'),
    key.reference('source', '+821030000001', 'from'),
  ]);
  expect(new Set([...others, mac.toString('base64url')]).size).toBe(4);
});
