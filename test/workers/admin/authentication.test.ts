/**
 * Admin tokens over HTTP: conditions, last use, what a token that is created again inherits, and the cost of wrong
 * keys.
 */
import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { sha256Hex } from '../../../shared/bytes.ts';
import type { KeyConditions } from '../../../shared/key-conditions.ts';
import { DIGESTS_KEPT_MS, TOKEN_ENTRIES_PER_HOUR_MAX } from '../../../shared/limits/control.ts';
import {
  AUTHENTICATION_FAILURES_MAX,
  AUTHENTICATION_FAILURES_TOTAL_MAX,
  AUTHENTICATION_WINDOW_MS,
  FAILED_KEYS_LOGGED_MAX,
} from '../../../shared/limits/requests.ts';
import { bareOrganisation } from '../../../shared/organisations.ts';
import { resetAuthentication } from '../../../workers/admin/authentication.ts';
import worker from '../../../workers/main.ts';
import { ADMIN, coordinator } from '../support/coordinator.ts';
import '../support/fresh.ts';
import { DAY, generationOf, HOUR, NOON, spend } from '../support/room.ts';

const SECRET = 'right';
const ADDRESS = '203.0.113.9';

interface Sent {
  readonly secret?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly platform?: string;
}

/** Methods of the coordinator that were called. */
const calls: string[] = [];
/** Lines of the log. */
const logged: Record<string, unknown>[] = [];

/** As `<status> <code>` and the body. */
async function send(id: string, request: string, body: object | null = null, sent: Sent = {}) {
  const { secret = SECRET, headers = {}, platform = 'cloudflare' } = sent;
  const [method = '', path = ''] = request.split(' ');
  const ctx = createExecutionContext();
  const watched = new Proxy(coordinator(), {
    get: (target, name) => {
      calls.push(String(name));
      return Reflect.get(target, name) as unknown;
    },
  });
  const bindings = {
    ...{ ...env, PLATFORM: platform, ROOT_TOKEN_SHA256: await sha256Hex(SECRET) },
    COORDINATOR: { getByName: () => watched },
  };
  const response = await worker.fetch(
    new Request(`https://numgate.test/v1/admin/${path}`, {
      method,
      headers: {
        ...{ authorization: `Bearer ${id}.${secret}`, 'content-type': 'application/json' },
        ...{ 'cf-connecting-ip': ADDRESS, ...headers },
      },
      ...(body === null ? {} : { body: JSON.stringify({ ...body, reason: 'test' }) }),
    }) as never,
    bindings as never,
    ctx,
  );
  const answer = (await response.json()) as Record<string, unknown>;
  await waitOnExecutionContext(ctx);
  const { status } = response;
  return { status, code: answer.code, retryAfter: response.headers.get('retry-after'), answer };
}

const putToken = async (id: string, settings: object = {}, sent: Sent = {}) => {
  const secretSha256 = [await sha256Hex(SECRET)];
  const token = { id, secretSha256, scopes: ['read', 'entries'], ...settings };
  return send('root', `PUT tokens/${id}`, { token }, sent);
};
const listed = async (id: string): Promise<Record<string, unknown>> => {
  const { tokens } = (await send('root', 'GET tokens')).answer as { tokens: Record<string, unknown>[] };
  return tokens.find((token) => token.id === id) ?? {};
};
const BLOCK = { op: 'block', items: [{ number: '+821030000001' }] };

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: NOON });
  vi.spyOn(console, 'warn').mockImplementation((line: string) => {
    logged.push(JSON.parse(line) as Record<string, unknown>);
  });
  resetAuthentication();
  const organisation = { ...bareOrganisation('default'), authority: 'kisa' };
  expect((await send('root', 'PUT organisations/default', { organisation })).status).toBe(200);
  calls.length = 0;
  logged.length = 0;
});

