/**
 * A pull follows a feed exactly, through cuts, epochs, snapshots and new keys; and whatever is altered, missing, moved,
 * foreign or old is refused, with the state as it was.
 */

import '../support/workspace.ts';
import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openVerifiers, readFeedKeys } from '../../../cli/feed/keys.ts';
import { Puller, statePath } from '../../../cli/feed/puller.ts';
import { FeedSource } from '../../../cli/feed/source.ts';
import { readState } from '../../../cli/feed/state-file.ts';
import type { FeedCloudEvent, FeedData } from '../../../shared/feed/cloud-event.ts';
import type { FeedEntry } from '../../../shared/feed/entry.ts';
import { newSignerKey, openSigner } from '../../../shared/signed-note.ts';
import { failureOf } from '../support/failing.ts';
import { BLOCK, FakeFeed, PAGE } from '../support/fake-feed.ts';
import { problem } from '../support/fake-service.ts';
import { FOLDER, write } from '../support/workspace.ts';

interface Consumer {
  readonly folder: string;
  /** A new process. @param requests after which the connection breaks */
  puller(requests?: number): Promise<Puller>;
}

function consumerOf(feed: FakeFeed): Consumer {
  const folder = mkdtempSync(join(FOLDER, 'pull-'));
  const puller = async (requests = Number.POSITIVE_INFINITY): Promise<Puller> => {
    const jwk = write(`${folder.slice(FOLDER.length + 1)}/jwk.json`, JSON.stringify(feed.jwk));
    const source = new FeedSource({ url: feed.url, clientKey: 'reader.key', patienceMs: 0 });
    let left = requests;
    feed.replace = () => (left-- > 0 ? undefined : null);
    return new Puller({
      ...{ source, folder },
      keys: feed.isEncrypted ? await readFeedKeys(jwk) : null,
      verifiers: await openVerifiers([feed.signer.verifierKey]),
    });
  };
  return { folder, puller };
}

/** What a feed says now. */
function said(feed: FakeFeed): Map<string, unknown> {
  return new Map([...feed.current].map(([reference, { entry }]) => [reference, kept(entry)]));
}

function kept({ number, source, until, list: _, ...kind }: FeedEntry): unknown {
  return { number, source, kind, until: until === null ? 2 ** 32 - 1 : Date.parse(until) / 1000 };
}

async function stateOf({ folder }: Consumer): Promise<Map<string, unknown>> {
  return new Map((await readState(statePath(folder))).entries);
}

function entryOf(index: number): FeedEntry {
  const party =
    index % 4 === 0 ? { number: null, source: `SHOP-${index}` } : { number: `+8210${20_000_000 + index}` };
  return { ...BLOCK, ...party, subject: index % 2 === 0 ? 'from' : 'to' };
}

/** Repeatable. */
function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) % below;
  };
}

function sayAny(feed: FakeFeed, random: (below: number) => number): void {
  const entry = entryOf(random(40));
  const reference = Buffer.from(`${entry.number ?? entry.source}|${entry.subject}`).toString('base64url');
  if (feed.current.has(reference) && random(3) === 0) {
    feed.remove(reference);
    return;
  }
  const isAllow = random(4) === 0;
  feed.say({
    ...entry,
    ...(isAllow ? { effect: 'allow', code: null } : {}),
    ...(random(3) === 0 ? { until: `2027-01-0${1 + random(9)}T00:00:00.000Z` } : {}),
  });
}

