/**
 * A release that is larger than the memory for its shards. Single checks, batches and streams get the same
 * verdicts as with enough memory, within the budget, and never a guessed `allow`.
 */
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { ShardMemory } from '../../../../shared/release/shard-memory.ts';
import { resetIsolate } from '../../../../workers/edge/isolate.ts';
import { publishClients } from '../../support/clients.ts';
import { coldIsolate } from '../../support/isolate.ts';
import { failing, Gate, KvWatch } from '../../support/kv.ts';
import { OpenStream } from '../../support/open-stream.ts';
import { send, sendAndSettle, sendHere, summarize } from '../../support/send.ts';
import {
  build,
  filler,
  IN_RANGE,
  LISTED,
  largeLists,
  NEXT_POLL_MS,
  NOW,
  NOWHERE,
  publish,
  SOURCE,
  shardKeyOf,
} from '../../support/world.ts';

coldIsolate();

const large = await build(largeLists(), 1);
const next = await build(largeLists([NOWHERE]), 2);
const { shards } = large.manifest;
const largest = Math.max(...shards.map(({ bytes }) => bytes));
const total = shards.reduce((sum, { bytes }) => sum + bytes, 0);

/** Numbers of all shards, listed or one digit off. Nearly each is in another shard than the previous one. */
const CHECKS = Array.from({ length: 120 }, (_, index) => {
  const listed = filler((index * 17) % 50, index);
  return index % 3 === 0
    ? { to: `${listed.slice(0, -1)}${(Number(listed.at(-1)) + 1) % 10}`, summary: 'allow' }
    : { to: listed, summary: 'block NUMBER_TERMINATED' };
});
const FAR = filler(30);
const UNAVAILABLE = 'indeterminate LIST_UNAVAILABLE';

/** The maximum number of bytes held at any time. */
let peak = 0;
let kv: KvWatch;

beforeEach(async () => {
  peak = 0;
  const { hold } = ShardMemory.prototype;
  vi.spyOn(ShardMemory.prototype, 'hold').mockImplementation(function (this: ShardMemory, ...held) {
    hold.apply(this, held);
    peak = Math.max(peak, this.bytes);
  });
  vi.spyOn(console, 'warn').mockReturnValue(undefined);
  await publish(large);
  await publishClients();
  kv = new KvWatch();
});

const shardGets = (): string[] => kv.gets.filter((key) => shards.some((shard) => shard.key === key));

test('the release of this test is larger than its memory', () => {
  expect(shards.length).toBeGreaterThanOrEqual(3);
  expect(new Set(CHECKS.map(({ to }) => shardKeyOf(large, to))).size).toBeGreaterThanOrEqual(2);
  expect(total).toBeGreaterThan(largest);
});

describe.each([
  ['one shard', largest],
  ['all but one byte', total - 1],
])('with memory for %s', (_, bytesMax) => {
  beforeEach(() => resetIsolate(bytesMax));

  test('single checks are right, one after the other', async () => {
    for (const { to, summary: expected } of CHECKS.slice(0, 30)) {
      expect(summarize((await sendAndSettle({ body: { to } })).body)).toBe(expected);
    }
    expect(peak).toBeLessThanOrEqual(bytesMax);
  });

  test('single checks are right, all at once', async () => {
    const answers = await Promise.all(CHECKS.map(({ to }) => sendHere({ body: { to } })));
    expect(answers.map(({ body }) => summarize(body))).toEqual(CHECKS.map((check) => check.summary));
    expect(peak).toBeLessThanOrEqual(bytesMax);
  });

  test('a batch is right, in order', async () => {
    const items = [...CHECKS.map(({ to }) => ({ to })), { to: IN_RANGE }, { from: SOURCE }, { to: 'x' }];
    const { body } = await sendAndSettle({ path: '/v1/check/batch', body: { items } });
    expect(body.results!.slice(0, CHECKS.length).map(summarize)).toEqual(CHECKS.map((each) => each.summary));
    expect(body.results!.slice(CHECKS.length, -1).map(summarize)).toEqual([
      'block NUMBER_UNALLOCATED',
      'block OVERSEAS_SOURCE_LISTED',
    ]);
    expect(peak).toBeLessThanOrEqual(bytesMax);
  });

  test('concurrent batches are right', async () => {
    const batches = [0, 1, 2, 3, 4].map((shift) => [
      ...CHECKS.slice(shift * 20),
      ...CHECKS.slice(0, shift * 20),
    ]);
    const answers = await Promise.all(
      batches.map((checks) =>
        sendHere({ path: '/v1/check/batch', body: { items: checks.map(({ to }) => ({ to })) } }),
      ),
    );
    answers.forEach(({ body }, index) => {
      expect(body.results!.map(summarize)).toEqual(batches[index]!.map((each) => each.summary));
    });
    expect(peak).toBeLessThanOrEqual(bytesMax);
  });

  test('a stream is right, in order', async () => {
    const stream = await OpenStream.start();
    const lines = CHECKS.map(({ to }) => to);
    stream.send(...lines, 'x');
    let received = '';
    while (received.split('\n').length < lines.length + 1) {
      received += `${received === '' ? '' : '\n'}${await stream.read()}`;
    }
    const expected = CHECKS.map(({ to, summary: verdict }) =>
      verdict === 'allow' ? `${to},allow,` : `${to},block,NUMBER_TERMINATED`,
    );
    expect(received.split('\n').slice(0, -1)).toEqual(expected);
    await stream.close();
    expect(peak).toBeLessThanOrEqual(bytesMax);
  });
});

