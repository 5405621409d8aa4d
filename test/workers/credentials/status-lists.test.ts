/** Status lists: which are accepted, how they are pulled, and that none is lost between its acceptance and the head. */
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { beforeEach, expect, test, vi } from 'vitest';
import { toBase64Url } from '../../../shared/bytes.ts';
import { STATUS_LIST_TYPE } from '../../../shared/credentials/claims.ts';
import { deflate, packStatuses, StatusList } from '../../../shared/credentials/status-list.ts';
import { CREDENTIALS_RESTORED_GAP, STATUS_PULL_BYTES_MAX } from '../../../shared/limits/credential-store.ts';
import * as limits from '../../../shared/limits/credentials.ts';
import { deriveListKeys } from '../../../shared/set/keys.ts';
import { CredentialStore } from '../../../workers/credentials/credential-store.ts';
import { changedEntries } from '../../../workers/credentials/status-list-changes.ts';
import { pullStatusList } from '../../../workers/credentials/status-pull.ts';
import type { ControlEnv } from '../../../workers/env.ts';
import { newSigner, sign } from '../../shared/support/credential-world.ts';
import { HANG_MS } from '../../shared/support/hang.ts';
import { OTHER_LIST_KEY } from '../../shared/support/other-keys.ts';
import { asAdmin, unwrap } from '../support/coordinator.ts';
import {
  asToken,
  credentials,
  credentialsStub,
  credentialWorld,
  HOST,
  issuerOf,
  LIST_URI,
  nowS,
  readCredentials,
  statusList,
  upload,
  uploaded,
} from '../support/credential-store.ts';
import { accepted, facts } from '../support/registrations.ts';
import { ANY } from '../support/room.ts';
import { A, B, restarted } from '../support/rotating.ts';

let warned: { event: string; code?: string }[];
beforeEach(() => {
  warned = [];
  vi.spyOn(console, 'warn').mockImplementation((line: string) => void warned.push(JSON.parse(line)));
});

const push = async (text: string) => {
  const done = await credentials().pushStatusList(asToken(), text);
  return done.ok ? 'ok' : done.code;
};

test('a list never goes back, and only its issuer signs it', async () => {
  const { issuer } = await credentialWorld();
  const now = nowS();
  const list = await statusList(issuer, { 1: 'revoked' }, { iat: now, exp: now + 600 });
  expect(await push(list)).toBe('ok');
  expect(await push(list)).toBe('ok');
  // A list that is signed again counts as the same list.
  expect(await push(await statusList(issuer, { 1: 'revoked' }, { iat: now, exp: now + 600 }))).toBe('ok');
  const stranger = await newSigner();
  const bomb = await deflate(new StatusList(2, new Uint8Array(limits.STATUS_ENTRIES_MAX / 4 + 1)));
  const claims = { sub: LIST_URI, iat: now + 1, exp: now + 600 };
  for (const [text, code] of [
    [await statusList(issuer, {}, { iat: now - 1, exp: now + 600 }), 'STATUS_LIST_OLD'],
    [await statusList(issuer, {}, { iat: now, exp: now + 600 }), 'STATUS_LIST_OLD'],
    [await statusList(issuer, { 1: 'revoked' }, { iat: now, exp: now + 601 }), 'STATUS_LIST_OLD'],
    [await statusList(stranger, {}, { iat: now + 1 }), 'STATUS_LIST_INVALID'],
    [
      await statusList(issuer, {}, { iat: now + 1, sub: 'https://elsewhere.example/1' }),
      'STATUS_LIST_INVALID',
    ],
    [await statusList(issuer, {}, { iat: now - 10, exp: now - 1 }), 'STATUS_LIST_EXPIRED'],
    ['no.list.at-all', 'STATUS_LIST_INVALID'],
    [
      await sign(
        issuer,
        STATUS_LIST_TYPE,
        { ...claims, status_list: { bits: 2, lst: toBase64Url(bomb) } },
        { kid: 'k1' },
      ),
      'STATUS_LIST_TOO_LARGE',
    ],
  ] as const)
    expect([code, await push(text)]).toEqual([code, code]);
  expect(await credentials().statusLists()).toMatchObject([
    { uri: LIST_URI, issuer: 'carrier', entries: 1_000 },
  ]);
  accepted(await credentials().putIssuer(asToken(), issuerOf(issuer, { state: 'suspended' }), ANY));
  expect(await push(await statusList(issuer, {}, { iat: now + 2 }))).toBe('STATUS_LIST_INVALID');
});

