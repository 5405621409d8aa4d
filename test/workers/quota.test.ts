/**
 * The quota: it counts numbers, is exact in one isolate, told in parts to the rate limit binding, and never a
 * reason to fail.
 */
import { beforeEach, describe, expect, test, vi } from 'vitest';
import {
  QUOTA_FLUSH_MS,
  QUOTA_FLUSH_NUMBERS,
  QUOTA_FLUSH_SHARE,
  QUOTA_WINDOW_SECONDS,
} from '../../shared/limits.ts';
import { type Answered, ask, askAndSettle, askHere } from './support/ask.ts';
import { publishClients, SMALL_QUOTA_NUMBERS } from './support/clients.ts';
import './support/isolate.ts';
import { FakeRateLimit } from './support/rate-limit.ts';
import { build, LISTED, publish, smallLists } from './support/world.ts';

const built = await build(smallLists());
const WINDOW_MS = QUOTA_WINDOW_SECONDS * 1000;
/** The begin of a window. */
const BEGIN = 29_924_833 * WINDOW_MS;

const check = { body: { to: LISTED }, client: 'small' };
const batch = (count: number, client: string) => ({
  path: '/v1/check/batch',
  body: { items: Array(count).fill({ to: LISTED }) },
  client,
});

function quotaOf({ status, headers }: Answered): (string | number | null)[] {
  return [status, headers.get('ratelimit'), headers.get('retry-after')];
}

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: BEGIN });
  await publish(built);
  await publishClients();
});

describe('the quota of an isolate', () => {
  test('lets exactly so many numbers pass, and counts down', async () => {
    for (let used = 1; used <= SMALL_QUOTA_NUMBERS; used++) {
      expect(quotaOf(await ask(check))).toEqual([
        200,
        `"numbers";r=${SMALL_QUOTA_NUMBERS - used};t=60`,
        null,
      ]);
    }
    const refused = await ask(check);
    expect(quotaOf(refused)).toEqual([429, '"numbers";r=0;t=60', '60']);
    expect(refused.body.code).toBe('QUOTA_EXCEEDED');
    expect(refused.headers.get('ratelimit-policy')).toBe(`"numbers";q=${SMALL_QUOTA_NUMBERS};w=60`);
  });

  test('counts the numbers of a batch, and one alone for a batch that it refuses', async () => {
    expect(quotaOf(await ask(batch(3, 'small')))).toEqual([200, '"numbers";r=2;t=60', null]);
    expect(quotaOf(await ask(batch(3, 'small')))).toEqual([429, '"numbers";r=1;t=60', '60']);
    expect(quotaOf(await ask(batch(1, 'small')))).toEqual([200, '"numbers";r=0;t=60', null]);
  });

  test.each([
    ['a recipient', { to: LISTED }, 1],
    ['a sender and a recipient', { from: LISTED, to: LISTED }, 2],
    ['a sender id and a recipient', { from: 'MYSHOP', to: LISTED }, 2],
    ['a number that is none', { to: 'x' }, 1],
    ['two numbers that are none', { from: '', to: '' }, 2],
    ['nothing', {}, 1],
    ['no object', [], 1],
    ['no JSON', '{', 1],
    ['an unknown field', { more: LISTED }, 1],
  ])('counts of a check with %s', async (_, body, count) => {
    const left = `"numbers";r=${SMALL_QUOTA_NUMBERS - count};t=60`;
    expect((await ask({ body, client: 'small' })).headers.get('ratelimit')).toBe(left);
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
    ['items that are none', { items: [null, 1, {}, { more: 1 }] }, 4],
    ['damaged defaults', { defaults: { from: 1 }, items: [{ to: LISTED }] }, 2],
    ['an unknown report', { report: 'x', items: [{ to: LISTED }, { to: LISTED }] }, 2],
    ['items that are no list', { items: 1 }, 1],
  ])('counts of a batch with %s', async (_, body, count) => {
    const left = `"numbers";r=${SMALL_QUOTA_NUMBERS - count};t=60`;
    const { headers } = await ask({ path: '/v1/check/batch', body, client: 'small' });
    expect(headers.get('ratelimit')).toBe(left);
  });

  test('refuses who has nothing left before the body is read', async () => {
    await ask(batch(SMALL_QUOTA_NUMBERS, 'small'));
    for (const path of ['/v1/check', '/v1/check/batch', '/v1/check/stream']) {
      const { status, body } = await ask({ path, body: '{', client: 'small' });
      expect([status, body.code]).toEqual([429, 'QUOTA_EXCEEDED']);
    }
  });

  test('refuses a check of which one number alone would fit', async () => {
    await ask(batch(SMALL_QUOTA_NUMBERS - 1, 'small'));
    const both = { body: { from: LISTED, to: LISTED }, client: 'small' };
    expect(quotaOf(await ask(both))).toEqual([429, '"numbers";r=0;t=60', '60']);
  });

  test('holds for a crowd', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask(check)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(SMALL_QUOTA_NUMBERS);
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(20 - SMALL_QUOTA_NUMBERS);
  });

  test("is each client's own", async () => {
    await ask(batch(SMALL_QUOTA_NUMBERS, 'small'));
    expect((await ask({ ...check, client: 'open' })).status).toBe(200);
  });

  test('begins anew with the window, to the millisecond', async () => {
    await ask(batch(SMALL_QUOTA_NUMBERS, 'small'));
    vi.setSystemTime(BEGIN + WINDOW_MS - 1);
    expect(quotaOf(await ask(check))).toEqual([429, '"numbers";r=0;t=1', '1']);
    vi.setSystemTime(BEGIN + WINDOW_MS);
    expect(quotaOf(await ask(check))).toEqual([200, `"numbers";r=${SMALL_QUOTA_NUMBERS - 1};t=60`, null]);
  });
});

