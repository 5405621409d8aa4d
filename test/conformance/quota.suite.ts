/**
 * The quota: it counts items, says what is left, and ends in a 429 that says when to come back.
 */
import { describe, expect, it } from 'vitest';
import { ask, inOneWindow, refused, stream } from './support/ask.ts';
import { NUMBERS } from './support/input-lists.ts';
import { world } from './support/world.ts';

const client = 'counted';

function items(count: number): Record<string, string>[] {
  return Array.from({ length: count }, () => ({ to: NUMBERS.free }));
}

function leftOf(headers: Headers): number {
  return Number(/r=(\d+)/.exec(headers.get('ratelimit') ?? '')![1]);
}

async function left(): Promise<number> {
  return leftOf((await ask('/v1/check/batch', { client, body: { items: [] } })).headers);
}

describe('RateLimit', () => {
  it('counts one for a check, the items for a batch, and nothing for a bad request', async () => {
    await inOneWindow(async () => {
      const before = await left();
      const { headers } = await ask('/v1/check', { client, body: { to: NUMBERS.free } });
      expect(headers.get('ratelimit-policy')).toBe('"items";q=1000;w=60');
      expect(leftOf(headers)).toBe(before - 1);
      const batch = await ask('/v1/check/batch', { client, body: { items: items(25) } });
      expect(leftOf(batch.headers)).toBe(before - 26);
      await ask('/v1/check', { client, body: { to: 'JOHN' } });
      expect(await left()).toBe(before - 26);
    });
  });

  it('counts the lines of a stream', async () => {
    await inOneWindow(async () => {
      const before = await left();
      await stream(`${NUMBERS.free}\n`.repeat(5), { client });
      expect(await left()).toBe(before - 5);
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
    const { headers } = await ask('/v1/check', { body: { to: NUMBERS.free } });
    expect(headers.get('ratelimit-policy')).toBe('"items";q=6000000;w=60');
    expect(leftOf(headers)).toBeGreaterThan(1_000_000);
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

  it('refuses a batch that does not fit, and counts none of it', async () => {
    await inOneWindow(async () => {
      const request = { client: 'tiny' } as const;
      await refused(['/v1/check/batch', { ...request, body: { items: items(11) } }], [429, 'QUOTA_EXCEEDED']);
      const { status, headers } = await ask('/v1/check/batch', { ...request, body: { items: items(1) } });
      expect([status, leftOf(headers) < 10]).toEqual([200, true]);
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
