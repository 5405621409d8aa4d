/** The client key. Any wrong key gets a 401 that reveals nothing, never a 500. */
import { env } from 'cloudflare:workers';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { sha256Hex } from '../../../shared/bytes.ts';
import type { Client } from '../../../shared/clients.ts';
import { AUTHORIZATION_CHARS_MAX, VERIFIED_KEYS_MAX } from '../../../shared/limits/requests.ts';
import { authenticate } from '../../../workers/http/client-authentication.ts';
import { CLIENTS, keyOf, publishClients } from '../support/clients.ts';
import { coldIsolate } from '../support/isolate.ts';
import { send, sendAndSettle } from '../support/send.ts';
import { build, LISTED, NEXT_POLL_MS, NOW, publish, publishHead, smallLists } from '../support/world.ts';

coldIsolate();

const built = await build(smallLists());
const body = { to: LISTED };
const withKey = (authorization: string) => send({ body, headers: { authorization } });

beforeEach(async () => {
  await publish(built);
  await publishClients();
});

describe('a client key', () => {
  test.each([
    ['as documented', `Bearer ${keyOf('open')}`],
    ['with the scheme in lower case', `bearer ${keyOf('open')}`],
    ['with the scheme in upper case', `BEARER ${keyOf('open')}`],
    ['with the first of two secrets', `Bearer ${keyOf('two')}`],
    ['with the second of two secrets', 'Bearer two.next-secret-of-two'],
  ])('%s is accepted', async (_, authorization) => {
    expect((await withKey(authorization)).status).toBe(200);
  });

  test.each([
    ['of an unknown client', 'Bearer nobody.secret-of-nobody'],
    ['with a wrong secret', 'Bearer open.secret-of-two'],
    ["with another client's secret", 'Bearer two.secret-of-open'],
    ['with an empty secret', 'Bearer open.'],
    ['with a part of the secret', 'Bearer open.secret-of-ope'],
    ['with more than the secret', 'Bearer open.secret-of-open1'],
    ['with the digest for a secret', `Bearer open.${'0'.repeat(64)}`],
    ['of an unknown client, with its placeholder digest', `Bearer nobody.${'0'.repeat(64)}`],
    ['without an id', 'Bearer .secret-of-open'],
    ['without a dot', 'Bearer opensecret'],
    ['with a property of every object for an id', 'Bearer constructor.secret-of-open'],
    ['with __proto__ for an id', 'Bearer __proto__.secret-of-open'],
    ['with two spaces', `Bearer  ${keyOf('open')}`],
    ['with a tab', `Bearer\t${keyOf('open')}`],
    ['with another scheme', `Basic ${btoa('open:secret-of-open')}`],
    ['without a scheme', keyOf('open')],
    ['sent twice', `Bearer ${keyOf('open')}, Bearer ${keyOf('open')}`],
    ['of 10 kB', `Bearer open.${'a'.repeat(10_240)}`],
    ['of 10 kB, of an unknown client', `Bearer ${'a'.repeat(10_240)}`],
    ['with 10 kB behind it', `Bearer ${keyOf('open')}${' '.repeat(10_240)}x`],
    ['with characters outside ASCII', 'Bearer öpen.sécret'],
    ['with no byte below 128', '\u00ff\u00fe\u0080'],
    ['that is empty', ''],
  ])('%s is refused with 401', async (_, authorization) => {
    const { status, headers, body } = await withKey(authorization);
    expect([status, body.code]).toEqual([401, 'UNAUTHENTICATED']);
    expect(headers.get('www-authenticate')).toBe('Bearer realm="numgate"');
  });

  test('is refused in the same words for a wrong id and a wrong secret', async () => {
    const unknown = await withKey('Bearer nobody.secret-of-open');
    const wrong = await withKey('Bearer open.secret-of-nobody');
    expect(unknown.body).toEqual(wrong.body);
  });

  test('without the right is refused with 403', async () => {
    const { status, body } = await send({ body: { to: LISTED }, client: 'nothing' });
    expect([status, body.code]).toEqual([403, 'PERMISSION_DENIED']);
  });
});

