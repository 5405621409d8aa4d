/**
 * Wrong client keys. Over the limit they cause no check of the head, valid keys still work, and the log names only existing
 * clients.
 */
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { KEY_FRESH_MS } from '../../../shared/limits/edge.ts';
import { AUTHENTICATION_FAILURES_MAX, AUTHENTICATION_WINDOW_MS } from '../../../shared/limits/requests.ts';
import { CLIENTS, publishClients } from '../support/clients.ts';
import { coldIsolate, fakeCoordinator } from '../support/isolate.ts';
import { sendAndSettle, type WireResponse } from '../support/send.ts';
import { build, LISTED, NOW, publish, smallLists } from '../support/world.ts';

coldIsolate();

const built = await build(smallLists());
const body = { to: LISTED };
const ADDRESS = '203.0.113.9';
const logged: Record<string, unknown>[] = [];

const wrong = (key: string, address = ADDRESS): Promise<WireResponse> =>
  sendAndSettle(
    { body, headers: { authorization: `Bearer ${key}`, 'cf-connecting-ip': address } },
    { PLATFORM: 'cloudflare' },
  );

beforeEach(async () => {
  logged.length = 0;
  vi.useFakeTimers({ toFake: ['Date'], now: NOW });
  await publish(built);
  await publishClients([{ ...CLIENTS[0], id: 'ended', expires: new Date(NOW).toISOString() }, ...CLIENTS]);
  await sendAndSettle({ body });
  vi.spyOn(console, 'warn').mockImplementation((line: string) => {
    const values = JSON.parse(line) as Record<string, unknown>;
    if (values.event === 'authenticationFailed') logged.push(values);
  });
});

describe('wrong keys', () => {
  test('over the limit are refused with 429 and check no head; valid keys and other addresses are not', async () => {
    for (let count = 0; count < AUTHENTICATION_FAILURES_MAX; count++)
      expect((await wrong(`open.wrong-${count}`)).status).toBe(401);
    vi.setSystemTime(NOW + KEY_FRESH_MS + 1);
    fakeCoordinator().requests.length = 0;
    const { status, headers, body: answer } = await wrong('nobody.secret');
    expect([status, answer.code, headers.get('retry-after')]).toEqual([429, 'AUTHENTICATION_LIMITED', '59']);
    expect(fakeCoordinator().requests).toHaveLength(0);
    expect((await wrong('open.secret-of-open')).status).toBe(200);
    expect((await wrong('open.wrong', '198.51.100.1')).status).toBe(401);
    // The secret is right, so its holder needs to know why the key does not work.
    expect((await wrong('ended.secret-of-open')).body.message).toMatch(/^the client key expired at /);
    vi.setSystemTime(NOW + AUTHENTICATION_WINDOW_MS);
    expect((await wrong('open.wrong')).status).toBe(401);
  });

  test('that meet no condition count in the log and not for the limit', async () => {
    for (let count = 0; count <= AUTHENTICATION_FAILURES_MAX; count++) await wrong('ended.secret-of-open');
    expect((await wrong('open.wrong')).status).toBe(401);
    vi.setSystemTime(NOW + AUTHENTICATION_WINDOW_MS);
    await wrong('0212345678-pasted.secret');
    const line = { event: 'authenticationFailed', plane: 'edge' };
    expect(logged).toEqual([
      { ...line, id: 'ended', reason: 'expired', failures: 1 },
      { ...line, id: 'ended', reason: 'expired', failures: AUTHENTICATION_FAILURES_MAX },
      { ...line, id: 'open', reason: 'secret', failures: 1 },
      { ...line, id: null, reason: 'secret', failures: 1 },
    ]);
  });

  test('are not counted without a key, or for a route that the client may not use', async () => {
    await sendAndSettle({ body, headers: { authorization: '' } });
    await sendAndSettle({ body, client: 'nothing' });
    expect(logged).toEqual([]);
  });
});
