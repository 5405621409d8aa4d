/**
 * The live layer as readers see it. A change since the release is visible with the next head, ends on time
 * without a new head, and is never read from any other value than the one that the head names.
 */
import { env } from 'cloudflare:workers';
import { beforeEach, describe, expect, type MockInstance, test, vi } from 'vitest';
import { COORDINATOR_BACKGROUND_WAIT_MS, LOAD_BACKOFF_MS } from '../../../../shared/limits/edge.ts';
import { type LiveEntry, numberKey } from '../../../../shared/live/entry.ts';
import { deriveListKeys, LIST_KEY_BYTES } from '../../../../shared/set/keys.ts';
import { liveEntry } from '../../../shared/support/live.ts';
import { sourceKey } from '../../../shared/support/sources.ts';
import { testKeys } from '../../../shared/support/test-keys.ts';
import { publishClients } from '../../support/clients.ts';
import { coldIsolate, fakeCoordinator } from '../../support/isolate.ts';
import { cacheAbsence, changed, failing, KvWatch, missing, type ReadOverride } from '../../support/kv.ts';
import { sendAndSettle, sendHere, summarize } from '../../support/send.ts';
import {
  build,
  LISTED,
  NEXT_POLL_MS,
  NOW,
  NOWHERE,
  publish,
  publishHead,
  publishLive,
  publishSegment,
  putHead,
  smallLists,
} from '../../support/world.ts';

coldIsolate();

const built = await build(smallLists(), 1);
const next = await build(smallLists([LISTED, NOWHERE]), 2);
const foreignKeys = await deriveListKeys(new Uint8Array(LIST_KEY_BYTES).fill(7));

function entry(number: string, some: Partial<LiveEntry>): LiveEntry {
  return liveEntry(numberKey(Number(number)), some);
}
const block = (number: string, seq = 2): LiveEntry => entry(number, { seq, code: 'SENDER_REPORTED' });
const unblock = (number: string, seq = 2): LiveEntry => entry(number, { seq, op: 'unblock' });

let warned: MockInstance<typeof console.warn>;
beforeEach(async () => {
  warned = vi.spyOn(console, 'warn').mockReturnValue(undefined);
  vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'], now: NOW });
  await publish(built);
  await publishClients();
  await verdict(LISTED);
});

async function verdict(number: string): Promise<string> {
  const { status, body } = await sendAndSettle({ body: { to: number } });
  expect(status).toBe(200);
  return summarize(body);
}

/** Makes a poll due, and runs the poll after a response. */
async function poll(): Promise<void> {
  vi.setSystemTime(Date.now() + NEXT_POLL_MS);
  await verdict(LISTED);
}

describe('a change', () => {
  test('is visible with the next head, and names its authority and the seq of the head', async () => {
    await publishLive([block(NOWHERE), unblock(LISTED, 3)], 3);
    expect([await verdict(NOWHERE), await verdict(LISTED)]).toEqual(['allow', 'block NUMBER_SUSPENDED']);
    await poll();
    expect(await verdict(NOWHERE)).toBe('block SENDER_REPORTED');
    expect(await verdict(LISTED)).toMatch(/^allow ALLOW_OVERRIDE/);
    const { body } = await sendAndSettle({ body: { to: NOWHERE } });
    expect([body.seq, body.release]).toEqual([3, built.manifest.release]);
    expect(body.reasons![0]!.authority).toBe('kisa');
  });

  test('of a source, or of one subject, affects nothing else', async () => {
    const source = liveEntry(sourceKey('bad-sender', testKeys.sourceSeed), { seq: 2 });
    await publishLive([source, entry(NOWHERE, { seq: 3, subjects: 1 })], 3);
    await poll();
    const answers = [{ from: 'bad-sender' }, { from: NOWHERE }, { to: NOWHERE }].map(async (body) =>
      summarize((await sendAndSettle({ body })).body),
    );
    expect(await Promise.all(answers)).toEqual([
      'block SENDER_UNQUALIFIED',
      'block SENDER_UNQUALIFIED',
      'allow',
    ]);
  });

  test('is undone by a later one', async () => {
    await publishLive([block(NOWHERE)], 2);
    await poll();
    await publishLive([block(NOWHERE), entry(NOWHERE, { seq: 3, op: 'clear' })], 3);
    await poll();
    expect(await verdict(NOWHERE)).toBe('allow');
  });

  test('with an end ends on time, even when no source answers', async () => {
    await publishLive([entry(NOWHERE, { seq: 2, until: NOW / 1000 + 20 })]);
    await poll();
    new KvWatch().overrideOthers(failing);
    vi.setSystemTime(NOW + 19_999);
    expect(await verdict(NOWHERE)).toBe('block SENDER_UNQUALIFIED');
    vi.setSystemTime(NOW + 20_000);
    expect(await verdict(NOWHERE)).toBe('allow');
  });
});