describe('a token with conditions', () => {
  const ends = (ms: number): KeyConditions => ({ expires: new Date(NOON + ms).toISOString() });

  test('ends on time, and only the right secret gets to know', async () => {
    await putToken('night', ends(1_000));
    expect((await send('night', 'GET status')).status).toBe(200);
    vi.setSystemTime(NOON + 1_000);
    const right = await send('night', 'GET status');
    const wrong = await send('night', 'GET status', null, { secret: 'wrong' });
    expect([right.status, wrong.status]).toEqual([401, 401]);
    expect(right.answer.message).toBe(`the admin token expired at ${ends(1_000).expires}: ask for a new one`);
    expect(wrong.answer.message).toBe('the admin token is not valid');
    expect(logged).toContainEqual(expect.objectContaining({ id: 'night', reason: 'expired' }));
  });

  test('works from its addresses alone', async () => {
    await putToken('night', { addresses: ['203.0.113.0/24'] });
    const codes: unknown[] = [];
    for (const [address, platform] of [
      [ADDRESS, 'cloudflare'],
      ['203.0.114.9', 'cloudflare'],
      [ADDRESS, 'local'],
    ] as const) {
      const sent = { headers: { 'cf-connecting-ip': address }, platform };
      codes.push((await send('night', 'GET status', null, sent)).code);
    }
    expect(codes).toEqual([undefined, 'PERMISSION_DENIED', 'PERMISSION_DENIED']);
  });

  test.each([
    ['expires', ends(0), 'must be in the future: to stop a key now, remove it'],
    ['expires', { expires: 'soon' }, 'must be a time such as'],
    ['addresses.0', { addresses: ['0.0.0.0/0'] }, 'leave it out to accept every address'],
    ['addresses.1', { addresses: ['203.0.113.0/24', '::/0'] }, 'leave it out to accept every address'],
    ['addresses', { addresses: [] }, 'leave it out for no condition'],
    ['certificateSha256.0', { certificateSha256: ['AA:BB'] }, 'must be a SHA-256 in hex'],
  ])('with an invalid %s gets a 400 that names it: %j', async (field, settings, message) => {
    const client = { id: 'relay', secretSha256: ['0'.repeat(64)], rights: ['check'], ...settings };
    const kinds = [
      ['token', await putToken('night', settings)],
      ['client', await send('root', 'PUT clients/relay', { client })],
    ] as const;
    for (const [kind, { status, answer }] of kinds) {
      expect([status, answer.code, answer.field]).toEqual([400, 'FIELD_VALUE', `${kind}.${field}`]);
      expect(answer.message).toContain(message);
    }
  });

  test('can be changed after its end, which stays', async () => {
    await putToken('night', ends(1_000));
    vi.setSystemTime(NOON + DAY);
    expect((await putToken('night', { ...ends(1_000), scopes: ['read'] })).status).toBe(200);
  });

  test.each([
    ['addresses', { addresses: ['203.0.113.0/24'] }],
    ['certificateSha256', { certificateSha256: ['0'.repeat(64)] }],
  ])('cannot have %s where a client can send any', async (field, settings) => {
    const client = { id: 'relay', secretSha256: ['0'.repeat(64)], rights: ['check'], ...settings };
    for (const { status, answer } of [
      await putToken('night', settings, { platform: '' }),
      await send('root', 'PUT clients/relay', { client }, { platform: '' }),
    ]) {
      expect([status, answer.code]).toEqual([400, 'FIELD_VALUE']);
      expect(answer.field).toMatch(new RegExp(`\\.${field}$`));
      expect(answer.message).toContain('deploy with PLATFORM = "cloudflare", or filter in a proxy');
    }
  });

  test('has its ranges in canonical form', async () => {
    await putToken('night', { addresses: ['203.0.113.7', '2001:0DB8:0::/32', '::ffff:198.51.100.0/120'] });
    expect((await listed('night')).addresses).toEqual(['203.0.113.7/32', '2001:db8::/32', '198.51.100.0/24']);
  });
});

