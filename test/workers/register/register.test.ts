/**
 * The public register: lookups, signed documents that a stock JWT library verifies, the status list, caching, limits, and a
 * service that is not configured for the register.
 */
import { calculateJwkThumbprint, createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose';
import { describe, expect, test, vi } from 'vitest';
import { fromBase64Url } from '../../../shared/bytes.ts';
import { inflate } from '../../../shared/credentials/status-list.ts';
import {
  REGISTER_FRESH_SECONDS,
  REGISTER_KEPT_SECONDS,
  REGISTER_REQUESTS_MAX,
} from '../../../shared/limits/qualification.ts';
import {
  ACME,
  coldRegister,
  coordinator,
  DATA,
  get,
  json,
  KEY,
  NEXT,
  PUBLIC_URL,
  restart,
  START,
  verify,
} from '../support/public-documents.ts';

coldRegister();

/** The first five statuses of a list. */
async function statusesIn(lst: string): Promise<(string | null)[]> {
  const list = await inflate(fromBase64Url(lst)!, 2);
  return [0, 1, 2, 3, 4].map((index) => list!.at(index));
}

describe('a look-up', () => {
  test.each(['acme', 'ACME0001', encodeURIComponent('에이컴')])('by %s needs no key', async (name) => {
    const response = await get(`/v1/register/${name}`);
    expect(response.headers.get('cache-control')).toBe(`public, max-age=${REGISTER_FRESH_SECONDS}`);
    expect(await response.json()).toEqual({ matches: [ACME] });
  });

  test('by a name that two organisations have returns both, and has no token', async () => {
    const { matches } = await json('/v1/register/twin');
    expect(matches).toMatchObject([{ id: 'gamma' }, { id: 'delta' }]);
    expect(await json('/v1/register/twin/token')).toMatchObject({ code: 'FIELD_VALUE', field: 'name' });
  });

  test.each([
    ['/v1/register/nobody', 'QUALIFICATION_UNKNOWN'],
    ['/v1/register/%E0%A4%A', 'FIELD_VALUE'],
    [`/v1/register/${'a'.repeat(129)}`, 'FIELD_VALUE'],
    ['/v1/register/acme?all=true', 'FIELD_UNKNOWN'],
    ['/v1/register/gamma/token', 'QUALIFICATION_UNKNOWN'],
    ['/v1/register/delta/token', 'QUALIFICATION_UNKNOWN'],
    ['/v1/status-lists/other', 'NOT_FOUND'],
  ])('%s is refused: %s', async (path, code) => {
    expect(await json(path)).toMatchObject({ code });
  });
});

describe('a stock JWT library verifies', () => {
  test('a qualification token, with its place in the status list', async () => {
    const { payload, protectedHeader } = await verify('/v1/register/acme/token', 'qualification+jwt');
    expect(protectedHeader).toEqual({ alg: 'ES256', typ: 'qualification+jwt', kid: '2026-11' });
    const { exp, iat, ...claims } = payload;
    expect(claims).toEqual({
      ...{ iss: PUBLIC_URL, sub: 'acme', name: '에이컴', osc: 'ACME0001', state: 'certified' },
      ...{ inspectedAt: ACME.inspectedAt, nextInspectionBy: ACME.nextInspectionBy },
      status: { status_list: { idx: 0, uri: `${PUBLIC_URL}/v1/status-lists/qualifications` } },
    });
    expect([iat, exp]).toEqual([START / 1000, START / 1000 + 604_800]);
  });

  test('a token of a reduced rate, which ends with the qualification', async () => {
    const { payload } = await verify('/v1/register/beta/token', 'qualification+jwt');
    expect(payload).toMatchObject({ state: 'rateReduced', factor: 0.5, exp: Date.UTC(2026, 10, 27) / 1000 });
    await expect(
      verify('/v1/register/beta/token', 'qualification+jwt', Date.UTC(2026, 10, 27)),
    ).rejects.toThrow('exp');
  });

  test('the whole register', async () => {
    const { payload } = await verify('/v1/register', 'register+jwt');
    expect(payload.register).toHaveLength(4);
    expect((payload.register as object[])[0]).toEqual(ACME);
  });

  test('the status list, with the ends of now', async () => {
    const list = async () => {
      const { payload } = await verify('/v1/status-lists/qualifications', 'statuslist+jwt', Date.now());
      return payload as unknown as { sub: string; ttl: number; status_list: { bits: number; lst: string } };
    };
    const statuses = async () => statusesIn((await list()).status_list.lst);
    expect(await list()).toMatchObject({
      ...{ sub: `${PUBLIC_URL}/v1/status-lists/qualifications`, ttl: 60, status_list: { bits: 2 } },
    });
    expect(await statuses()).toEqual(['valid', 'revoked', 'rateReduced', 'suspended', 'revoked']);
    vi.setSystemTime(Date.UTC(2026, 10, 27));
    expect(await statuses()).toEqual(['valid', 'revoked', 'revoked', 'suspended', 'revoked']);
  });

  test('the status list of delegations, from the store of credentials', async () => {
    const { payload } = await verify('/v1/status-lists/delegations', 'statuslist+jwt');
    expect(payload.sub).toBe(`${PUBLIC_URL}/v1/status-lists/delegations`);
    expect(await statusesIn((payload.status_list as { lst: string }).lst)).toEqual([
      ...['revoked', 'valid', 'suspended', 'valid', null],
    ]);
  });

  test('what a key without a name signed: its thumbprint is its name', async () => {
    const { kid: _, ...unnamed } = KEY;
    const { keys } = await json('/.well-known/jwks.json', {
      bindings: { CREDENTIAL_KEY: JSON.stringify(unnamed) },
    });
    expect(keys).toMatchObject([{ kid: await calculateJwkThumbprint(unnamed) }]);
  });

  test('what either key signed while CREDENTIAL_KEY is rotated', async () => {
    const before = await (await get('/v1/register/acme/token')).text();
    restart();
    const bindings = { CREDENTIAL_KEY: JSON.stringify({ keys: [NEXT, KEY] }) };
    const keys = (await json('/.well-known/jwks.json', { bindings })) as unknown as JSONWebKeySet;
    expect(JSON.stringify(keys)).not.toContain('"d"');
    const after = await (await get('/v1/register/acme/token', { bindings })).text();
    const kids = [before, after].map(
      async (token) => (await jwtVerify(token, createLocalJWKSet(keys))).protectedHeader.kid,
    );
    expect(await Promise.all(kids)).toEqual(['2026-11', '2026-12']);
  });
});

describe('the coordinator', () => {
  test('is read once for all requests, and again once the copy is old', async () => {
    const paths = ['/v1/register/acme', '/v1/register', '/v1/status-lists/qualifications'];
    for (const path of [...paths, ...paths]) expect((await get(path)).status).toBe(200);
    expect(coordinator.reads).toBe(1);
    // Acts as another isolate of the data centre.
    restart();
    expect((await get('/v1/register/acme')).status).toBe(200);
    expect(coordinator.reads).toBe(1);
    vi.setSystemTime(START + (REGISTER_FRESH_SECONDS + 1) * 1000);
    coordinator.data = { ...DATA, organisations: [{ ...DATA.organisations[0]!, state: 'suspended' }] };
    expect(await json('/v1/register/acme')).toMatchObject({ matches: [{ state: 'suspended' }] });
    expect((await json('/v1/register/acme/token')).code).toBe('QUALIFICATION_UNKNOWN');
    expect(coordinator.reads).toBe(2);
  });

  test('that does not respond leaves the last copy, but not for ever', async () => {
    vi.spyOn(console, 'warn').mockReturnValue(undefined);
    expect((await get('/v1/register/acme')).status).toBe(200);
    coordinator.isDown = true;
    restart();
    vi.setSystemTime(START + 60_000);
    const stale = await verify('/v1/status-lists/qualifications', 'statuslist+jwt', START + 60_000);
    // The list does not claim to be newer than the data that was read.
    expect(stale.payload.iat).toBe(START / 1000);
    vi.setSystemTime(START + (REGISTER_KEPT_SECONDS + 1) * 1000);
    expect(await json('/v1/register/acme')).toMatchObject({ code: 'UNAVAILABLE' });
  });
});

test('a signed document has an ETag by what it says, and is not sent twice', async () => {
  const first = await get('/v1/register');
  const etag = first.headers.get('etag')!;
  restart();
  const again = await get('/v1/register', { headers: { 'if-none-match': `"other", ${etag}` } });
  expect([again.status, await again.text()]).toEqual([304, '']);
  coordinator.data = { ...DATA, organisations: [] };
  vi.setSystemTime(START + (REGISTER_FRESH_SECONDS + 1) * 1000);
  expect((await get('/v1/register', { headers: { 'if-none-match': etag } })).status).toBe(200);
});

describe('requests', () => {
  const headers = (last: number) => ({ 'cf-connecting-ip': `203.0.113.${last}` });

  test('are limited by address where Cloudflare vouches for it', async () => {
    const bindings = { PLATFORM: 'cloudflare' };
    const lookUp = (last: number) => get('/v1/register/acme', { bindings, headers: headers(last) });
    for (let sent = 0; sent < REGISTER_REQUESTS_MAX; sent++) expect((await lookUp(1)).status).toBe(200);
    const refused = await lookUp(1);
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '60']);
    expect((await lookUp(2)).status).toBe(200);
    vi.setSystemTime(START + 60_000);
    expect((await lookUp(1)).status).toBe(200);
  });

  test('are limited in total alone elsewhere, because anybody can send any address', async () => {
    const sent = { bindings: { PLATFORM: 'local' }, headers: headers(1) };
    const statuses = new Set<number>();
    for (let count = 0; count <= REGISTER_REQUESTS_MAX; count++)
      statuses.add((await get('/.well-known/jwks.json', sent)).status);
    expect([...statuses]).toEqual([200]);
  });
});

describe('without configuration', () => {
  test.each([
    ['CREDENTIAL_KEY', undefined, '/v1/register'],
    ['CREDENTIAL_KEY', 'no key', '/.well-known/jwks.json'],
    ['CREDENTIAL_KEY', JSON.stringify({ ...KEY, d: undefined }), '/v1/register'],
    ['CREDENTIAL_KEY', JSON.stringify({ keys: [KEY, KEY] }), '/v1/register'],
    ['PUBLIC_URL', undefined, '/v1/register/acme/token'],
    ['PUBLIC_URL', 'ftp://numgate.example', '/v1/status-lists/qualifications'],
  ])('%s %j: %s is NOT_CONFIGURED by name', async (name, value, path) => {
    const refused = await json(path, { bindings: { [name]: value } });
    expect(refused).toMatchObject({ status: 503, code: 'NOT_CONFIGURED' });
    expect(refused.message).toContain(name);
  });

  test('the look-up still works', async () => {
    const bindings = { CREDENTIAL_KEY: undefined, PUBLIC_URL: undefined };
    expect(await json('/v1/register/acme', { bindings })).toEqual({ matches: [ACME] });
  });
});