describe('a sealed segment', () => {
  test('is read once, together with the unsealed entries', async () => {
    const { key, sha256 } = await publishSegment([block(NOWHERE)]);
    await publishLive([unblock(LISTED, 3)], 3);
    await putHead({ segments: [{ key, sha256 }] });
    const kv = new KvWatch();
    await poll();
    expect(await verdict(NOWHERE)).toBe('block SENDER_REPORTED');
    expect(await verdict(LISTED)).toMatch(/^allow/);
    await putHead({ segments: [{ key, sha256 }], seq: 4 });
    await poll();
    expect((await sendAndSettle({ body: { to: NOWHERE } })).body.seq).toBe(4);
    expect(kv.count(key)).toBe(1);
  });

  const BROKEN: Readonly<Record<string, ReadOverride>> = {
    'is missing': missing,
    'cannot be read': failing,
    'is empty': async () => new ArrayBuffer(0),
    'is cut': changed((bytes) => bytes.slice(0, -1)),
    'has a flipped bit': changed((bytes) => bytes.with(30, bytes[30]! ^ 1)),
  };

  test.each(Object.entries(BROKEN))('that %s keeps the last good head serving', async (_, override) => {
    const { key, sha256 } = await publishSegment([unblock(LISTED)]);
    await publishLive([block(NOWHERE)], 2);
    await putHead({ segments: [{ key, sha256 }] });
    const kv = new KvWatch();
    kv.override(key, override);
    await poll();
    const { body } = await sendAndSettle({ body: { to: LISTED } });
    expect([summarize(body), body.seq]).toEqual(['block NUMBER_SUSPENDED', 1]);
    expect(await verdict(NOWHERE)).toBe('allow');
    expect(warned).toHaveBeenCalledWith(expect.stringContaining('"event":"valueRefused"'));
    // The head is accepted as soon as the value is whole.
    kv.restore();
    vi.setSystemTime(Date.now() + LOAD_BACKOFF_MS);
    await poll();
    expect(await verdict(LISTED)).toMatch(/^allow/);
    expect(await verdict(NOWHERE)).toBe('block SENDER_REPORTED');
  });

  test.each(Object.entries(BROKEN))(
    'that %s in KV is requested from the coordinator',
    async (_, override) => {
      const { key, sha256, bytes } = await publishSegment([block(NOWHERE)]);
      fakeCoordinator().values.set(key, bytes);
      await putHead({ segments: [{ key, sha256 }], seq: 2 });
      new KvWatch().override(key, override);
      await poll();
      expect(await verdict(NOWHERE)).toBe('block SENDER_REPORTED');
    },
  );

  test('that a KV cache remembers as missing is read once more', async () => {
    const { key, sha256 } = await publishSegment([block(NOWHERE)]);
    await putHead({ segments: [{ key, sha256 }], seq: 2 });
    cacheAbsence(key);
    await poll();
    expect(await verdict(NOWHERE)).toBe('block SENDER_REPORTED');
  });

  test('that was sealed with another LIST_KEY is refused', async () => {
    const { key, sha256 } = await publishSegment([unblock(LISTED)], foreignKeys);
    await putHead({ segments: [{ key, sha256 }], seq: 2 });
    await poll();
    const { body } = await sendAndSettle({ body: { to: LISTED } });
    expect([summarize(body), body.seq]).toEqual(['block NUMBER_SUSPENDED', 1]);
    expect(warned).toHaveBeenCalledWith(expect.stringContaining('VALUE_FOREIGN'));
  });

  test('is kept when another segment is missing: only the missing one is read again', async () => {
    const [one, other] = [await publishSegment([block(NOWHERE)]), await publishSegment([unblock(LISTED)])];
    const segments = [one, other].map(({ key, sha256 }) => ({ key, sha256 }));
    await putHead({ segments, seq: 2 });
    const kv = new KvWatch();
    kv.override(other.key, failing);
    await poll();
    kv.restore();
    await poll();
    expect(await verdict(LISTED)).toMatch(/^allow/);
    expect([kv.count(one.key), kv.count(other.key)]).toEqual([1, 2]);
  });

  test('of a hanging coordinator is abandoned after a while, and no request waits for it', async () => {
    const { key, sha256 } = await publishSegment([block(NOWHERE)]);
    await env.LISTS.delete(key);
    await putHead({ segments: [{ key, sha256 }], seq: 2 });
    vi.useRealTimers();
    const now = NOW + NEXT_POLL_MS;
    vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'], now });
    const { promise: requested, resolve } = Promise.withResolvers<void>();
    vi.spyOn(fakeCoordinator(), 'value').mockImplementation(() => {
      resolve();
      return new Promise(() => undefined);
    });
    const settled = sendAndSettle({ body: { to: LISTED } });
    await requested;
    const { body, settle } = await sendHere({ body: { to: LISTED } });
    expect([summarize(body), body.seq]).toEqual(['block NUMBER_SUSPENDED', 1]);
    await vi.advanceTimersByTimeAsync(COORDINATOR_BACKGROUND_WAIT_MS);
    await Promise.all([settled, settle()]);
    expect(warned).toHaveBeenCalledWith(expect.stringContaining('VALUE_MISSING'));
  });
});

describe('an unblock that comes with a new release that cannot be loaded', () => {
  test('is visible immediately; the response names the old release, and is no newer than that', async () => {
    const before = (await sendAndSettle({ body: { to: LISTED } })).body;
    await publishHead(next.manifest, 2);
    await publishLive([unblock(LISTED, 3)], 3);
    await poll();
    await poll();
    const { body } = await sendAndSettle({ body: { to: LISTED } });
    expect([body.verdict, body.seq, body.release]).toEqual(['allow', 3, built.manifest.release]);
    expect(body.asOf).toBe(before.asOf);
    expect(await verdict(NOWHERE)).toBe('allow');
  });

  test('waits when the live layer no longer has the changes that the old release lacks', async () => {
    await publishHead(next.manifest, 2);
    await publishLive([unblock(LISTED, 3)], 3);
    await putHead({ droppedSeq: 2 });
    await poll();
    const { body } = await sendAndSettle({ body: { to: LISTED } });
    expect([summarize(body), body.seq]).toEqual(['block NUMBER_SUSPENDED', 1]);
    expect(warned).toHaveBeenCalledWith(expect.stringContaining('RELEASE_MISSING'));
  });
});