test('all lists together, and those of one issuer, stay within the bytes that an isolate holds', async () => {
  const { issuer } = await credentialWorld();
  const list = await statusList(
    issuer,
    {},
    { sub: `https://${HOST}/lists/2`, iat: nowS() + 1 },
    limits.STATUS_ENTRIES_MAX,
  );
  const fill = (bytes: number, of: string) =>
    runInDurableObject(credentialsStub(), (_, { storage }) => {
      storage.sql.exec(
        'UPDATE status_lists SET size = ? * 4, issuer = ? WHERE uri = ?',
        ...[bytes, of, LIST_URI],
      );
    });
  for (const [max, of] of [
    [limits.ISSUER_STATUS_LISTS_BYTES_MAX, 'carrier'],
    [limits.STATUS_LISTS_BYTES_MAX, 'other'],
  ] as const) {
    await fill(max - limits.STATUS_ENTRIES_MAX / 4 + 1, of);
    expect(await push(list)).toBe('STATUS_LISTS_TOO_MANY');
  }
  await fill(limits.STATUS_LISTS_BYTES_MAX - limits.STATUS_ENTRIES_MAX / 4, 'other');
  expect(await push(list)).toBe('ok');
});

test('no issuer takes the places of all lists', async () => {
  const { issuer } = await credentialWorld();
  const others = Array.from({ length: limits.ISSUER_STATUS_LISTS_MAX - 1 }, (_, each) => each);
  await runInDurableObject(credentialsStub(), (_, { storage }) => {
    storage.sql.exec(
      `INSERT INTO status_lists SELECT uri || '/' || value, issuer, iat, exp, ttl, bits, size, deflated, pull_at,
       failures, problem FROM status_lists, json_each(?)`,
      JSON.stringify(others),
    );
  });
  expect(await push(await statusList(issuer, {}, { sub: `${LIST_URI}/new` }))).toBe('STATUS_LISTS_TOO_MANY');
  expect(await push(await statusList(issuer, { 1: 'revoked' }))).toBe('ok');
});

test('an accepted list reaches the head if the object ends before, and no one sends it again', async () => {
  const world = await credentialWorld();
  const { digest } = await uploaded(world, 1);
  await vi.waitFor(
    async () => expect(await (await readCredentials()).statusOf(digest)).toBe('valid'),
    HANG_MS,
  );
  const silent = vi.spyOn(env.COORDINATOR, 'getByName').mockImplementation(() => {
    throw new Error('Network connection lost.');
  });
  expect(await push(await statusList(world.issuer, { 1: 'revoked' }))).toBe('UNAVAILABLE');
  await evictDurableObject(credentialsStub());
  silent.mockRestore();
  await vi.waitFor(async () => {
    await runDurableObjectAlarm(credentialsStub());
    expect(await (await readCredentials()).statusOf(digest)).toBe('revoked');
  }, HANG_MS);
});

/** Replaces the network: answers for the host of the lists. */
function serve(answer: (url: string) => Response): { readonly pulls: string[] } {
  const pulls: string[] = [];
  vi.spyOn(globalThis, 'fetch').mockImplementation(async (input) => {
    pulls.push(String(input));
    return answer(String(input));
  });
  return { pulls };
}

test('the alarm pulls a list when it is due, and shows why it could not', async () => {
  const world = await credentialWorld();
  const { digest } = await uploaded(world, 1);
  const due = () =>
    runInDurableObject(credentialsStub(), async (instance, { storage }) => {
      storage.sql.exec('UPDATE status_lists SET pull_at = 0');
      await (instance as CredentialStore).alarm();
    });
  const newer = await statusList(world.issuer, { 1: 'revoked' }, { iat: nowS() + 1, ttl: 1 });
  const { pulls } = serve(() => new Response(`${newer}\n`));
  const before = Date.now();
  await due();
  expect(pulls).toEqual([LIST_URI]);
  await vi.waitFor(
    async () => expect(await (await readCredentials()).statusOf(digest)).toBe('revoked'),
    HANG_MS,
  );
  const [list] = await credentials().statusLists();
  expect(list).toMatchObject({ problem: null, certificates: 1 });
  // Not earlier than the shortest interval, whatever the list states.
  expect(Date.parse(list!.pullAt)).toBeGreaterThanOrEqual(before + 15_000);
  for (const [answer, problem] of [
    [() => new Response('', { status: 404 }), 'HTTP_404'],
    [() => new Response('', { status: 302, headers: { location: 'https://evil.example/' } }), 'REDIRECTED'],
    [() => new Response('x'.repeat(STATUS_PULL_BYTES_MAX + 1)), 'TOO_LARGE'],
    [() => new Response('no list'), 'STATUS_LIST_INVALID'],
    [
      () => {
        throw new Error('refused');
      },
      'UNREACHABLE',
    ],
  ] as const) {
    vi.restoreAllMocks();
    vi.spyOn(console, 'warn').mockImplementation((line: string) => void warned.push(JSON.parse(line)));
    serve(answer);
    await due();
    expect((await credentials().statusLists())[0]).toMatchObject({ problem });
    expect(warned.at(-1)).toMatchObject({ event: 'statusListNotPulled', code: problem });
  }
});

