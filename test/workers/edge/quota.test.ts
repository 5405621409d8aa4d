/**
 * The quota counts numbers, is exact in one isolate, is reported in parts to the rate limit binding, and never
 * makes a request fail.
 */
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { QUOTA_FLUSH_MS } from '../../../shared/limits/lists.ts';
import {
  QUOTA_FLUSH_NUMBERS,
  QUOTA_FLUSH_SHARE,
  QUOTA_WINDOW_SECONDS,
} from '../../../shared/limits/requests.ts';
import { publishClients, SMALL_QUOTA_NUMBERS } from '../support/clients.ts';
import { coldIsolate } from '../support/isolate.ts';
import { FakeRateLimit } from '../support/rate-limit.ts';
import { send, sendAndSettle, sendHere, type WireResponse } from '../support/send.ts';
import { build, LISTED, publish, smallLists } from '../support/world.ts';

coldIsolate();

const built = await build(smallLists());
const WINDOW_MS = QUOTA_WINDOW_SECONDS * 1000;
/** The start of a window. */
const BEGIN = 29_924_833 * WINDOW_MS;

const check = { body: { to: LISTED }, client: 'small' };
const batch = (count: number, client: string) => ({
  path: '/v1/check/batch',
  body: { items: Array(count).fill({ to: LISTED }) },
  client,
});

function quotaOf({ status, headers }: WireResponse): (string | number | null)[] {
  return [status, headers.get('ratelimit'), headers.get('retry-after')];
}

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: BEGIN });
  await publish(built);
  await publishClients();
});

describe('the quota of an isolate', () => {
  test('allows exactly the quota, and counts down', async () => {
    for (let used = 1; used <= SMALL_QUOTA_NUMBERS; used++) {
      expect(quotaOf(await send(check))).toEqual([
        200,
        `"numbers";r=${SMALL_QUOTA_NUMBERS - used};t=60`,
        null,
      ]);
    }
    const refused = await send(check);
    expect(quotaOf(refused)).toEqual([429, '"numbers";r=0;t=60', '60']);
    expect(refused.body.code).toBe('QUOTA_EXCEEDED');
    expect(refused.headers.get('ratelimit-policy')).toBe(`"numbers";q=${SMALL_QUOTA_NUMBERS};w=60`);
  });

  test('is small for a throttled client, and nothing for a stopped one', async () => {
    expect(quotaOf(await send({ ...check, client: 'throttled' }))).toEqual([
      200,
      '"numbers";r=59;t=60',
      null,
    ]);
    const stopped = await send({ ...check, client: 'stopped' });
    expect(quotaOf(stopped)).toEqual([429, '"numbers";r=0;t=60', null]);
    expect(stopped.body.message).toContain('the client is stopped');
  });

  test('counts the numbers of a batch, and one number for a batch that it refuses', async () => {
    expect(quotaOf(await send(batch(3, 'small')))).toEqual([200, '"numbers";r=2;t=60', null]);
    expect(quotaOf(await send(batch(3, 'small')))).toEqual([429, '"numbers";r=1;t=60', '60']);
    expect(quotaOf(await send(batch(1, 'small')))).toEqual([200, '"numbers";r=0;t=60', null]);
  });

  test.each([
    ['a recipient', { to: LISTED }, 1],
    ['a sender and a recipient', { from: LISTED, to: LISTED }, 2],
    ['a sender ID and a recipient', { from: 'MYSHOP', to: LISTED }, 2],
    ['an invalid number', { to: 'x' }, 1],
    ['two invalid numbers', { from: '', to: '' }, 2],
    ['nothing', {}, 1],
    ['an array for an object', [], 1],
    ['invalid JSON', '{', 1],
    ['an unknown field', { more: LISTED }, 1],
  ])('counts for a check with %s', async (_, body, count) => {
    const left = `"numbers";r=${SMALL_QUOTA_NUMBERS - count};t=60`;
    expect((await send({ body, client: 'small' })).headers.get('ratelimit')).toBe(left);
  });

  test.each([
    ['no items', { items: [] }, 1],
    ['no items and default numbers', { defaults: { from: LISTED, to: LISTED }, items: [] }, 2],
    [
      'a default sender, which counts once',
      { defaults: { from: LISTED }, items: [{ to: LISTED }, { to: LISTED }] },
      3,
    ],
    ['items that take all from the defaults', { defaults: { from: LISTED }, items: [{}, {}] }, 3],
    ['items with two numbers', { items: [{ from: LISTED, to: LISTED }, { to: LISTED }] }, 3],
    ['invalid items', { items: [null, 1, {}, { more: 1 }] }, 4],
    ['invalid defaults', { defaults: { from: 1 }, items: [{ to: LISTED }] }, 2],
    ['an unknown report', { report: 'x', items: [{ to: LISTED }, { to: LISTED }] }, 2],
    ['items that are not an array', { items: 1 }, 1],
  ])('counts for a batch with %s', async (_, body, count) => {
    const left = `"numbers";r=${SMALL_QUOTA_NUMBERS - count};t=60`;
    const { headers } = await send({ path: '/v1/check/batch', body, client: 'small' });
    expect(headers.get('ratelimit')).toBe(left);
  });

  test('refuses a client without quota left before it reads the body', async () => {
    await send(batch(SMALL_QUOTA_NUMBERS, 'small'));
    for (const path of ['/v1/check', '/v1/check/batch', '/v1/check/stream']) {
      const { status, body } = await send({ path, body: '{', client: 'small' });
      expect([status, body.code]).toEqual([429, 'QUOTA_EXCEEDED']);
    }
  });

  test('refuses a check when only one of its two numbers fits', async () => {
    await send(batch(SMALL_QUOTA_NUMBERS - 1, 'small'));
    const both = { body: { from: LISTED, to: LISTED }, client: 'small' };
    expect(quotaOf(await send(both))).toEqual([429, '"numbers";r=0;t=60', '60']);
  });

  test('is exact for concurrent requests', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => send(check)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(SMALL_QUOTA_NUMBERS);
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(20 - SMALL_QUOTA_NUMBERS);
  });

  test('is separate for each client', async () => {
    await send(batch(SMALL_QUOTA_NUMBERS, 'small'));
    expect((await send({ ...check, client: 'open' })).status).toBe(200);
  });

  test('starts again with the window, to the millisecond', async () => {
    await send(batch(SMALL_QUOTA_NUMBERS, 'small'));
    vi.setSystemTime(BEGIN + WINDOW_MS - 1);
    expect(quotaOf(await send(check))).toEqual([429, '"numbers";r=0;t=1', '1']);
    vi.setSystemTime(BEGIN + WINDOW_MS);
    expect(quotaOf(await send(check))).toEqual([200, `"numbers";r=${SMALL_QUOTA_NUMBERS - 1};t=60`, null]);
  });
});