describe('the rate limit binding', () => {
  /** Numbers after which it is told. */
  const enough = 100_000 * QUOTA_FLUSH_SHARE;

  test('is told the share of the quota in parts of 10,000, once enough has gathered', async () => {
    const QUOTA = new FakeRateLimit();
    await askAndSettle(batch(enough - 1, 'parts'), { QUOTA });
    expect(QUOTA.told).toEqual([]);
    await askAndSettle(batch(1, 'parts'), { QUOTA });
    // A hundredth of 100,000 numbers.
    expect(QUOTA.told).toEqual([{ key: 'parts', delta: 100 }]);
  });

  test('is told after QUOTA_FLUSH_NUMBERS, however large the quota is', async () => {
    const QUOTA = new FakeRateLimit();
    await askAndSettle(batch(QUOTA_FLUSH_NUMBERS - 1, 'most'), { QUOTA });
    expect(QUOTA.told).toEqual([]);
    await askAndSettle(batch(1, 'most'), { QUOTA });
    // A thousandth of 10,000,000 numbers.
    expect(QUOTA.told).toEqual([{ key: 'most', delta: 10 }]);
  });

  test('is told sooner when time has passed, and the rest is kept for the next time', async () => {
    const QUOTA = new FakeRateLimit();
    await askAndSettle(batch(24, 'parts'), { QUOTA });
    vi.setSystemTime(BEGIN + QUOTA_FLUSH_MS + 1);
    await askAndSettle(batch(1, 'parts'), { QUOTA });
    vi.setSystemTime(BEGIN + 2 * QUOTA_FLUSH_MS + 2);
    for (let checks = 0; checks < 5; checks++) await askAndSettle(batch(1, 'parts'), { QUOTA });
    // 10 numbers a part: 25 are two parts, and the 5 left with 5 more are one.
    expect(QUOTA.told.map(({ delta }) => delta)).toEqual([2, 1]);
  });

  test('is never told more than the whole quota', async () => {
    const QUOTA = new FakeRateLimit();
    for (let tenth = 0; tenth < 10; tenth++) await askAndSettle(batch(10_000, 'parts'), { QUOTA });
    expect((await askAndSettle(batch(1, 'parts'), { QUOTA })).status).toBe(429);
    expect(QUOTA.told.reduce((sum, { delta }) => sum + delta!, 0)).toBe(10_000);
  });

  test('stops a client by saying no, until the window ends', async () => {
    const QUOTA = new FakeRateLimit('refuse');
    expect((await askAndSettle(batch(QUOTA_FLUSH_NUMBERS, 'parts'), { QUOTA })).status).toBe(200);
    const refused = await askHere(batch(1, 'parts'), { QUOTA });
    expect(quotaOf(refused)).toEqual([429, '"numbers";r=0;t=60', '60']);
    vi.setSystemTime(BEGIN + WINDOW_MS);
    expect((await askHere(batch(1, 'parts'), { QUOTA })).status).toBe(200);
  });

  test.each(['reject', 'throw', 'hang'] as const)('does not fail a request when it does: %s', async (way) => {
    const QUOTA = new FakeRateLimit(way);
    expect((await askHere(batch(QUOTA_FLUSH_NUMBERS, 'parts'), { QUOTA })).status).toBe(200);
    expect((await askHere(batch(1, 'parts'), { QUOTA })).status).toBe(200);
  });
});
