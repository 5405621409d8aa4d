/** Certificates of PASSporTs: fetched only from allowed hosts, verified, kept while servers fail, and renewed in time. */
import { runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { PassportCertificate, PassportCertificateInfo } from '../../../shared/admin/passport.ts';
import { digestOf } from '../../../shared/credentials/keys.ts';
import {
  PASSPORT_CHAIN_CHARS_MAX,
  PASSPORT_FETCH_MS,
  PASSPORT_FETCHES_AT_ONCE,
  PASSPORT_RENEW_MS,
  PASSPORT_RETRY_MS,
  PASSPORT_ROOTS_MAX,
} from '../../../shared/limits/passport.ts';
import { PassportChanges } from '../../../workers/credentials/passport-changes.ts';
import { PassportFetches } from '../../../workers/credentials/passport-fetches.ts';
import { Tables } from '../../../workers/credentials/tables.ts';
import type { ControlEnv } from '../../../workers/env.ts';
import type { Precondition } from '../../../workers/storage/precondition.ts';
import type { StoreRequest } from '../../../workers/storage/store-request.ts';
import vectors from '../../vectors/passport.json' with { type: 'json' };

const HOST = 'certs.example.kr';
const URL_OF_KT = `https://${HOST}/kt01.pem`;
const ROOT = { id: 'kr', certificate: vectors['root.pem'], hosts: [HOST] };
const KT = { id: 'kt', url: URL_OF_KT, numbers: [], state: 'active' } satisfies PassportCertificate;
const CHAIN = vectors['signer.pem'] + vectors['middle.pem'];
const PROVIDER = vectors['provider.pem'] + vectors['middle.pem'];
const START = Date.UTC(2026, 9, 1);
const EXPIRES = Date.UTC(2026, 10, 1);

let now: number;
let warned: string[];
/** The response of the server of each URL. */
let served: Record<string, () => Response | Promise<Response>>;
let fetched: string[];

beforeEach(() => {
  now = START;
  vi.useFakeTimers({ toFake: ['Date'] });
  fetched = [];
  warned = [];
  served = { [URL_OF_KT]: () => new Response(CHAIN) };
  vi.spyOn(console, 'warn').mockImplementation((line: string) => void warned.push(line));
  vi.spyOn(globalThis, 'fetch').mockImplementation(async (input) => {
    fetched.push(String(input));
    const respond = served[String(input)];
    if (respond === undefined) throw new TypeError('unreachable');
    return respond();
  });
});

const { CREDENTIALS } = env as unknown as ControlEnv;

interface Parts {
  readonly changes: PassportChanges;
  readonly fetches: PassportFetches;
  readonly tables: Tables;
}

/** Uses the parts of one store. Each call behaves like a restart. */
function inStore<Value>(use: (parts: Parts) => Value | Promise<Value>, isCloudflare = true): Promise<Value> {
  const stub = CREDENTIALS.getByName('main') as unknown as DurableObjectStub;
  return runInDurableObject(stub, (_instance, { storage }) => {
    vi.setSystemTime(now);
    const tables = new Tables(storage);
    const changes = new PassportChanges(tables, isCloudflare);
    return use({ tables, changes, fetches: new PassportFetches(storage, tables, isCloudflare) });
  });
}

const REQUEST: StoreRequest = {
  actor: { name: 'park', scopes: [], root: false, organisation: null, authority: null },
  reason: 'agreed',
  repeat: null,
};
const ANY: Precondition = { match: null, absent: false };

const put = (certificate: PassportCertificate, isCloudflare?: boolean) =>
  inStore(({ changes }) => changes.putCertificate(REQUEST, certificate, ANY), isCloudflare);
const putRoot = (root = ROOT) => inStore(({ changes }) => changes.putRoot(REQUEST, root, ANY));
const remove = () => inStore(({ changes }) => changes.removeCertificate(REQUEST, 'kt', ANY));
const run = () => inStore(({ fetches }) => fetches.run(now));
const dueAt = () => inStore(({ fetches }) => fetches.dueAt(now));
const published = () => inStore(({ tables }) => tables.passport.published(now));
const info = () => inStore(({ changes }) => changes.certificate('kt')!);

/** Adds the root, and a certificate that is then fetched. */
async function fetchedKt(certificate: PassportCertificate = KT): Promise<PassportCertificateInfo> {
  await putRoot();
  expect(await put(certificate)).toMatchObject({ ok: true });
  await run();
  return info();
}

test('a certificate is fetched, verified and published with its numbers', async () => {
  await putRoot();
  await put(KT);
  expect(await info()).toMatchObject({ status: 'waiting', notAfter: null });
  expect(await published()).toEqual([]);
  expect(await dueAt()).toBe(now);
  await run();
  expect(await info()).toMatchObject({
    ...{ status: 'valid', problem: null, providers: ['KT01'], notAfter: '2046-01-01T00:00:00.000Z' },
    authorized: ['+8215881234', '+82221230000..+82221230099'],
    nextFetchAt: new Date(now + PASSPORT_FETCH_MS).toISOString(),
  });
  expect(await published()).toMatchObject([
    { x5u: await digestOf(URL_OF_KT), notAfter: Date.UTC(2046, 0, 1) / 1000, key: { alg: 'ES256' } },
  ]);
  await run();
  expect(fetched).toEqual([URL_OF_KT]);
});

test('a service provider code stands for the numbers of the configuration, and for none without them', async () => {
  served[URL_OF_KT] = () => new Response(PROVIDER);
  expect(await fetchedKt()).toMatchObject({
    status: 'failed',
    problem: expect.stringContaining('"numbers"'),
  });
  expect(await published()).toEqual([]);
  const numbers = ['+821000000000..+821099999999', '+827012345678'];
  await put({ ...KT, numbers });
  await run();
  expect(await info()).toMatchObject({ status: 'valid', authorized: numbers });
});

describe('a certificate is refused', () => {
  test.each<[string, Partial<PassportCertificate>, string]>([
    ['from a host of no root', { url: 'https://evil.example/kt01.pem' }, 'PASSPORT_HOST_UNKNOWN'],
    ['from another port of the host', { url: `https://${HOST}:8443/kt01.pem` }, 'PASSPORT_HOST_UNKNOWN'],
    ['without encryption', { url: `http://${HOST}/kt01.pem` }, 'PASSPORT_HOST_UNKNOWN'],
    ['with the URL of another one', { id: 'other' }, 'PASSPORT_URL_TAKEN'],
  ])('%s', async (_what, change, code) => {
    await putRoot();
    await put(KT);
    expect(await put({ ...KT, ...change })).toMatchObject({ ok: false, code });
    expect(await inStore(({ changes }) => changes.certificates)).toHaveLength(1);
  });

  test('from this machine on Cloudflare, and accepted elsewhere', async () => {
    const url = 'http://127.0.0.1:8080/kt01.pem';
    await putRoot({ ...ROOT, hosts: ['127.0.0.1:8080'] });
    expect(await put({ ...KT, url })).toMatchObject({ code: 'PASSPORT_HOST_UNKNOWN' });
    expect(await put({ ...KT, url }, false)).toMatchObject({ ok: true });
  });
});

test.each<[string, object, string]>([
  ['that may not sign certificates', { certificate: vectors['signer.pem'] }, 'PASSPORT_ROOT_INVALID'],
  ['that has expired', { certificate: vectors['old.pem'] }, 'PASSPORT_ROOT_INVALID'],
])('a root is refused %s', async (_what, change, code) => {
  now = EXPIRES;
  expect(await putRoot({ ...ROOT, ...change })).toMatchObject({ ok: false, code });
});

test('there is a bound on roots', async () => {
  for (let n = 0; n < PASSPORT_ROOTS_MAX; n++) await putRoot({ ...ROOT, id: `root-${n}` });
  expect(await putRoot()).toMatchObject({ code: 'PASSPORT_TOO_MANY' });
  expect(await putRoot({ ...ROOT, id: 'root-0' })).toMatchObject({ ok: true });
});

describe('a fetch fails', () => {
  test.each<[string, () => Response | Promise<Response>, RegExp]>([
    ['with another status', () => new Response(CHAIN, { status: 404 }), /status 404/],
    ['with a redirect', () => new Response(null, { status: 302, headers: { location: '/' } }), /redirects/],
    ['with too many bytes', () => new Response('x'.repeat(PASSPORT_CHAIN_CHARS_MAX + 1)), /more than/],
    ['with something else', () => new Response('<html>'), /no certificate in PEM/],
    ['with a chain of another root', () => new Response(vectors['other.pem']), /configured root/],
    ['without a response', () => Promise.reject(new Error(HOST)), /cannot be reached/],
    ['too late', () => Promise.reject(new DOMException(HOST, 'TimeoutError')), /not answer in time/],
  ])('%s, and is tried again', async (_what, respond, problem) => {
    served[URL_OF_KT] = respond;
    expect(await fetchedKt()).toMatchObject({
      ...{ status: 'failed', problem: expect.stringMatching(problem) },
      nextFetchAt: new Date(now + PASSPORT_RETRY_MS).toISOString(),
    });
    now += PASSPORT_RETRY_MS;
    await run();
    expect(await info()).toMatchObject({ nextFetchAt: new Date(now + 2 * PASSPORT_RETRY_MS).toISOString() });
    served[URL_OF_KT] = () => new Response(CHAIN);
    now += 2 * PASSPORT_RETRY_MS;
    await run();
    expect(await info()).toMatchObject({ status: 'valid', problem: null });
    expect(warned.join('')).not.toContain(HOST);
  });

  test('and the chain before it serves until it ends', async () => {
    served[URL_OF_KT] = () => new Response(vectors['expired.pem'] + vectors['middle.pem']);
    await fetchedKt();
    now = EXPIRES - PASSPORT_RENEW_MS;
    served[URL_OF_KT] = () => new Response('<html>');
    await run();
    expect(await info()).toMatchObject({ status: 'valid', problem: expect.any(String) });
    expect(await published()).toHaveLength(1);
    now = EXPIRES;
    expect(await published()).toEqual([]);
    expect(await info()).toMatchObject({ status: 'failed' });
  });
});

test('a chain that ends soon is fetched in time, and its successor replaces it', async () => {
  served[URL_OF_KT] = () => new Response(vectors['expired.pem'] + vectors['middle.pem']);
  now = EXPIRES - PASSPORT_RENEW_MS - 1_000;
  await fetchedKt();
  expect(await dueAt()).toBe(now + PASSPORT_RETRY_MS);
  served[URL_OF_KT] = () => new Response(CHAIN);
  now += PASSPORT_RETRY_MS;
  await run();
  expect(await info()).toMatchObject({ notAfter: '2046-01-01T00:00:00.000Z' });
});

test('without its root, a certificate is no longer published, and with it again it is, without a fetch', async () => {
  await fetchedKt();
  await inStore(({ changes }) => changes.removeRoot(REQUEST, 'kr', ANY));
  expect(await dueAt()).toBe(now);
  await run();
  expect(await published()).toEqual([]);
  expect(await info()).toMatchObject({ status: 'failed' });
  // Its host is no longer contacted, either.
  now += PASSPORT_FETCH_MS;
  await run();
  expect(await info()).toMatchObject({ problem: 'no root is trusted for the host' });
  await putRoot();
  await run();
  expect(await published()).toHaveLength(1);
  expect(fetched).toHaveLength(1);
});

test('a suspended certificate is neither published nor fetched, and a removed one is gone', async () => {
  await fetchedKt();
  await put({ ...KT, state: 'suspended' });
  expect(await published()).toEqual([]);
  expect(await info()).toMatchObject({ status: 'suspended', nextFetchAt: null });
  expect(await dueAt()).toBeNull();
  await run();
  expect(fetched).toHaveLength(1);
  await put(KT);
  await run();
  expect(await published()).toHaveLength(1);
  await remove();
  expect(await published()).toEqual([]);
  expect(await remove()).toMatchObject({ code: 'PASSPORT_CERTIFICATE_UNKNOWN' });
});

test('what an admin changes during a fetch is not overwritten', async () => {
  await putRoot();
  await put(KT);
  await inStore(async ({ changes, fetches }) => {
    served[URL_OF_KT] = async () => {
      await changes.putCertificate(REQUEST, { ...KT, state: 'suspended' }, ANY);
      return new Response(CHAIN);
    };
    await fetches.run(now);
  });
  expect(await info()).toMatchObject({ status: 'suspended' });
});

test('a run fetches a bounded number at once', async () => {
  await putRoot();
  for (let n = 0; n <= PASSPORT_FETCHES_AT_ONCE; n++) {
    const url = `https://${HOST}/${n}.pem`;
    served[url] = () => new Response(CHAIN);
    await put({ ...KT, id: `kt-${n}`, url });
  }
  await run();
  expect(fetched).toHaveLength(PASSPORT_FETCHES_AT_ONCE);
  await run();
  expect(await published()).toHaveLength(PASSPORT_FETCHES_AT_ONCE + 1);
});