test('a new list is pulled with the first certificate that names it', async () => {
  const world = await credentialWorld();
  const uri = `https://${HOST}/lists/2`;
  const some = { status: { status_list: { idx: 3, uri } } };
  const body = await upload(world.issuer, world.holder, 3, some);
  serve(() => new Response('', { status: 503 }));
  expect(await credentials().addCertificate(asToken('acme'), facts(), body)).toMatchObject({
    code: 'STATUS_LIST_UNAVAILABLE',
  });
  vi.restoreAllMocks();
  vi.spyOn(console, 'warn').mockReturnValue(undefined);
  const text = await statusList(world.issuer, {}, { sub: uri });
  const { pulls } = serve(() => new Response(text));
  accepted(await credentials().addCertificate(asToken('acme'), facts(), body));
  expect(pulls).toEqual([uri]);
});

test('only https is read, and http on this machine unless it is deployed', async () => {
  const { pulls } = serve(() => new Response('list'));
  const read = async (uri: string, isDeployed: boolean) => {
    const done = await pullStatusList(uri, isDeployed);
    return done.ok ? done.value : done.code;
  };
  expect(await read('http://127.0.0.1:1/list', false)).toBe('list');
  for (const [uri, isDeployed] of [
    ['http://127.0.0.1:1/list', true],
    ['http://carrier.example/list', false],
    ['https://user:word@carrier.example/list', true],
    ['ftp://carrier.example/list', false],
  ] as const)
    expect(await read(uri, isDeployed)).toBe('URL_REFUSED');
  expect(pulls).toEqual(['http://127.0.0.1:1/list']);
});

test('a rotation of LIST_KEY seals all values again', async () => {
  const other = await deriveListKeys(OTHER_LIST_KEY);
  const world = await credentialWorld();
  const { digest } = await uploaded(world, 1);
  await vi.waitFor(async () => expect((await readCredentials()).rows).toHaveLength(1), HANG_MS);
  const before = (await readCredentials()).index;
  const inBoth = `${B},${A}`;
  await restarted(inBoth, async (each) => {
    const options = { keyId: other.keyId, dropUnknownSources: false, reason: 'yearly' };
    unwrap(await each.rotateListKey(asAdmin(), options));
  });
  const COORDINATOR = {
    getByName: () => ({
      credentials: () => restarted(inBoth, (each) => each.credentials()),
      putCredentials: (update: never) => restarted(inBoth, (each) => each.putCredentials(update)),
    }),
  };
  await runInDurableObject(credentialsStub(), async (_, state) => {
    const fresh = new CredentialStore(state, {
      ...env,
      LIST_KEY: inBoth,
      COORDINATOR,
    } as unknown as ControlEnv);
    await fresh.refresh();
  });
  await restarted(inBoth, async (each) => {
    expect((await each.status()).listKeys?.credentials).toEqual([other.keyId]);
  });
  const { index, rows } = await restarted(inBoth, async (each) =>
    readCredentials(other, (await each.head({ seq: 0, dataCentre: 'TST' })).sealed),
  );
  expect(rows.map((row) => row.digest)).toEqual([digest]);
  expect(index.shards).not.toEqual(before.shards);
});

test('a store that was set back continues above the version of the head', async () => {
  const world = await credentialWorld();
  const { digest } = await uploaded(world, 1);
  await vi.waitFor(async () => expect((await readCredentials()).rows).toHaveLength(1), HANG_MS);
  const { version } = (await readCredentials()).index;
  await runInDurableObject(credentialsStub(), (_, { storage }) => {
    storage.sql.exec("UPDATE meta SET value = '1' WHERE key IN ('version', 'publishedVersion')");
  });
  await evictDurableObject(credentialsStub());
  await credentials().refresh();
  const { index, rows } = await readCredentials();
  expect(index.version).toBe(version + CREDENTIALS_RESTORED_GAP);
  expect(rows.map((row) => row.digest)).toEqual([digest]);
  expect(warned.map(({ event }) => event)).toContain('credentialsRestored');
});

test('the entries that differ between two lists, whatever their sizes', () => {
  const list = (statuses: Record<number, 'revoked' | 'suspended'>, size: number) =>
    packStatuses(new Map(Object.entries(statuses).map(([index, each]) => [Number(index), each])), size);
  expect(changedEntries(list({ 1: 'revoked' }, 8), list({ 1: 'suspended', 6: 'revoked' }, 8), 9)).toEqual([
    1, 6,
  ]);
  expect(changedEntries(list({}, 8), list({}, 4), 9)).toEqual([4, 5, 6, 7]);
  expect(changedEntries(list({}, 8), list({ 1: 'revoked', 2: 'revoked' }, 8), 1)).toBeNull();
  expect(changedEntries(list({}, 8), new StatusList(1, new Uint8Array(1)), 9)).toBeNull();
});