describe('with memory for one shard', () => {
  beforeEach(() => resetIsolate(largest));

  test('an evicted shard that cannot be loaded again leaves its numbers undecided', async () => {
    const near = CHECKS.find(({ to }) => shardKeyOf(large, to) !== shardKeyOf(large, FAR))!;
    expect(summarize((await sendAndSettle({ body: { to: FAR } })).body)).toBe('block NUMBER_TERMINATED');
    expect(summarize((await sendAndSettle({ body: { to: near.to } })).body)).toBe(near.summary);
    kv.override(shardKeyOf(large, FAR), failing);
    const items = [{ to: FAR }, { to: near.to }, { to: FAR }];
    const { body } = await sendAndSettle({ path: '/v1/check/batch', body: { items } });
    expect(body.results!.map(summarize)).toEqual([UNAVAILABLE, near.summary, UNAVAILABLE]);
  });

  test('a check whose shard is loading does not lose it to another check', async () => {
    const near = CHECKS.find(({ to }) => shardKeyOf(large, to) !== shardKeyOf(large, FAR))!;
    await sendAndSettle({ body: { to: LISTED } });
    const gate = new Gate();
    kv.override(shardKeyOf(large, FAR), gate.hold);
    const first = sendHere({ body: { to: FAR } });
    await kv.waitForGet(shardKeyOf(large, FAR));
    const second = sendHere({ body: { to: near.to } });
    gate.open();
    expect([summarize((await first).body), summarize((await second).body)]).toEqual([
      'block NUMBER_TERMINATED',
      near.summary,
    ]);
    expect(peak).toBeLessThanOrEqual(largest);
  });
});

describe('with memory for the whole release', () => {
  test('nothing is loaded twice', async () => {
    resetIsolate(total);
    const items = CHECKS.map(({ to }) => ({ to }));
    for (let round = 0; round < 3; round++) {
      await sendAndSettle({ path: '/v1/check/batch', body: { items } });
      for (const { to } of CHECKS.slice(0, 5)) await send({ body: { to } });
    }
    expect(shardGets().toSorted()).toEqual(shards.map(({ key }) => key).toSorted());
  });

  test('a swap to a release that does not fit beside it is complete, and loads the rest afterwards', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: NOW });
    const nextTotal = next.manifest.shards.reduce((sum, { bytes }) => sum + bytes, 0);
    const bytesMax = Math.max(total, nextTotal);
    resetIsolate(bytesMax);
    const items = [{ to: LISTED }, { to: NOWHERE }, { to: filler(3) }, { to: filler(49) }];
    const BATCH = { path: '/v1/check/batch', body: { items } };
    const verdicts = async (): Promise<string> => {
      const { body } = await sendAndSettle(BATCH);
      return `${body.release} ${body.results!.map(({ verdict }) => verdict).join(' ')}`;
    };
    expect(await verdicts()).toBe(`${large.manifest.release} block allow block block`);
    const stream = await OpenStream.start();
    await publish(next, 2);
    vi.setSystemTime(NOW + NEXT_POLL_MS);
    expect(await verdicts()).toBe(`${large.manifest.release} block allow block block`);
    expect(await verdicts()).toBe(`${next.manifest.release} allow block block block`);
    const before = kv.gets.length;
    expect(await verdicts()).toBe(`${next.manifest.release} allow block block block`);
    expect(kv.gets.length).toBe(before);
    // Earlier requests continue with the old release, whose shards had to make room.
    expect(await stream.check(LISTED)).toBe(`${LISTED},block,NUMBER_SUSPENDED`);
    await stream.close();
    expect(peak).toBeLessThanOrEqual(bytesMax);
  });
});
