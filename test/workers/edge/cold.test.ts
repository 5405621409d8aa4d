/**
 * A cold isolate: how many reads its first response waits for, and the cost of many concurrent first requests.
 */
import { exports } from 'cloudflare:workers';
import { describe, expect, test, vi } from 'vitest';
import { utf8 } from '../../../shared/bytes.ts';
import { HEAD_KEY, releaseKey } from '../../../shared/release/kv-keys.ts';
import { blobsOf } from '../../../shared/release/manifest.ts';
import { publishClients } from '../support/clients.ts';
import { coldIsolate, fakeCoordinator } from '../support/isolate.ts';
import { Gate, KvWatch } from '../support/kv.ts';
import { request, send, sendAndSettle, sendHere, summarize } from '../support/send.ts';
import {
  build,
  coordinatorHead,
  directoryKey,
  filler,
  IN_RANGE,
  LISTED,
  largeLists,
  NOWHERE,
  publish,
  SOURCE,
  shardKeyOf,
  publishedManifest as signed,
} from '../support/world.ts';

coldIsolate();

const large = await build(largeLists());
const { manifest } = large;
const blobKeys = blobsOf(manifest).map(({ key }) => key);

/** A number in the last shard, and the values that its verdict needs. */
const LAST = filler(49);
const needed = [manifest.ranges!.key, shardKeyOf(large, LAST)];
const notNeeded = blobKeys.filter((key) => !needed.includes(key));

describe('the first request of an isolate', () => {
  test('finds several shards in the release of this test', () => {
    expect(manifest.shards.length).toBeGreaterThanOrEqual(3);
    expect(manifest.shards.at(-1)!.key).toBe(needed[1]);
  });

  test('reads what the head names, then what its number needs, and waits for nothing else', async () => {
    await publish(large);
    await publishClients();
    // The head without the manifests, as the coordinator returns it.
    const authority = fakeCoordinator();
    authority.setHead(await coordinatorHead());
    const kv = new KvWatch();
    const [first, second, rest] = [new Gate(), new Gate(), new Gate()];
    const named = [releaseKey(manifest.release), directoryKey()];
    authority.values.set(named[0]!, utf8(JSON.stringify(await signed())));
    for (const key of named) kv.override(key, first.hold);
    for (const key of needed) kv.override(key, second.hold);
    kv.overrideOthers(rest.hold);
    const answer = sendHere({ body: { to: LAST } });
    // Both keys are requested before either one gets a value, so the reads cannot be sequential.
    await Promise.all(named.map((key) => kv.waitForGet(key)));
    expect(kv.gets.toSorted()).toEqual(named.toSorted());
    first.open();
    await Promise.all(needed.map((key) => kv.waitForGet(key)));
    second.open();
    const { status, body } = await answer;
    rest.open();
    expect([status, summarize(body)]).toEqual([200, 'block NUMBER_TERMINATED']);
  });

  test('requests what its number needs before the rest', async () => {
    await publish(large);
    await publishClients();
    const kv = new KvWatch();
    await sendAndSettle({ body: { to: LAST } });
    // A request has a limited number of concurrent reads, so the first requested values arrive first.
    expect(kv.gets.slice(2, 4).toSorted()).toEqual(needed.toSorted());
  });

  test.each([
    ['a source', { from: SOURCE }, 'block OVERSEAS_SOURCE_LISTED'],
    ['two numbers', { from: IN_RANGE, to: LISTED }, 'block NUMBER_SUSPENDED NUMBER_UNALLOCATED'],
    ['a number on no list', { to: NOWHERE }, 'allow'],
  ])('is right for %s', async (_, body, verdict) => {
    await publish(large);
    await publishClients();
    expect(summarize((await send({ body })).body)).toBe(verdict);
  });

  test('has the rest loaded in the background', async () => {
    await publish(large);
    await publishClients();
    const kv = new KvWatch();
    await sendAndSettle({ body: { to: LAST } });
    expect(kv.gets.slice(2).toSorted()).toEqual(blobKeys.toSorted());
    expect(notNeeded.length).toBeGreaterThan(0);
    await sendAndSettle({ body: { to: LISTED } });
    expect(kv.count()).toBe(2 + blobKeys.length);
  });
});

describe('fifty first requests at once', () => {
  // Every second number differs from a listed number in one digit. The last request needs the sources.
  const checks = Array.from({ length: 49 }, (_, place) => ({
    body: { to: place % 2 === 0 ? filler(place) : `${filler(place).slice(0, -1)}1` },
    verdict: place % 2 === 0 ? 'block NUMBER_TERMINATED' : 'allow',
  }));
  checks.push({
    body: { to: LISTED, ...{ from: SOURCE } },
    verdict: 'block NUMBER_SUSPENDED OVERSEAS_SOURCE_LISTED',
  });

  test('load every key once, and all get the right verdict', async () => {
    await publish(large);
    await publishClients();
    const kv = new KvWatch();
    const answers = await Promise.all(checks.map(({ body }) => send({ body })));
    expect(answers.map(({ body }) => summarize(body))).toEqual(checks.map(({ verdict }) => verdict));
    expect(kv.gets.toSorted()).toEqual([directoryKey(), HEAD_KEY, ...blobKeys].toSorted());
  });

  test('are all answered when the first of them is aborted', async () => {
    await publish(large);
    await publishClients();
    const abort = new AbortController();
    const first = exports.default.fetch(
      new Request(request({ body: { to: LAST } }), { signal: abort.signal }),
    );
    const others = Promise.all(checks.map(({ body }) => send({ body })));
    abort.abort();
    await expect(first).rejects.toThrow();
    expect((await others).map(({ body }) => summarize(body))).toEqual(checks.map(({ verdict }) => verdict));
  });

  test('derive the list keys once', async () => {
    await publish(large);
    await publishClients();
    const derive = vi.spyOn(crypto.subtle, 'deriveBits');
    await Promise.all(checks.map(({ body }) => sendHere({ body })));
    // permutation, seal, nonce, key id, sources, scans
    expect(derive).toHaveBeenCalledTimes(7);
  });
});
