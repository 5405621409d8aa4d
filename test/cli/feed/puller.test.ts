/** A pull follows a feed exactly, through interruptions, epochs, snapshots and new keys. */
import '../support/workspace.ts';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openVerifiers, readFeedKeys } from '../../../cli/feed/keys.ts';
import { Puller, statePath } from '../../../cli/feed/puller.ts';
import { FeedSource } from '../../../cli/feed/source.ts';
import { readState } from '../../../cli/feed/state-file.ts';
import type { PartyEntry } from '../../../shared/feed/entry.ts';
import { start } from '../support/command.ts';
import { failureOf } from '../support/failing.ts';
import { FakeFeed, PAGE } from '../support/fake-feed.ts';
import { problem } from '../support/fake-service.ts';
import { type Consumer, consumerOf, entryOf } from '../support/feed-consumer.ts';
import { write } from '../support/workspace.ts';

/** The current entries of a feed. */
function entriesOf(feed: FakeFeed): Map<string, unknown> {
  return new Map([...feed.current].map(([reference, { entry }]) => [reference, kept(entry as PartyEntry)]));
}

function kept({ number, source, until, list: _, ...kind }: PartyEntry): unknown {
  return { number, source, kind, until: until === null ? 2 ** 32 - 1 : Date.parse(until) / 1000 };
}

async function stateOf({ folder }: Consumer): Promise<Map<string, unknown>> {
  return new Map((await readState(statePath(folder))).entries);
}

/** Seeded random numbers. */
function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) % below;
  };
}

function changeAny(feed: FakeFeed, random: (below: number) => number): void {
  const entry = entryOf(random(40));
  const reference = Buffer.from(`${entry.number ?? entry.source}|${entry.subject}`).toString('base64url');
  if (feed.current.has(reference) && random(3) === 0) {
    feed.remove(reference);
    return;
  }
  const isAllow = random(4) === 0;
  feed.append({
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
        changeAny(feed, random);
        if (random(9) === 0) await feed.openEpoch();
      }
      if (random(4) === 0) feed.first = Math.max(1, feed.position - random(6));
      for (let cuts = random(4); cuts > 0; cuts--)
        await failureOf(async () => (await consumer.puller(random(4))).pull()).catch(() => undefined);
      const { state } = await (await consumer.puller()).pull();
      expect(new Map(state.entries)).toEqual(entriesOf(feed));
      expect(await stateOf(consumer)).toEqual(entriesOf(feed));
    }
  });

  it('that is cut off continues where it was', async () => {
    const feed = await FakeFeed.start();
    const consumer = consumerOf(feed);
    await (await consumer.puller()).pull();
    for (let index = 0; index < 10 * PAGE; index++) feed.append(entryOf(index));
    const before = readFileSync(statePath(consumer.folder));
    // Four requests fetch a checkpoint and three pages.
    const failure = await failureOf(async () => (await consumer.puller(4)).pull());
    expect(failure.message).toContain('does not respond');
    expect(readFileSync(statePath(consumer.folder))).toEqual(before);
    const { events } = await (await consumer.puller()).pull();
    expect(events).toBe(7 * PAGE);
    expect(await stateOf(consumer)).toEqual(entriesOf(feed));
    expect(existsSync(join(consumer.folder, 'progress.ndjson'))).toBe(false);
  });

  it.each(['SIGINT', 'SIGTERM'] as const)('that ends with %s saves its progress', async (signal) => {
    const feed = await FakeFeed.start();
    const consumer = consumerOf(feed);
    await (await consumer.puller()).pull();
    for (let index = 0; index < 4 * PAGE; index++) feed.append(entryOf(index));
    const before = readFileSync(statePath(consumer.folder));
    const third = Promise.withResolvers<void>();
    let pages = 0;
    feed.replace = (path) => {
      if (!path.includes('lastEventId') || ++pages < 3) return undefined;
      third.resolve();
      return new Promise<never>(() => undefined);
    };
    process.env.NUMGATE_FEED_KEY = 'reader.key';
    const { child, result } = start([
      ...['feed', 'pull', feed.url, '--out', consumer.folder, '--jwk', join(consumer.folder, 'jwk.json')],
      ...['--verifier-key', feed.signer.verifierKey],
    ]);
    await third.promise;
    child.kill(signal);
    expect((await result).code).toBe(130);
    expect(readFileSync(statePath(consumer.folder))).toEqual(before);
    expect((await (await consumer.puller()).pull()).events).toBe(2 * PAGE);
    expect(await stateOf(consumer)).toEqual(entriesOf(feed));
  });

  it('that the service refuses for now keeps its progress', async () => {
    const feed = await FakeFeed.start();
    const consumer = consumerOf(feed);
    await (await consumer.puller()).pull();
    for (let index = 0; index < 4 * PAGE; index++) feed.append(entryOf(index));
    const puller = await consumer.puller();
    let requests = 0;
    feed.replace = () => (++requests > 3 ? problem(401, 'UNAUTHENTICATED') : undefined);
    expect((await failureOf(() => puller.pull())).message).toContain('the client has the right "feed"');
    expect((await (await consumer.puller()).pull()).events).toBe(2 * PAGE);
    expect(await stateOf(consumer)).toEqual(entriesOf(feed));
  });

  it('reads nothing again if nothing has changed', async () => {
    const feed = await FakeFeed.start();
    feed.append(entryOf(1));
    const consumer = consumerOf(feed);
    expect(await (await consumer.puller()).pull()).toMatchObject({ events: 0, isSnapshot: true });
    // One request fetches the checkpoint.
    expect(await (await consumer.puller(1)).pull()).toMatchObject({ events: 0, isSnapshot: false });
  });

  it('takes a new key from a set of two, and names both if it has only the old one', async () => {
    const feed = await FakeFeed.start();
    feed.append(entryOf(1));
    const consumer = consumerOf(feed);
    const old = feed.jwk;
    await (await consumer.puller()).pull();
    feed.append(entryOf(1));
    feed.secret = crypto.getRandomValues(new Uint8Array(32));
    feed.kid = 'reader#2';
    const verifiers = await openVerifiers([feed.signer.verifierKey]);
    const source = new FeedSource({ url: feed.url, clientKey: 'k', patienceMs: 0 });
    const pullWith = async (jwks: object): Promise<unknown> => {
      const keys = await readFeedKeys(write('jwks.json', JSON.stringify(jwks)));
      return new Puller({ source, folder: consumer.folder, keys, verifiers }).pull();
    };
    const failure = await failureOf(() => pullWith(old));
    expect(failure.message).toContain('is encrypted for the key reader#2, but --jwk has reader#1');
    await pullWith({ keys: [old, feed.jwk] });
    expect(await stateOf(consumer)).toEqual(entriesOf(feed));
  });
});