describe('a pull', () => {
  it.each([1, 2, 3])('gives the state of the feed whatever cuts it off (seed %i)', async (seed) => {
    const feed = await FakeFeed.start();
    const random = randomOf(seed);
    feed.isEncrypted = seed !== 3;
    const consumer = consumerOf(feed);
    for (let round = 0; round < 12; round++) {
      for (let count = random(20); count > 0; count--) {
        sayAny(feed, random);
        if (random(9) === 0) await feed.openEpoch();
      }
      if (random(4) === 0) feed.first = Math.max(1, feed.position - random(6));
      for (let cuts = random(4); cuts > 0; cuts--)
        await failureOf(async () => (await consumer.puller(random(4))).pull()).catch(() => undefined);
      const { state } = await (await consumer.puller()).pull();
      expect(new Map(state.entries)).toEqual(said(feed));
      expect(await stateOf(consumer)).toEqual(said(feed));
    }
  });

  it('that is cut off continues where it was', async () => {
    const feed = await FakeFeed.start();
    const consumer = consumerOf(feed);
    await (await consumer.puller()).pull();
    for (let index = 0; index < 10 * PAGE; index++) feed.say(entryOf(index));
    const before = readFileSync(statePath(consumer.folder));
    // A checkpoint and three pages.
    const failure = await failureOf(async () => (await consumer.puller(4)).pull());
    expect(failure.message).toContain('does not respond');
    expect(readFileSync(statePath(consumer.folder))).toEqual(before);
    const { events } = await (await consumer.puller()).pull();
    expect(events).toBe(7 * PAGE);
    expect(await stateOf(consumer)).toEqual(said(feed));
    expect(existsSync(join(consumer.folder, 'progress.ndjson'))).toBe(false);
  });

  it('reads nothing again if nothing has changed', async () => {
    const feed = await FakeFeed.start();
    feed.say(BLOCK);
    const consumer = consumerOf(feed);
    expect(await (await consumer.puller()).pull()).toMatchObject({ events: 0, isSnapshot: true });
    // One request for the checkpoint.
    expect(await (await consumer.puller(1)).pull()).toMatchObject({ events: 0, isSnapshot: false });
  });

  it('takes a new key from a set of two, and names both if it has only the old one', async () => {
    const feed = await FakeFeed.start();
    feed.say(BLOCK);
    const consumer = consumerOf(feed);
    const old = feed.jwk;
    await (await consumer.puller()).pull();
    feed.say(entryOf(1));
    feed.secret = crypto.getRandomValues(new Uint8Array(32));
    feed.kid = 'reader#2';
    const verifiers = await openVerifiers([feed.signer.verifierKey]);
    const source = new FeedSource({ url: feed.url, clientKey: 'k', patienceMs: 0 });
    const pullWith = async (jwks: object): Promise<unknown> => {
      const keys = await readFeedKeys(write('jwks.json', JSON.stringify(jwks)));
      return new Puller({ source, folder: consumer.folder, keys, verifiers }).pull();
    };
    const failure = await failureOf(() => pullWith(old));
    expect(failure.message).toContain('is encrypted for the key reader#2, and --jwk has reader#1');
    await pullWith({ keys: [old, feed.jwk] });
    expect(await stateOf(consumer)).toEqual(said(feed));
  });
});

type Tamper = (page: FeedCloudEvent[], feed: FakeFeed) => unknown;

/** With the part of the event's data changed, for a feed in clear. */
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
    for (let index = 0; index < 6; index++) feed.say(entryOf(index));
    const consumer = consumerOf(feed);
    await (await consumer.puller()).pull();
    for (let index = 6; index < 6 + 3 * PAGE; index++) feed.say(entryOf(index));
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
      // The same up to the state, then other events, each rightly chained.
      for (const { event } of feed.events.slice(0, 6)) forged.say(event.entry!);
      for (let index = 0; index < 3 * PAGE; index++)
        forged.say({ ...entryOf(100 + index), effect: 'allow', code: null });
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
      old.say(BLOCK);
      feed.reply = (path) => old.reply(path);
    });
    expect(code).toBe('FEED_WENT_BACK');
  });

  it('another history of the same length', async () => {
    const code = await refused(async (feed) => {
      const other = new FakeFeed(feed.signer, feed.id);
      await other.openEpoch();
      for (let index = 0; index < 6; index++) other.say(entryOf(50 + index));
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
      before.say(BLOCK);
      return before.snapshot();
    };
    expect(await refused(withSnapshot(old))).toBe('FEED_WENT_BACK');
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