describe('the last use of a token', () => {
  test('is the hour, written once an hour, and not in the audit log', async () => {
    await putToken('night');
    expect((await listed('night')).lastUsedAt).toBeNull();
    const { audit } = (await send('root', 'GET status')).answer as { audit: { n: number } };
    const seen: unknown[] = [];
    for (const after of [0, 1, HOUR - 1, HOUR, HOUR + 1, 3 * HOUR + 1]) {
      vi.setSystemTime(NOON + after);
      await send('night', 'GET status');
      await send('night', 'GET status', null, { secret: 'wrong' });
      seen.push((await listed('night')).lastUsedAt);
    }
    const [noon, one, three] = [0, 1, 3].map((hours) => new Date(NOON + hours * HOUR).toISOString());
    expect(seen).toEqual([noon, noon, noon, one, one, three]);
    expect(calls.filter((name) => name === 'tokenUsed')).toHaveLength(3);
    expect((await send('root', 'GET status')).answer.audit).toEqual(audit);
  });
});

describe('a token that is created again', () => {
  const again = async (id: string): Promise<void> => {
    expect((await send('root', `DELETE tokens/${id}`, {})).status).toBe(200);
    expect((await putToken(id)).status).toBe(200);
  };
  const block = (id: string) => send(id, 'POST entries', BLOCK, { headers: { 'idempotency-key': 'same' } });

  test('gets no answers of the one before', async () => {
    await putToken('night');
    const first = (await block('night')).answer;
    expect((await block('night')).answer).toEqual(first);
    // A change of the token is no new holder.
    await putToken('night', { scopes: ['entries'] });
    expect((await block('night')).answer).toEqual(first);
    await again('night');
    expect((await block('night')).answer.seq).toBeGreaterThan(first.seq as number);
  });

  test('has a budget and a last use of its own, and the same name in the audit log', async () => {
    await putToken('night');
    const before = await generationOf('night');
    await spend({ ...ADMIN, name: 'token:night', generation: before }, 'entries', TOKEN_ENTRIES_PER_HOUR_MAX);
    expect((await block('night')).code).toBe('BUDGET_EXCEEDED');
    await again('night');
    expect(await generationOf('night')).toBeGreaterThan(before);
    expect((await listed('night')).lastUsedAt).toBeNull();
    expect((await block('night')).status).toBe(200);
    const { entries } = (await send('night', 'GET entries')).answer as { entries: { by: string }[] };
    expect(entries.map(({ by }) => by)).toEqual(['token:night']);
  });
});

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
    // One copy of all digests.
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

describe('keys that end', () => {
  test('soon or recently are in the status, and in the log once a day', async () => {
    const ends = (days: number): KeyConditions => ({ expires: new Date(NOON + days * DAY).toISOString() });
    await putToken('soon', ends(29));
    await putToken('later', ends(31));
    await putToken('past', ends(1));
    const client = { id: 'relay', secretSha256: ['0'.repeat(64)], rights: ['check'], ...ends(20) };
    await send('root', 'PUT clients/relay', { client });
    vi.setSystemTime(NOON + 1.5 * DAY);
    const expected = [
      { kind: 'token', id: 'past', ...ends(1) },
      { kind: 'client', id: 'relay', ...ends(20) },
      { kind: 'token', id: 'soon', ...ends(29) },
      { kind: 'token', id: 'later', ...ends(31) },
    ];
    expect((await send('root', 'GET status')).answer.expiring).toEqual(expected);
    for (const after of [0, 1, DAY]) {
      vi.setSystemTime(NOON + 1.5 * DAY + after);
      await coordinator().sweep(ADMIN);
    }
    const warned = logged.filter(({ event }) => event === 'keyExpires');
    expect(warned).toEqual([...expected, ...expected].map((key) => ({ event: 'keyExpires', ...key })));
    vi.setSystemTime(NOON + 33 * DAY);
    const { expiring } = (await send('root', 'GET status')).answer as { expiring: { id: string }[] };
    expect(expiring.map(({ id }) => id)).toEqual(['relay', 'soon', 'later']);
  });
});