describe('the rate limit binding', () => {
  /** The number of numbers after which the binding gets a report. */
  const enough = 100_000 * QUOTA_FLUSH_SHARE;

  test('gets the share of the quota in parts of 10,000, once enough numbers are counted', async () => {
    const QUOTA = new FakeRateLimit();
    await sendAndSettle(batch(enough - 1, 'parts'), { QUOTA });
    expect(QUOTA.calls).toEqual([]);
    await sendAndSettle(batch(1, 'parts'), { QUOTA });
    // A hundredth of 100,000 numbers.
    expect(QUOTA.calls).toEqual([{ key: 'parts', delta: 100 }]);
  });

  test('gets a report after QUOTA_FLUSH_NUMBERS, however large the quota is', async () => {
    const QUOTA = new FakeRateLimit();
    await sendAndSettle(batch(QUOTA_FLUSH_NUMBERS - 1, 'most'), { QUOTA });
    expect(QUOTA.calls).toEqual([]);
    await sendAndSettle(batch(1, 'most'), { QUOTA });
    // A thousandth of 10,000,000 numbers.
    expect(QUOTA.calls).toEqual([{ key: 'most', delta: 10 }]);
  });

  test('gets a report sooner when time has passed, and the remainder is kept for the next report', async () => {
    const QUOTA = new FakeRateLimit();
    await sendAndSettle(batch(24, 'parts'), { QUOTA });
    vi.setSystemTime(BEGIN + QUOTA_FLUSH_MS + 1);
    await sendAndSettle(batch(1, 'parts'), { QUOTA });
    vi.setSystemTime(BEGIN + 2 * QUOTA_FLUSH_MS + 2);
    for (let checks = 0; checks < 5; checks++) await sendAndSettle(batch(1, 'parts'), { QUOTA });
    // A part is 10 numbers. 25 numbers are two parts, and the remaining 5 are one part with 5 more.
    expect(QUOTA.calls.map(({ delta }) => delta)).toEqual([2, 1]);
  });

  test('never gets more than the whole quota', async () => {
    const QUOTA = new FakeRateLimit();
    for (let tenth = 0; tenth < 10; tenth++) await sendAndSettle(batch(10_000, 'parts'), { QUOTA });
    expect((await sendAndSettle(batch(1, 'parts'), { QUOTA })).status).toBe(429);
    expect(QUOTA.calls.reduce((sum, { delta }) => sum + delta!, 0)).toBe(10_000);
  });

  test('stops a client by refusing, until the window ends', async () => {
    const QUOTA = new FakeRateLimit('refuse');
    expect((await sendAndSettle(batch(QUOTA_FLUSH_NUMBERS, 'parts'), { QUOTA })).status).toBe(200);
    const refused = await sendHere(batch(1, 'parts'), { QUOTA });
    expect(quotaOf(refused)).toEqual([429, '"numbers";r=0;t=60', '60']);
    vi.setSystemTime(BEGIN + WINDOW_MS);
    expect((await sendHere(batch(1, 'parts'), { QUOTA })).status).toBe(200);
  });

  test.each(['reject', 'throw', 'hang'] as const)(
    'does not fail a request when the binding fails: %s',
    async (way) => {
      const QUOTA = new FakeRateLimit(way);
      expect((await sendHere(batch(QUOTA_FLUSH_NUMBERS, 'parts'), { QUOTA })).status).toBe(200);
      expect((await sendHere(batch(1, 'parts'), { QUOTA })).status).toBe(200);
    },
  );
});
