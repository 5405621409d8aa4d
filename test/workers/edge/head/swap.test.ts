/**
 * From one release to the next. The old one serves completely until the new one is complete, and no response
 * mixes the two.
 */
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { HEAD_FRESH_MS, LOAD_WAIT_MS } from '../../../../shared/limits/edge.ts';
import { blobsOf } from '../../../../shared/release/manifest.ts';
import { publishClients } from '../../support/clients.ts';
import { coldIsolate } from '../../support/isolate.ts';
import { failing, Gate, KvWatch } from '../../support/kv.ts';
import { OpenStream } from '../../support/open-stream.ts';
import { send, sendAndSettle, type WireBody } from '../../support/send.ts';
import {
  build,
  filler,
  LISTED,
  largeLists,
  NEXT_POLL_MS,
  NOW,
  NOWHERE,
  publish,
  publishHead,
  publishValues,
} from '../../support/world.ts';

coldIsolate();

/** The old release lists LISTED, and the new one lists NOWHERE. Each has three shards, two of which are shared. */
const old = await build(largeLists([LISTED]), 1);
const next = await build(largeLists([NOWHERE]), 2);
const oldKeys = blobsOf(old.manifest).map(({ key }) => key);
const changedKeys = blobsOf(next.manifest)
  .map(({ key }) => key)
  .filter((key) => !oldKeys.includes(key));

const items = [{ to: LISTED }, { to: NOWHERE }, { to: filler(3) }, { to: filler(49) }];
const CONTENT: Readonly<Record<string, string>> = {
  [old.manifest.release]: 'block allow block block',
  [next.manifest.release]: 'allow block block block',
};
const BATCH = { path: '/v1/check/batch', body: { items } };

/** The release of a batch's response. Every verdict in it must come from that release. */
function releaseOf({ release, results }: WireBody): string {
  expect(results!.map(({ verdict }) => verdict).join(' ')).toBe(CONTENT[release!]);
  return release!;
}

/** Advances the clock, so that the next request checks the head. */
function later(): void {
  vi.setSystemTime(Date.now() + NEXT_POLL_MS);
}

beforeEach(async () => {
  vi.spyOn(console, 'warn').mockReturnValue(undefined);
  vi.useFakeTimers({ toFake: ['Date'], now: NOW });
  await publish(old);
  await publishClients();
  await sendAndSettle(BATCH);
});

test('the releases of this test share shards and differ in one', () => {
  expect(changedKeys).toHaveLength(1);
  expect(next.manifest.shards.length).toBeGreaterThanOrEqual(3);
});

describe('a new release with a missing shard', () => {
  test('leaves the complete old one serving, and replaces it once the shard exists', async () => {
    await publishHead(next.manifest, 2);
    for (let tries = 0; tries < 3; tries++) {
      later();
      expect(releaseOf((await sendAndSettle(BATCH)).body)).toBe(old.manifest.release);
    }
    expect(releaseOf((await sendAndSettle(BATCH)).body)).toBe(old.manifest.release);
    await publishValues(next);
    later();
    await sendAndSettle(BATCH);
    expect(releaseOf((await sendAndSettle(BATCH)).body)).toBe(next.manifest.release);
  });

  test('loads only what changed', async () => {
    await publish(next, 2);
    const kv = new KvWatch();
    later();
    await sendAndSettle(BATCH);
    await sendAndSettle(BATCH);
    expect(kv.gets.filter((key) => key.startsWith('shard/'))).toEqual(changedKeys);
  });
});

describe('a new release that arrives while batches are answered', () => {
  test('is never mixed with the old one', async () => {
    await publish(next, 2);
    later();
    const seen = new Set<string>();
    for (let round = 0; round < 100 && !seen.has(next.manifest.release); round++) {
      const answers = await Promise.all(Array.from({ length: 10 }, () => send(BATCH)));
      for (const { body } of answers) seen.add(releaseOf(body));
    }
    expect(seen).toEqual(new Set([old.manifest.release, next.manifest.release]));
    const after = await Promise.all(Array.from({ length: 10 }, () => send(BATCH)));
    expect(new Set(after.map(({ body }) => releaseOf(body)))).toEqual(new Set([next.manifest.release]));
  });

  test('does not change a stream that has begun', async () => {
    const stream = await OpenStream.start();
    expect(await stream.check(LISTED)).toBe(`${LISTED},block,NUMBER_SUSPENDED`);
    await publish(next, 2);
    later();
    await sendAndSettle(BATCH);
    expect(releaseOf((await sendAndSettle(BATCH)).body)).toBe(next.manifest.release);
    expect(await stream.check(LISTED)).toBe(`${LISTED},block,NUMBER_SUSPENDED`);
    expect(stream.response.headers.get('numgate-release')).toBe(old.manifest.release);
    await stream.close();
  });
});

describe('a new release whose values take longer than LOAD_WAIT_MS', () => {
  test('is used once they have arrived, without loading them again', async () => {
    await publish(next, 2);
    vi.useRealTimers();
    vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'], now: NOW + NEXT_POLL_MS });
    const kv = new KvWatch();
    const slow = new Gate();
    kv.override(changedKeys[0]!, slow.hold);
    const first = sendAndSettle(BATCH);
    await kv.waitForGet(changedKeys[0]!);
    await vi.advanceTimersByTimeAsync(LOAD_WAIT_MS);
    kv.override(changedKeys[0]!, failing);
    slow.open();
    await first;
    vi.useRealTimers();
    vi.useFakeTimers({ toFake: ['Date'], now: NOW + 3 * HEAD_FRESH_MS });
    await sendAndSettle(BATCH);
    const { body } = await sendAndSettle(BATCH);
    expect(releaseOf(body)).toBe(next.manifest.release);
  });
});
