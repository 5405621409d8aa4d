/**
 * The age of the data, on a fake clock: when an isolate checks again, when it reports `stale`, and when data
 * is too old for a client.
 */
import { beforeEach, describe, expect, test, vi } from 'vitest';
import {
  HEAD_FRESH_MS,
  HEAD_STALE_MS,
  HEAD_WAIT_MS,
  JITTER_SHARE,
  LOAD_WAIT_MS,
} from '../../../shared/limits/edge.ts';
import { HEAD_KEY } from '../../../shared/release/kv-keys.ts';
import { resetIsolate } from '../../../workers/edge/isolate.ts';
import { CLIENTS, publishClients } from '../support/clients.ts';
import { coldIsolate } from '../support/isolate.ts';
import { failing, hanging, KvWatch } from '../support/kv.ts';
import { sendAndSettle, sendHere, summarize } from '../support/send.ts';
import { orTimer } from '../support/timer.ts';
import {
  build,
  LAPSES_AT,
  LAPSING,
  LISTED,
  NEXT_POLL_MS,
  NOW,
  NOWHERE,
  publish,
  publishHead,
  putHead,
  smallLists,
} from '../support/world.ts';

coldIsolate();

const built = await build(smallLists());
const MAX_STALE_MS = 3_600_000;

let kv: KvWatch;
beforeEach(async () => {
  vi.spyOn(console, 'warn').mockReturnValue(undefined);
  vi.useFakeTimers({ toFake: ['Date'], now: NOW });
  await publish(built);
  await publishClients();
  await sendAndSettle({ body: { to: LISTED } });
  kv = new KvWatch();
});

describe('while KV fails', () => {
  test('a response is right and fresh up to HEAD_STALE_MS, and right and stale after it', async () => {
    kv.overrideOthers(failing);
    for (const [age, stale] of [
      [HEAD_FRESH_MS, false],
      [HEAD_STALE_MS, false],
      [HEAD_STALE_MS + 1, true],
      [MAX_STALE_MS, true],
    ] as const) {
      vi.setSystemTime(NOW + age);
      const { status, body } = await sendAndSettle({ body: { to: LISTED } });
      expect([status, summarize(body), body.stale, body.asOf]).toEqual([
        200,
        'block NUMBER_SUSPENDED',
        stale,
        new Date(NOW).toISOString().replace('.000', ''),
      ]);
    }
  });

  test('past maxStaleSeconds no number is allowed, and a listed number stays blocked', async () => {
    kv.overrideOthers(failing);
    vi.setSystemTime(NOW + MAX_STALE_MS + 1);
    const free = await sendAndSettle({ body: { to: NOWHERE }, client: 'closed' });
    expect([free.status, summarize(free.body), free.body.action]).toEqual([
      200,
      'indeterminate LIST_STALE',
      'closed',
    ]);
    const listed = await sendAndSettle({ body: { to: LISTED } });
    expect(summarize(listed.body)).toBe('block NUMBER_SUSPENDED LIST_STALE');
  });

  test.each([
    ['the next response of an isolate without traffic is fresh', HEAD_WAIT_MS + 1, 1],
    ['the second next response of an isolate with traffic is fresh', NEXT_POLL_MS, 2],
  ])('%s after KV recovers', async (_, quietMs, nth) => {
    kv.overrideOthers(failing);
    vi.setSystemTime(NOW + MAX_STALE_MS + 1);
    await sendAndSettle({ body: { to: NOWHERE } });
    kv.restore();
    vi.setSystemTime(NOW + MAX_STALE_MS + 1 + quietMs);
    await putHead();
    for (let before = 1; before < nth; before++) await sendAndSettle({ body: { to: NOWHERE } });
    const { body } = await sendAndSettle({ body: { to: NOWHERE } });
    expect([summarize(body), body.stale]).toEqual(['allow', false]);
  });

  test('and hangs, one request waits, and the next is answered from memory', async () => {
    vi.useRealTimers();
    vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'], now: NOW + HEAD_STALE_MS + 1 });
    kv.override(HEAD_KEY, hanging);
    const first = sendHere({ body: { to: LISTED } });
    await kv.waitForGet(HEAD_KEY);
    await vi.advanceTimersByTimeAsync(LOAD_WAIT_MS);
    expect(summarize((await first).body)).toBe('block NUMBER_SUSPENDED');
    const second = sendHere({ body: { to: LISTED } }).then(({ body }) => summarize(body));
    expect(await orTimer(second, 'waits')).toBe('block NUMBER_SUSPENDED');
  });
});

describe('the head', () => {
  test('is checked at most every HEAD_FRESH_MS, behind the response', async () => {
    for (let ms = 0; ms < HEAD_FRESH_MS * (1 - JITTER_SHARE); ms += 500) {
      vi.setSystemTime(NOW + ms);
      await sendAndSettle({ body: { to: LISTED } });
    }
    expect(kv.count(HEAD_KEY)).toBe(0);
    await publishHead(built.manifest, 2);
    vi.setSystemTime(NOW + NEXT_POLL_MS);
    expect((await sendAndSettle({ body: { to: LISTED } })).body.seq).toBe(1);
    expect((await sendAndSettle({ body: { to: LISTED } })).body.seq).toBe(2);
    expect(kv.count(HEAD_KEY)).toBe(1);
  });

  test('is checked once for a crowd', async () => {
    vi.setSystemTime(NOW + NEXT_POLL_MS);
    await Promise.all(Array.from({ length: 20 }, () => sendAndSettle({ body: { to: LISTED } })));
    expect(kv.count(HEAD_KEY)).toBe(1);
  });
});

describe('a copy in KV that has not been written for long', () => {
  test('never counts as current, whichever isolate reads it first', async () => {
    vi.setSystemTime(NOW + 10 * MAX_STALE_MS);
    resetIsolate();
    for (const [to, words] of [
      [NOWHERE, 'indeterminate LIST_STALE'],
      [LISTED, 'block NUMBER_SUSPENDED LIST_STALE'],
    ] as const) {
      const { body } = await sendAndSettle({ body: { to } });
      expect([summarize(body), body.stale, Date.parse(body.asOf!)]).toEqual([words, true, NOW]);
    }
  });
});

describe('an idle isolate', () => {
  test('checks the head before it answers', async () => {
    vi.setSystemTime(NOW + HEAD_STALE_MS + 1);
    await publishHead(built.manifest, 2);
    const { body } = await sendHere({ body: { to: LISTED } });
    expect([body.seq, body.stale]).toEqual([2, false]);
  });

  test('checks it before it refuses a client because data is too old', async () => {
    await publishClients([...CLIENTS.slice(1), { ...CLIENTS[0], maxStaleSeconds: 10 }]);
    vi.setSystemTime(NOW + NEXT_POLL_MS);
    await sendAndSettle({ body: { to: NOWHERE } });
    vi.setSystemTime(NOW + HEAD_FRESH_MS + 30_000);
    expect(summarize((await sendHere({ body: { to: NOWHERE } })).body)).toBe('allow');
  });
});

describe('an entry with an end', () => {
  test.each([
    [LAPSES_AT * 1000 - 1, 'block NUMBER_SUSPENDED'],
    [LAPSES_AT * 1000, 'allow'],
  ])('at %i ms is %s', async (now, verdict) => {
    vi.setSystemTime(now);
    const { body } = await sendAndSettle({ body: { to: LAPSING } });
    expect(summarize(body)).toBe(verdict);
    if (verdict !== 'allow') expect(body.reasons![0]!.until).toBe(new Date(LAPSES_AT * 1000).toISOString());
  });
});
