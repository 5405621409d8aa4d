/**
 * The quota counts numbers, reports the rest in headers, and returns 429 with Retry-After when it is used up.
 */
import { describe, expect, it } from 'vitest';
import { NUMBERS } from './support/input-lists.ts';
import { expectRefused, inOneWindow, send, stream, streamJson } from './support/send.ts';
import { world } from './support/world.ts';

const client = 'counted';

function items(count: number): Record<string, string>[] {
  return Array.from({ length: count }, () => ({ to: NUMBERS.free }));
}

function leftOf(headers: Headers): number {
  return Number(/r=(\d+)/.exec(headers.get('ratelimit') ?? '')![1]);
}

/** The remaining quota before this request, which counts as one number. */
async function left(): Promise<number> {
  return leftOf((await send('/v1/check/batch', { client, body: { items: [] } })).headers) + 1;
}

describe('RateLimit', () => {
  it('the numbers of checks and batches count', async () => {
    await inOneWindow(async () => {
      const before = await left();
      const { headers } = await send('/v1/check', { client, body: { to: NUMBERS.free } });
      expect(headers.get('ratelimit-policy')).toBe('"numbers";q=1000;w=60');
      expect(leftOf(headers)).toBe(before - 2);
      const both = await send('/v1/check', { client, body: { from: 'MYSHOP', to: NUMBERS.free } });
      expect(leftOf(both.headers)).toBe(before - 4);
      const batch = await send('/v1/check/batch', { client, body: { items: items(25) } });
      expect(leftOf(batch.headers)).toBe(before - 29);
    });
  });

  it('a default counts once; an item, a bad request and an empty batch count at least one', async () => {
    await inOneWindow(async () => {
      const before = await left();
      const body = { defaults: { from: '1588-1234' }, items: [...items(3), {}] };
      expect(leftOf((await send('/v1/check/batch', { client, body })).headers)).toBe(before - 6);
      expect(leftOf((await send('/v1/check', { client, body: { to: 'JOHN' } })).headers)).toBe(before - 7);
      const empty = { defaults: { from: '1588-1234' }, items: [] };
      const { headers } = await send('/v1/check/batch', { client, body: empty });
      expect(leftOf(headers)).toBe(before - 8);
    });
  });

  it('the length of a batch counts if it is more than its numbers', async () => {
    await inOneWindow(async () => {
      const before = await left();
      const body = JSON.stringify({ items: items(2) }).padEnd(4_200, ' ');
      const { headers } = await send('/v1/check/batch', { client, body });
      expect(leftOf(headers)).toBe(before - 1 - 10);
    });
  });

  it('the lines of a stream count, and both numbers of a JSON line', async () => {
    await inOneWindow(async () => {
      const before = await left();
      await stream(`${NUMBERS.free}\n`.repeat(5), { client });
      await streamJson(`{"from":"MYSHOP","to":"${NUMBERS.free}"}\n`.repeat(5), { client });
      expect(await left()).toBe(before - 16);
    });
  });

  it('`t` is the number of seconds left in the window', async () => {
    const secondsLeft = (): number => 60 - ((Date.now() / 1000) % 60);
    await inOneWindow(async () => {
      const before = secondsLeft();
      const { headers } = await send('/v1/check', { client, body: { to: NUMBERS.free } });
      const seconds = Number(/t=(\d+)/.exec(headers.get('ratelimit')!)![1]);
      expect(seconds).toBeLessThanOrEqual(Math.ceil(before));
      expect(seconds).toBeGreaterThanOrEqual(Math.floor(secondsLeft()));
    });
  });

  it('another client has its own quota', async () => {
    const { headers } = await send('/v1/check', { client: 'label', body: { to: NUMBERS.free } });
    expect(headers.get('ratelimit-policy')).toBe('"numbers";q=60000;w=60');
    expect(leftOf(headers)).toBeGreaterThan(1_000);
  });
});

describe('a quota that is used up', () => {
  it('each route returns 429 with Retry-After', async () => {
    await inOneWindow(async () => {
      const request = { client: 'small' } as const;
      await send('/v1/check/batch', { ...request, body: { items: items(10) } });
      const limit = [429, 'QUOTA_EXCEEDED'] as const;
      const text = { 'content-type': 'text/plain' };
      const replies = [
        await expectRefused(['/v1/check', { ...request, body: { to: NUMBERS.free } }], limit),
        await expectRefused(['/v1/check?to=010-5555-0000', request], limit),
        await expectRefused(['/v1/check/batch', { ...request, body: { items: items(1) } }], limit),
        await expectRefused(['/v1/check/stream', { ...request, body: '1\n', headers: text }], limit),
      ];
      for (const { headers } of replies) {
        expect(leftOf(headers)).toBe(0);
        expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
        expect(Number(headers.get('retry-after'))).toBeLessThanOrEqual(60);
      }
    });
  });

  it('a batch that does not fit is rejected and counts one', async () => {
    await inOneWindow(async () => {
      const request = { client: 'tiny' } as const;
      await expectRefused(
        ['/v1/check/batch', { ...request, body: { items: items(11) } }],
        [429, 'QUOTA_EXCEEDED'],
      );
      const { status, headers } = await send('/v1/check/batch', { ...request, body: { items: items(1) } });
      expect([status, leftOf(headers)]).toEqual([200, 8]);
    });
  });

  it('a batch over the whole quota is rejected without Retry-After', async () => {
    const request = { client: 'tiny', body: { items: items(11) } } as const;
    const { headers, json } = await send('/v1/check/batch', request);
    expect([headers.get('retry-after'), json.code]).toEqual([null, 'QUOTA_EXCEEDED']);
    expect(json.detail).toContain('whole quota of 10');
  });

  it('a stream over the quota starts with what the quota allows', async () => {
    // A stream that waited for the next window would return nothing in its first window.
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
