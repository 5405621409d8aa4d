/** Wrong admin tokens: their cost, and that nobody can lock out the holder of a valid token. */
import { describe, expect, test, vi } from 'vitest';
import { DIGESTS_KEPT_MS } from '../../../shared/limits/control.ts';
import {
  AUTHENTICATION_FAILURES_MAX,
  AUTHENTICATION_FAILURES_TOTAL_MAX,
  AUTHENTICATION_WINDOW_MS,
  FAILED_KEYS_LOGGED_MAX,
} from '../../../shared/limits/requests.ts';
import { ADDRESS, calls, freshControl, logged, putToken, send } from '../support/admin.ts';
import { NOON } from '../support/room.ts';

freshControl();

describe('wrong keys', () => {
  const wrong = (id: string, address = ADDRESS, platform = 'cloudflare') =>
    send(id, 'GET status', null, { secret: 'wrong', platform, headers: { 'cf-connecting-ip': address } });

  test('are refused without the coordinator once they are too many; valid keys still work', async () => {
    await putToken('night');
    for (let count = 0; count < AUTHENTICATION_FAILURES_MAX; count++)
      expect((await wrong('night')).status).toBe(401);
    calls.length = 0;
    for (const id of ['night', 'nobody', 'constructor', 'root', 'night']) {
      expect(await wrong(id)).toMatchObject({
        status: 429,
        code: 'AUTHENTICATION_LIMITED',
        retryAfter: '60',
      });
    }
    // One call gets a copy of all digests.
    expect(calls).toEqual(['tokenDigests']);
    expect((await send('night', 'GET status')).status).toBe(200);
    expect((await send('root', 'GET status')).status).toBe(200);
    expect((await wrong('night', '198.51.100.1')).status).toBe(401);
    vi.setSystemTime(NOON + AUTHENTICATION_WINDOW_MS);
    expect((await wrong('night')).status).toBe(401);
  });

  test('count for the isolate where nobody vouches for addresses', async () => {
    for (let count = 0; count < AUTHENTICATION_FAILURES_MAX; count++)
      await wrong('nobody', `198.51.100.${count}`, '');
    expect((await wrong('nobody', '203.0.113.1', '')).status).toBe(429);
  });

  test('of many addresses are limited together', async () => {
    for (let count = 0; count < AUTHENTICATION_FAILURES_TOTAL_MAX; count++)
      await wrong('', `2001:db8::${count.toString(16)}`);
    expect((await wrong('nobody', '203.0.113.1')).status).toBe(429);
  });

  test('do not stop a token that is newer than the copy for long', async () => {
    for (let count = 0; count <= AUTHENTICATION_FAILURES_MAX; count++) await wrong('nobody');
    await putToken('night');
    expect((await send('night', 'GET status')).status).toBe(429);
    vi.setSystemTime(NOON + DIGESTS_KEPT_MS);
    expect((await send('night', 'GET status')).status).toBe(200);
  });

  test('are logged once a minute, with the ID only if it exists', async () => {
    await putToken('night');
    for (const id of ['night', 'night', 'pasted-secret-3f9a', 'root']) await wrong(id);
    vi.setSystemTime(NOON + AUTHENTICATION_WINDOW_MS);
    await wrong('night');
    const line = (id: string | null, failures: number) => ({
      ...{ event: 'authenticationFailed', plane: 'control', id, reason: 'secret', failures },
    });
    expect(logged).toEqual([line('night', 1), line('night', 2), line(null, 1), line('root', 1)]);
    expect(JSON.stringify(logged)).not.toMatch(/pasted|wrong|203\.0/);
  });

  test('of many keys are counted together', async () => {
    const ids = Array.from({ length: FAILED_KEYS_LOGGED_MAX + 10 }, (_, index) => `night-${index}`);
    for (const id of ids) {
      await putToken(id);
      await wrong(id);
    }
    vi.setSystemTime(NOON + AUTHENTICATION_WINDOW_MS);
    await wrong('nobody');
    expect(logged.length).toBeLessThanOrEqual(FAILED_KEYS_LOGGED_MAX + 2);
    expect(logged.reduce((sum, { failures }) => sum + Number(failures), 0)).toBe(ids.length + 1);
  });
});
