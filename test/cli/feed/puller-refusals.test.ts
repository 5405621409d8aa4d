/**
 * What a pull refuses without changing its state: pages, notes and snapshots that are altered, incomplete, moved, foreign or
 * old.
 */
import '../support/workspace.ts';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { statePath } from '../../../cli/feed/puller.ts';
import type { FeedCloudEvent, FeedData } from '../../../shared/feed/cloud-event.ts';
import { newSignerKey, openSigner } from '../../../shared/signed-note.ts';
import { failureOf } from '../support/failing.ts';
import { BLOCK, FakeFeed, PAGE } from '../support/fake-feed.ts';
import { problem } from '../support/fake-service.ts';
import { consumerOf, entryOf } from '../support/feed-consumer.ts';

type Tamper = (page: FeedCloudEvent[], feed: FakeFeed) => unknown;

/** Changes a part of the first event's data, for an unencrypted feed. */
function withData(change: (data: FeedData) => object): Tamper {
  return ([first, ...rest]) => [
    { ...first!, data: { ...(first!.data as FeedData), ...change(first!.data as FeedData) } },
    ...rest,
  ];
}

describe('a pull refuses', () => {
  async function refused(change: (feed: FakeFeed) => unknown, isEncrypted = true): Promise<string> {
    const feed = await FakeFeed.start();
    feed.isEncrypted = isEncrypted;
    for (let index = 0; index < 6; index++) feed.append(entryOf(index));
    const consumer = consumerOf(feed);
    await (await consumer.puller()).pull();
    for (let index = 6; index < 6 + 3 * PAGE; index++) feed.append(entryOf(index));
    const before = readFileSync(statePath(consumer.folder));
    const puller = await consumer.puller();
    await change(feed);
    const failure = await failureOf(() => puller.pull());
    expect(readFileSync(statePath(consumer.folder))).toEqual(before);
    expect(existsSync(join(consumer.folder, 'progress.ndjson'))).toBe(false);
    return String(failure.details.code);
  }

  const onSecondPage =
    (tamper: Tamper) =>
    (feed: FakeFeed): void => {
      let pages = 0;
      feed.tamper = (page) => (++pages === 2 ? tamper(page, feed) : page);
    };

  it.each<[string, string, Tamper]>([
    ['a page without its first event', 'FEED_CHAIN_BROKEN', (page) => page.slice(1)],
    ['a page without an event in between', 'FEED_CHAIN_BROKEN', (page) => page.toSpliced(1, 1)],
    ['two events in another order', 'FEED_CHAIN_BROKEN', ([a, b, ...rest]) => [b, a, ...rest]],
    ['an event twice', 'FEED_CHAIN_BROKEN', ([a, ...rest]) => [a, a, ...rest]],
    ['an empty page before the checkpoint', 'FEED_CHAIN_BROKEN', () => []],
    ['a page that is not a list', 'FEED_FORM', () => ({})],
    ['a page of texts', 'FEED_FORM', () => ['a', 'b']],
    [
      'data of another event',
      'FEED_CHAIN_BROKEN',
      ([a, b, ...rest]) => [{ ...a!, data: b!.data }, b, ...rest],
    ],
    [
      'another subject',
      'FEED_EVENT_ALTERED',
      ([a, ...rest]) => [{ ...a!, subject: 'x'.repeat(22) }, ...rest],
    ],
    [
      'another type',
      'FEED_EVENT_ALTERED',
      ([a, ...rest]) => [{ ...a!, type: 'kr.numgate.sender.unblocked.v1' }, ...rest],
    ],
    [
      'a DELETE that was none',
      'FEED_EVENT_ALTERED',
      ([a, ...rest]) => [{ ...a!, method: 'DELETE' }, ...rest],
    ],
    ['another digest', 'FEED_EVENT_ALTERED', ([a, ...rest]) => [{ ...a!, digest: 'A'.repeat(43) }, ...rest]],
    ['another id', 'FEED_EVENT_ALTERED', ([a, ...rest]) => [{ ...a!, id: 'fedcba9876543210.1.11' }, ...rest]],
    [
      'another time',
      'FEED_EVENT_ALTERED',
      ([a, ...rest]) => [{ ...a!, time: '2026-11-28T00:00:00.000Z' }, ...rest],
    ],
    [
      'data with another byte',
      'FEED_KEY_OTHER',
      ([a, ...rest]) => [
        { ...a!, data: String(a!.data).replace(/.(?=.{30}$)/, (c) => (c === 'A' ? 'B' : 'A')) },
        ...rest,
      ],
    ],
  ])('%s', async (_, code, tamper) => {
    expect(await refused(onSecondPage(tamper))).toBe(code);
  });

  it.each<[string, Tamper]>([
    [
      'another number',
      withData(({ entry }) => ({ entry: { ...entry, number: '+821099999999', source: null } })),
    ],
    ['another end', withData(({ entry }) => ({ entry: { ...entry, until: '2030-01-01T00:00:00.000Z' } }))],
    ['a removal', withData(() => ({ entry: null }))],
    ['another predecessor', withData(() => ({ previous: 'A'.repeat(43) }))],
  ])('data in clear with %s', async (_, tamper) => {
    expect(await refused(onSecondPage(tamper), false)).toMatch(/^FEED_(EVENT_ALTERED|CHAIN_BROKEN)$/);
  });

  it('a chain in clear that is whole but not the one that was signed', async () => {
    const code = await refused(async (feed) => {
      const forged = await FakeFeed.start();
      forged.isEncrypted = false;
      // The first events equal those of the state. Later events differ, but are chained correctly.
      for (const { event } of feed.events.slice(0, 6)) forged.append(event.entry!);
      for (let index = 0; index < 3 * PAGE; index++)
        forged.append({ ...entryOf(100 + index), effect: 'allow', code: null });
      feed.tamper = (_, path) => forged.page(Number(/\.(\d+)$/.exec(path)![1]));
    }, false);
    expect(code).toBe('FEED_CHAIN_BROKEN');
  });

  it('a checkpoint that another key has signed', async () => {
    const code = await refused(async (feed) => {
      const other = (await openSigner((await newSignerKey('feed.test'))!))!;
      Object.assign(feed, { signer: other });
    });
    expect(code).toBe('FEED_NOTE_UNSIGNED');
  });

  it('another feed at the same address', async () => {
    const code = await refused(async (feed) => {
      Object.assign(feed, { id: 'fedcba9876543210' });
    });
    expect(code).toBe('FEED_OTHER');
  });

  it('a service that has gone back', async () => {
    const code = await refused(async (feed) => {
      const old = new FakeFeed(feed.signer, feed.id);
      await old.openEpoch();
      old.append(BLOCK);
      feed.reply = (path) => old.reply(path);
    });
    expect(code).toBe('FEED_OLDER');
  });

  it.each([3_600_000, -3_600_000])('a checkpoint that was not signed just now, but %s ms ago', async (ms) => {
    const code = await refused(async (feed) => {
      feed.signedAgoMs = ms;
    });
    expect(code).toBe('FEED_STALE');
  });

  it('another history of the same length', async () => {
    const code = await refused(async (feed) => {
      const other = new FakeFeed(feed.signer, feed.id);
      await other.openEpoch();
      for (let index = 0; index < 6; index++) other.append(entryOf(50 + index));
      feed.reply = (path) => other.reply(path);
    });
    expect(code).toBe('FEED_FORKED');
  });

  it('a snapshot that is older than the state, altered, or without a piece', async () => {
    const gone = problem(410, 'CURSOR_GONE');
    const withSnapshot =
      (snapshot: (feed: FakeFeed) => Promise<string> | string) => async (feed: FakeFeed) => {
        const body = await snapshot(feed);
        feed.replace = (path) =>
          path.includes('/snapshot') ? { body } : path.includes('lastEventId') ? gone : undefined;
      };
    const old = async ({ signer, id, secret, kid }: FakeFeed): Promise<string> => {
      const before = new FakeFeed(signer, id);
      Object.assign(before, { secret, kid });
      await before.openEpoch();
      before.append(BLOCK);
      return before.snapshot();
    };
    expect(await refused(withSnapshot(old))).toBe('FEED_OLDER');
    const lines = async (feed: FakeFeed): Promise<string[]> => (await feed.snapshot()).trimEnd().split('\n');
    const changed = (change: (lines: string[]) => string[]) =>
      withSnapshot(async (feed) => `${change(await lines(feed)).join('\n')}\n`);
    expect(await refused(changed((all) => all.slice(0, -1)))).toBe('FEED_CHAIN_BROKEN');
    expect(await refused(changed((all) => all.toSpliced(1, 1)))).toBe('FEED_CHAIN_BROKEN');
    expect(await refused(changed(([a, b, ...rest]) => [a!, b!, b!, ...rest]))).toBe('FEED_CHAIN_BROKEN');
    expect(await refused(changed(([a, ...rest]) => [a!.replace(/.(?=.{30}$)/, '!'), ...rest]))).toBe(
      'FEED_KEY_OTHER',
    );
    expect(await refused(changed(() => ['']))).toBe('FEED_CHAIN_BROKEN');
  });
});