describe('a secret', () => {
  test.each([
    ['known', 'open.secret-of-open', 1],
    ['wrong', 'open.wrong', 1],
    ['of an unknown client', 'nobody.wrong', 1],
    ['of two, the first', 'two.secret-of-two', 2],
    ['of two, the second', 'two.next-secret-of-two', 2],
  ])('%s is compared in constant time, with equal lengths', async (_, key, comparisons) => {
    const compare = vi.spyOn(crypto.subtle, 'timingSafeEqual');
    await withKey(`Bearer ${key}`);
    const lengths = compare.mock.calls.map(([a, b]) => [a.byteLength, b.byteLength]);
    expect(lengths).toEqual(Array(comparisons).fill([64, 64]));
  });
});

describe('a verified key', () => {
  /** The number of comparisons that one request with this key causes. */
  const comparisons = async (authorization: string): Promise<number> => {
    const compare = vi.spyOn(crypto.subtle, 'timingSafeEqual');
    await withKey(authorization);
    const count = compare.mock.calls.length;
    compare.mockRestore();
    return count;
  };

  test('is remembered as it was written; a wrong key is not', async () => {
    const costs: number[] = [];
    for (const key of [keyOf('open'), keyOf('open'), 'open.wrong', 'open.wrong', keyOf('closed')])
      costs.push(await comparisons(`Bearer ${key}`));
    expect(costs).toEqual([1, 0, 1, 1, 1]);
    expect(await comparisons(`bearer ${keyOf('open')}`)).toBe(1);
  });

  test('may be as long as the limit and no longer, and its beginning is no key', async () => {
    const secret = 'a'.repeat(AUTHORIZATION_CHARS_MAX - 'Bearer long.'.length);
    await publishClients([{ ...CLIENTS[0], id: 'long', secretSha256: [await sha256Hex(secret)] }]);
    for (const [behind, status, again] of [
      ['', 200, 0],
      ['x', 401, 1],
    ] as const) {
      expect((await withKey(`Bearer long.${secret}${behind}`)).status).toBe(status);
      expect(await comparisons(`Bearer long.${secret}${behind}`)).toBe(again);
    }
  });

  test('has the rights of the client, whichever route it was used for first', async () => {
    const statuses: number[] = [];
    for (const path of ['/v1/gateway/check', '/v1/check', '/v1/gateway/check'])
      statuses.push((await send({ path, body })).status);
    expect(statuses).toEqual([403, 200, 403]);
  });

  test('is forgotten with all others when there are too many, and stays valid', async () => {
    const clients = new Map<string, Client>();
    for (let index = 0; index <= VERIFIED_KEYS_MAX; index++)
      clients.set(`c${index}`, { ...(CLIENTS[0] as Client), id: `c${index}` });
    const ofClient = (id: string): ReturnType<typeof authenticate> => {
      const headers = { authorization: `Bearer ${id}.secret-of-open` };
      return authenticate(new Request('https://numgate.test', { headers }), clients, 'check', env);
    };
    for (const [id, value] of clients) expect(await ofClient(id)).toEqual({ ok: true, value });
    const compare = vi.spyOn(crypto.subtle, 'timingSafeEqual');
    await ofClient(`c${VERIFIED_KEYS_MAX}`);
    expect(compare).not.toHaveBeenCalled();
    expect(await ofClient('c0')).toEqual({ ok: true, value: clients.get('c0') });
    expect(compare).toHaveBeenCalledOnce();
  });
});

describe('a directory that changes', () => {
  const [open, ...others] = CLIENTS;
  const later = async (clients: readonly object[]): Promise<number> => {
    vi.spyOn(console, 'warn').mockReturnValue(undefined);
    vi.useFakeTimers({ toFake: ['Date'], now: NOW });
    for (let before = 0; before < 2; before++) expect((await sendAndSettle({ body })).status).toBe(200);
    await publishClients(clients);
    await publishHead(built.manifest, 2);
    vi.setSystemTime(NOW + NEXT_POLL_MS);
    await sendAndSettle({ body });
    return (await sendAndSettle({ body })).status;
  };

  test.each([
    ['without the client', others],
    ['with another secret', [{ ...open, secretSha256: ['0'.repeat(64)] }, ...others]],
  ])('%s ends a verified key', async (_, clients) => {
    expect(await later(clients)).toBe(401);
  });

  test('without the right ends what the key may do', async () => {
    expect(await later([{ ...open, rights: [] }, ...others])).toBe(403);
  });

  test('with more clients keeps the key valid', async () => {
    expect(await later([...CLIENTS, { ...open, id: 'more' }])).toBe(200);
  });
});
