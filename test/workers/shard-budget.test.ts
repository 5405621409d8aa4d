/**
 * A release that is larger than the memory for its shards: single questions, batches and streams get the
 * verdicts they would get with room for all of it, within the budget, and never an `allow` that was guessed.
 */
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { ShardMemory } from '../../shared/release/shard-memory.ts';
import { resetIsolate } from '../../workers/edge/isolate.ts';
import { ask, askAndSettle, askHere, said } from './support/ask.ts';
import { publishClients } from './support/clients.ts';
import './support/isolate.ts';
import { failing, Gate, KvWatch } from './support/kv.ts';
import { OpenStream } from './support/open-stream.ts';
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
} from './support/world.ts';

const large = await build(largeLists(), 1);
const next = await build(largeLists([NOWHERE]), 2);
const { shards } = large.manifest;
const largest = Math.max(...shards.map(({ bytes }) => bytes));
const total = shards.reduce((sum, { bytes }) => sum + bytes, 0);

/** Numbers of all shards, listed or one digit off, in an order that changes the shard with nearly each. */
const QUESTIONS = Array.from({ length: 120 }, (_, index) => {
  const listed = filler((index * 17) % 50, index);
  return index % 3 === 0
    ? { to: `${listed.slice(0, -1)}${(Number(listed.at(-1)) + 1) % 10}`, said: 'allow' }
    : { to: listed, said: 'block NUMBER_TERMINATED' };
});
const FAR = filler(30);
const UNAVAILABLE = 'indeterminate LIST_UNAVAILABLE';

/** Most bytes that were held at any time. */
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
  expect(new Set(QUESTIONS.map(({ to }) => shardKeyOf(large, to))).size).toBeGreaterThanOrEqual(2);
  expect(total).toBeGreaterThan(largest);
});

describe.each([
  ['one shard', largest],
  ['all but one byte', total - 1],
])('with memory for %s', (_, bytesMax) => {
  beforeEach(() => resetIsolate(bytesMax));

  test('single questions are answered rightly, one after the other', async () => {
    for (const { to, said: expected } of QUESTIONS.slice(0, 30)) {
      expect(said((await askAndSettle({ body: { to } })).body)).toBe(expected);
    }
    expect(peak).toBeLessThanOrEqual(bytesMax);
  });

  test('single questions are answered rightly, all at once', async () => {
    const answers = await Promise.all(QUESTIONS.map(({ to }) => askHere({ body: { to } })));
    expect(answers.map(({ body }) => said(body))).toEqual(QUESTIONS.map((question) => question.said));
    expect(peak).toBeLessThanOrEqual(bytesMax);
  });

  test('a batch is answered rightly, in order', async () => {
    const items = [...QUESTIONS.map(({ to }) => ({ to })), { to: IN_RANGE }, { from: SOURCE }, { to: 'x' }];
    const { body } = await askAndSettle({ path: '/v1/check/batch', body: { items } });
    expect(body.results!.slice(0, QUESTIONS.length).map(said)).toEqual(QUESTIONS.map((each) => each.said));
    expect(body.results!.slice(QUESTIONS.length, -1).map(said)).toEqual([
      'block NUMBER_UNALLOCATED',
      'block OVERSEAS_SOURCE_LISTED',
    ]);
    expect(peak).toBeLessThanOrEqual(bytesMax);
  });

  test('batches side by side are answered rightly', async () => {
    const asked = [0, 1, 2, 3, 4].map((shift) => [
      ...QUESTIONS.slice(shift * 20),
      ...QUESTIONS.slice(0, shift * 20),
    ]);
    const answers = await Promise.all(
      asked.map((questions) =>
        askHere({ path: '/v1/check/batch', body: { items: questions.map(({ to }) => ({ to })) } }),
      ),
    );
    answers.forEach(({ body }, index) => {
      expect(body.results!.map(said)).toEqual(asked[index]!.map((each) => each.said));
    });
    expect(peak).toBeLessThanOrEqual(bytesMax);
  });

  test('a stream is answered rightly, in order', async () => {
    const stream = await OpenStream.start();
    const lines = QUESTIONS.map(({ to }) => to);
    stream.send(...lines, 'x');
    let answered = '';
    while (answered.split('\n').length < lines.length + 1) {
      answered += `${answered === '' ? '' : '\n'}${await stream.read()}`;
    }
    const expected = QUESTIONS.map(({ to, said: words }) =>
      words === 'allow' ? `${to},allow,` : `${to},block,NUMBER_TERMINATED`,
    );
    expect(answered.split('\n').slice(0, -1)).toEqual(expected);
    await stream.close();
    expect(peak).toBeLessThanOrEqual(bytesMax);
  });
});

describe('with memory for one shard', () => {
  beforeEach(() => resetIsolate(largest));

  test('a shard that went and cannot be loaded again leaves its numbers undecided', async () => {
    const near = QUESTIONS.find(({ to }) => shardKeyOf(large, to) !== shardKeyOf(large, FAR))!;
    expect(said((await askAndSettle({ body: { to: FAR } })).body)).toBe('block NUMBER_TERMINATED');
    expect(said((await askAndSettle({ body: { to: near.to } })).body)).toBe(near.said);
    kv.fate(shardKeyOf(large, FAR), failing);
    const items = [{ to: FAR }, { to: near.to }, { to: FAR }];
    const { body } = await askAndSettle({ path: '/v1/check/batch', body: { items } });
    expect(body.results!.map(said)).toEqual([UNAVAILABLE, near.said, UNAVAILABLE]);
  });

  test('a question whose shard is on its way does not lose it to another one', async () => {
    const near = QUESTIONS.find(({ to }) => shardKeyOf(large, to) !== shardKeyOf(large, FAR))!;
    await askAndSettle({ body: { to: LISTED } });
    const gate = new Gate();
    kv.fate(shardKeyOf(large, FAR), gate.pass);
    const first = askHere({ body: { to: FAR } });
    await kv.begun(shardKeyOf(large, FAR));
    const second = askHere({ body: { to: near.to } });
    gate.open();
    expect([said((await first).body), said((await second).body)]).toEqual([
      'block NUMBER_TERMINATED',
      near.said,
    ]);
    expect(peak).toBeLessThanOrEqual(largest);
  });
});

describe('with memory for the whole release', () => {
  test('nothing is loaded twice', async () => {
    resetIsolate(total);
    const items = QUESTIONS.map(({ to }) => ({ to }));
    for (let round = 0; round < 3; round++) {
      await askAndSettle({ path: '/v1/check/batch', body: { items } });
      for (const { to } of QUESTIONS.slice(0, 5)) await ask({ body: { to } });
    }
    expect(shardGets().toSorted()).toEqual(shards.map(({ key }) => key).toSorted());
  });

  test('a swap to a release that does not fit beside it is whole, and loads what did not fit afterwards', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: NOW });
    const nextTotal = next.manifest.shards.reduce((sum, { bytes }) => sum + bytes, 0);
    const bytesMax = Math.max(total, nextTotal);
    resetIsolate(bytesMax);
    const items = [{ to: LISTED }, { to: NOWHERE }, { to: filler(3) }, { to: filler(49) }];
    const BATCH = { path: '/v1/check/batch', body: { items } };
    const verdicts = async (): Promise<string> => {
      const { body } = await askAndSettle(BATCH);
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
    // What began before goes on with the old release, whose shards had to make room.
    expect(await stream.ask(LISTED)).toBe(`${LISTED},block,NUMBER_SUSPENDED`);
    await stream.close();
    expect(peak).toBeLessThanOrEqual(bytesMax);
  });
});
