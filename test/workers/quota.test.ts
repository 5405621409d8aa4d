/**
 * The quota: exact in one isolate, told in parts to the rate limit binding, and never a reason to fail.
 */
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { QUOTA_FLUSH_ITEMS, QUOTA_FLUSH_MS, QUOTA_WINDOW_SECONDS } from '../../shared/limits.ts';
import { type Answered, ask, askAndSettle, askHere } from './support/ask.ts';
import { publishClients, SMALL_QUOTA_ITEMS } from './support/clients.ts';
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
  test('lets exactly so many items pass, and counts down', async () => {
    for (let used = 1; used <= SMALL_QUOTA_ITEMS; used++) {
      expect(quotaOf(await ask(check))).toEqual([200, `"items";r=${SMALL_QUOTA_ITEMS - used};t=60`, null]);
    }
    const refused = await ask(check);
    expect(quotaOf(refused)).toEqual([429, '"items";r=0;t=60', '60']);
    expect(refused.body.code).toBe('QUOTA_EXCEEDED');
    expect(refused.headers.get('ratelimit-policy')).toBe(`"items";q=${SMALL_QUOTA_ITEMS};w=60`);
  });

  test('counts the items of a batch, and takes nothing for one that it refuses', async () => {
    expect(quotaOf(await ask(batch(4, 'small')))).toEqual([200, '"items";r=1;t=60', null]);
    expect(quotaOf(await ask(batch(2, 'small')))).toEqual([429, '"items";r=1;t=60', '60']);
    expect(quotaOf(await ask(batch(1, 'small')))).toEqual([200, '"items";r=0;t=60', null]);
  });

  test('holds for a crowd', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask(check)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(SMALL_QUOTA_ITEMS);
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(20 - SMALL_QUOTA_ITEMS);
  });

  test('takes nothing for a question that it does not understand', async () => {
    for (let tries = 0; tries < 10; tries++) await ask({ body: { to: '' }, client: 'small' });
    expect((await ask(check)).status).toBe(200);
  });

  test("is each client's own", async () => {
    await ask(batch(SMALL_QUOTA_ITEMS, 'small'));
    expect((await ask({ ...check, client: 'open' })).status).toBe(200);
  });

  test('begins anew with the window, to the millisecond', async () => {
    await ask(batch(SMALL_QUOTA_ITEMS, 'small'));
    vi.setSystemTime(BEGIN + WINDOW_MS - 1);
    expect(quotaOf(await ask(check))).toEqual([429, '"items";r=0;t=1', '1']);
    vi.setSystemTime(BEGIN + WINDOW_MS);
    expect(quotaOf(await ask(check))).toEqual([200, `"items";r=${SMALL_QUOTA_ITEMS - 1};t=60`, null]);
  });
});

describe('the rate limit binding', () => {
  test('is told the share of the quota in parts of 10,000, once enough has gathered', async () => {
    const QUOTA = new FakeRateLimit();
    await askAndSettle(batch(QUOTA_FLUSH_ITEMS - 1, 'parts'), { QUOTA });
    expect(QUOTA.told).toEqual([]);
    await askAndSettle(batch(1, 'parts'), { QUOTA });
    // A tenth of 100,000 items.
    expect(QUOTA.told).toEqual([{ key: 'parts', delta: 1_000 }]);
  });

  test('is told sooner when time has passed, and the rest is kept for the next time', async () => {
    const QUOTA = new FakeRateLimit();
    await askAndSettle(batch(15, 'parts'), { QUOTA });
    vi.setSystemTime(BEGIN + QUOTA_FLUSH_MS + 1);
    await askAndSettle(batch(10, 'parts'), { QUOTA });
    vi.setSystemTime(BEGIN + 2 * QUOTA_FLUSH_MS + 2);
    await askAndSettle(batch(5, 'parts'), { QUOTA });
    // 10 items a part: 25 are two parts, and the 5 left with 5 more are one.
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
    expect((await askAndSettle(batch(QUOTA_FLUSH_ITEMS, 'parts'), { QUOTA })).status).toBe(200);
    const refused = await askHere(batch(1, 'parts'), { QUOTA });
    expect(quotaOf(refused)).toEqual([429, '"items";r=0;t=60', '60']);
    vi.setSystemTime(BEGIN + WINDOW_MS);
    expect((await askHere(batch(1, 'parts'), { QUOTA })).status).toBe(200);
  });

  test.each(['reject', 'throw', 'hang'] as const)('does not fail a request when it does: %s', async (way) => {
    const QUOTA = new FakeRateLimit(way);
    expect((await askHere(batch(QUOTA_FLUSH_ITEMS, 'parts'), { QUOTA })).status).toBe(200);
    expect((await askHere(batch(1, 'parts'), { QUOTA })).status).toBe(200);
  });
});
