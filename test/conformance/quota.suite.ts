/**
 * The quota: it counts numbers, says what is left, and ends in a 429 that says when to come back.
 */
import { describe, expect, it } from 'vitest';
import { ask, inOneWindow, refused, stream, streamJson } from './support/ask.ts';
import { NUMBERS } from './support/input-lists.ts';
import { world } from './support/world.ts';

const client = 'counted';

function items(count: number): Record<string, string>[] {
  return Array.from({ length: count }, () => ({ to: NUMBERS.free }));
}

function leftOf(headers: Headers): number {
  return Number(/r=(\d+)/.exec(headers.get('ratelimit') ?? '')![1]);
}

/** What is left, with the one that asking for it counts put back. */
async function left(): Promise<number> {
  return leftOf((await ask('/v1/check/batch', { client, body: { items: [] } })).headers) + 1;
}

describe('RateLimit', () => {
  it('counts the numbers of a check and of a batch', async () => {
    await inOneWindow(async () => {
      const before = await left();
      const { headers } = await ask('/v1/check', { client, body: { to: NUMBERS.free } });
      expect(headers.get('ratelimit-policy')).toBe('"numbers";q=1000;w=60');
      expect(leftOf(headers)).toBe(before - 2);
      const both = await ask('/v1/check', { client, body: { from: 'MYSHOP', to: NUMBERS.free } });
      expect(leftOf(both.headers)).toBe(before - 4);
      const batch = await ask('/v1/check/batch', { client, body: { items: items(25) } });
      expect(leftOf(batch.headers)).toBe(before - 29);
    });
  });

  it('counts a default once, and at least one for an item, a bad request and a batch of nothing', async () => {
    await inOneWindow(async () => {
      const before = await left();
      const body = { defaults: { from: '1588-1234' }, items: [...items(3), {}] };
      expect(leftOf((await ask('/v1/check/batch', { client, body })).headers)).toBe(before - 6);
      expect(leftOf((await ask('/v1/check', { client, body: { to: 'JOHN' } })).headers)).toBe(before - 7);
      const empty = { defaults: { from: '1588-1234' }, items: [] };
      const { headers } = await ask('/v1/check/batch', { client, body: empty });
      expect(leftOf(headers)).toBe(before - 8);
    });
  });

  it('counts the length of a batch where that is more than its numbers', async () => {
    await inOneWindow(async () => {
      const before = await left();
      const body = JSON.stringify({ items: items(2) }).padEnd(4_200, ' ');
      const { headers } = await ask('/v1/check/batch', { client, body });
      expect(leftOf(headers)).toBe(before - 1 - 10);
    });
  });

  it('counts the lines of a stream, and both numbers of a line of JSON', async () => {
    await inOneWindow(async () => {
      const before = await left();
      await stream(`${NUMBERS.free}\n`.repeat(5), { client });
      await streamJson(`{"from":"MYSHOP","to":"${NUMBERS.free}"}\n`.repeat(5), { client });
      expect(await left()).toBe(before - 16);
    });
  });

  it('says in t how many seconds the window still has', async () => {
    const secondsLeft = (): number => 60 - ((Date.now() / 1000) % 60);
    await inOneWindow(async () => {
      const before = secondsLeft();
      const { headers } = await ask('/v1/check', { client, body: { to: NUMBERS.free } });
      const seconds = Number(/t=(\d+)/.exec(headers.get('ratelimit')!)![1]);
      expect(seconds).toBeLessThanOrEqual(Math.ceil(before));
      expect(seconds).toBeGreaterThanOrEqual(Math.floor(secondsLeft()));
    });
  });

  it('is not used up by another client', async () => {
    const { headers } = await ask('/v1/check', { client: 'label', body: { to: NUMBERS.free } });
    expect(headers.get('ratelimit-policy')).toBe('"numbers";q=60000;w=60');
    expect(leftOf(headers)).toBeGreaterThan(1_000);
  });
});

describe('a quota that is used up', () => {
  it('ends in 429 with Retry-After, for each route', async () => {
    await inOneWindow(async () => {
      const request = { client: 'small' } as const;
      await ask('/v1/check/batch', { ...request, body: { items: items(10) } });
      const limit = [429, 'QUOTA_EXCEEDED'] as const;
      const text = { 'content-type': 'text/plain' };
      const replies = [
        await refused(['/v1/check', { ...request, body: { to: NUMBERS.free } }], limit),
        await refused(['/v1/check?to=010-5555-0000', request], limit),
        await refused(['/v1/check/batch', { ...request, body: { items: items(1) } }], limit),
        await refused(['/v1/check/stream', { ...request, body: '1\n', headers: text }], limit),
      ];
      for (const { headers } of replies) {
        expect(leftOf(headers)).toBe(0);
        expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
        expect(Number(headers.get('retry-after'))).toBeLessThanOrEqual(60);
      }
    });
  });

  it('refuses a batch that does not fit, and counts one for it', async () => {
    await inOneWindow(async () => {
      const request = { client: 'tiny' } as const;
      await refused(['/v1/check/batch', { ...request, body: { items: items(11) } }], [429, 'QUOTA_EXCEEDED']);
      const { status, headers } = await ask('/v1/check/batch', { ...request, body: { items: items(1) } });
      expect([status, leftOf(headers)]).toEqual([200, 8]);
    });
  });

  it('says of a batch larger than the whole quota that no waiting helps', async () => {
    const request = { client: 'tiny', body: { items: items(11) } } as const;
    const { headers, json } = await ask('/v1/check/batch', request);
    expect([headers.get('retry-after'), json.code]).toEqual([null, 'QUOTA_EXCEEDED']);
    expect(json.detail).toContain('whole quota of 10');
  });

  it('lets a stream that is larger than the quota begin with what the quota allows', async () => {
    // A stream that waited for the next window would answer in no window that it began in.
    await inOneWindow(async () => {
      const response = await fetch(`${world().url}/v1/check/stream`, {
        method: 'POST',
        headers: { authorization: `Bearer ${world().keys.flow}`, 'content-type': 'text/plain' },
        body: `${NUMBERS.free}\n`.repeat(25),
      });
      const reader = response.body!.getReader();
      const { value } = await reader.read();
      void reader.cancel();
      expect(Buffer.from(value!).toString()).toContain('\n');
    });
  });
});
