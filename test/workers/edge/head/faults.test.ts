/**
 * Damage behind the edge. A verdict is `indeterminate` for a request that needs the damaged value and right
 * for all others; a listed number never passes, and no response is a 5xx once data exists.
 */
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { LOAD_BACKOFF_MS, LOAD_WAIT_MS } from '../../../../shared/limits/edge.ts';
import { publishClients } from '../../support/clients.ts';
import { coldIsolate } from '../../support/isolate.ts';
import { changed, failing, hanging, KvWatch, missing, type ReadOverride } from '../../support/kv.ts';
import { sendAndSettle, sendHere, summarize } from '../../support/send.ts';
import {
  build,
  filler,
  IN_RANGE,
  LISTED,
  largeLists,
  NOW,
  NOWHERE,
  publish,
  SOURCE,
  shardKeyOf,
} from '../../support/world.ts';

coldIsolate();

const large = await build(largeLists());
const { manifest, values } = large;
const [FAR, NEAR] = [filler(30), filler(49)];
const farShard = shardKeyOf(large, FAR);
const ranges = manifest.ranges!.key;
const sources = manifest.sources!.key;

const other = (key: string): ReadOverride => changed(() => values.get(key)!);
const flipped = (at: number): ReadOverride =>
  changed((bytes) => bytes.with(at < 0 ? bytes.length + at : at, bytes.at(at)! ^ 0x10));

const FAULTS: readonly (readonly [string, ReadOverride])[] = [
  ['fails', failing],
  ['does not exist yet', missing],
  ['is empty', changed(() => new Uint8Array(0))],
  ['is cut in half', changed((bytes) => bytes.subarray(0, bytes.length / 2))],
  ['has lost its last byte', changed((bytes) => bytes.subarray(0, -1))],
  ['has one extra byte', changed((bytes) => Uint8Array.from([...bytes, 0]))],
  ['has a changed first byte', flipped(0)],
  ['has a changed byte in the middle', flipped(77)],
  ['has a changed last byte', flipped(-1)],
  ['is another shard', other(shardKeyOf(large, NEAR))],
  ['is a sealed table', other(ranges)],
];

const UNAVAILABLE = 'indeterminate LIST_UNAVAILABLE';

async function verdicts(...bodies: { from?: string; to?: string }[]): Promise<string[]> {
  const answers: string[] = [];
  for (const body of bodies) {
    const { status, body: answer } = await sendAndSettle({ body });
    expect(status).toBe(200);
    answers.push(summarize(answer));
  }
  return answers;
}

let kv: KvWatch;
beforeEach(async () => {
  await publish(large);
  await publishClients();
  vi.spyOn(console, 'warn').mockReturnValue(undefined);
  kv = new KvWatch();
});

test('the numbers of this test are in three shards', () => {
  expect(new Set([FAR, NEAR, LISTED].map((number) => shardKeyOf(large, number))).size).toBe(3);
});

describe.each(FAULTS)('a shard that %s', (_, override) => {
  test('leaves its own numbers undecided, and no others', async () => {
    kv.override(farShard, override);
    const bodies = [{ to: FAR }, { to: NEAR }, { to: LISTED }, { from: SOURCE }, { to: IN_RANGE }];
    expect(await verdicts(...bodies)).toEqual([
      UNAVAILABLE,
      'block NUMBER_TERMINATED',
      'block NUMBER_SUSPENDED',
      'block OVERSEAS_SOURCE_LISTED',
      'block NUMBER_UNALLOCATED',
    ]);
  });

  test('is loaded again once it is whole', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: NOW });
    kv.override(farShard, override);
    await verdicts({ to: FAR });
    kv.restore();
    vi.setSystemTime(NOW + LOAD_BACKOFF_MS);
    expect(await verdicts({ to: FAR })).toEqual(['block NUMBER_TERMINATED']);
  });
});

describe.each(FAULTS.slice(0, -2))('a range table that %s', (_, override) => {
  test('lets no number pass, lifts no block, and does not affect sources', async () => {
    kv.override(ranges, override);
    const answers = await verdicts({ to: IN_RANGE }, { to: NOWHERE }, { to: LISTED }, { from: SOURCE });
    expect(answers).toEqual([
      UNAVAILABLE,
      UNAVAILABLE,
      // No list of this release allows anything, so no missing entry could allow the number.
      'block NUMBER_SUSPENDED LIST_UNAVAILABLE',
      'block OVERSEAS_SOURCE_LISTED',
    ]);
  });
});

describe.each(FAULTS.slice(0, -2))('a source table that %s', (_, override) => {
  test('lets no source pass, and does not affect numbers', async () => {
    kv.override(sources, override);
    expect(await verdicts({ from: SOURCE }, { from: 'somebody' }, { to: LISTED }, { to: NOWHERE })).toEqual([
      UNAVAILABLE,
      UNAVAILABLE,
      'block NUMBER_SUSPENDED',
      'allow',
    ]);
  });
});

describe('a batch over a damaged shard', () => {
  test('is right item by item', async () => {
    kv.override(farShard, failing);
    const items = [{ to: FAR }, { to: NEAR }, { to: NOWHERE }];
    const { status, body } = await sendAndSettle({ path: '/v1/check/batch', body: { items } });
    expect(status).toBe(200);
    expect(body.results!.map(summarize)).toEqual([UNAVAILABLE, 'block NUMBER_TERMINATED', 'allow']);
  });
});

describe('a shard that hangs', () => {
  test.each([
    ['open', 'open'],
    ['closed', 'closed'],
  ])('is awaited no longer than LOAD_WAIT_MS, and then the client %s decides', async (client, action) => {
    vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'], now: NOW });
    kv.override(farShard, hanging);
    // The background load of the same shard began a little earlier.
    const answer = sendHere({ body: { to: FAR }, client });
    await kv.waitForGet(farShard);
    await vi.advanceTimersByTimeAsync(LOAD_WAIT_MS);
    await vi.advanceTimersByTimeAsync(LOAD_WAIT_MS);
    const { status, body } = await answer;
    expect([status, summarize(body), body.action]).toEqual([200, UNAVAILABLE, action]);
  });
});
