/**
 * The coordinator's data in KV and on disk: the copy of the head, unnamed values, lost tables, and clients.
 */
import { evictDurableObject, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { describe, expect, test, vi } from 'vitest';
import { openDirectory } from '../../../shared/clients.ts';
import { VALUES_KEPT_MS } from '../../../shared/limits/control.ts';
import { fingerprintText } from '../../../shared/live/entry.ts';
import { type Head, sealHead } from '../../../shared/release/head.ts';
import { HEAD_KEY, releaseKey } from '../../../shared/release/kv-keys.ts';
import { deriveListKeys, LIST_KEY_BYTES } from '../../../shared/set/keys.ts';
import { HANG_MS } from '../../shared/support/hang.ts';
import { sourceKey } from '../../shared/support/sources.ts';
import { testKeys } from '../../shared/support/test-keys.ts';
import {
  ALL_GUARDS,
  asAdmin,
  build,
  client,
  codeOf,
  coordinator,
  copied,
  kvHead,
  readHead,
  stage,
  startFailure,
  stub,
  unwrap,
  WRANGLER,
} from '../support/coordinator.ts';
import { publishValues, smallLists } from '../support/world.ts';

const BLOCK = {
  op: 'block' as const,
  items: [{ number: '+821012345678' }],
  code: 'SENDER_REPORTED' as const,
  subjects: ['to' as const],
  until: null,
  reason: 'test',
};

const SOURCE = {
  ...BLOCK,
  items: [{ source: 'PARCEL-KR' }],
  subjects: ['from' as const],
};
const EMPTY_HEAD: Head = {
  kind: 'numgate-head',
  format: 2,
  seq: 5_000,
  changedAt: '2026-11-24T03:12:09.000Z',
  current: null,
  candidate: null,
  droppedSeq: 0,
  segments: [],
  tail: '',
  clients: null,
};
const ANY = { match: null, absent: false };

async function promoted(numbers: readonly string[], base: string | null, minute: number): Promise<string> {
  const release = await stage({ lists: smallLists(numbers), base, minute });
  unwrap(
    await coordinator().promote(asAdmin(), release, {
      base,
      share: 1,
      overrides: ALL_GUARDS,
      reason: 'test',
    }),
  );
  return release;
}

test('the copy of the head in KV follows with the manifests, and not every change is a write', async () => {
  const put = vi.spyOn(env.LISTS, 'put');
  const release = await promoted(['+821012345678'], null, 0);
  for (let index = 0; index < 30; index++) unwrap(await coordinator().changeEntries(asAdmin(), BLOCK));
  await copied();
  const document = (await kvHead())!;
  expect([document.head.seq, document.manifests.length]).toEqual([31, 1]);
  expect(document.head.current?.release).toBe(release);
  const writes = put.mock.calls.filter(([key]) => key === HEAD_KEY).length;
  expect(writes).toBeGreaterThan(0);
  expect(writes).toBeLessThan(10);
});

test('the copy of the head in KV contains its time, and is written again when nothing changes', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.UTC(2040, 0, 1) });
  unwrap(await coordinator().changeEntries(asAdmin(), BLOCK));
  const writtenAt = (time: string): Promise<void> =>
    vi.waitFor(async () => expect((await kvHead())?.writtenAt).toBe(time), HANG_MS);
  await writtenAt('2040-01-01T00:00:00.000Z');
  await env.LISTS.delete(HEAD_KEY);
  for (const [second, time] of [
    [30, undefined],
    [60, '2040-01-01T00:01:00.000Z'],
    [90, '2040-01-01T00:01:00.000Z'],
    [120, '2040-01-01T00:02:00.000Z'],
  ] as const) {
    vi.setSystemTime(Date.UTC(2040, 0, 1, 0, 0, second));
    await coordinator().sweep(WRANGLER);
    expect((await kvHead())?.writtenAt).toBe(time);
  }
  expect((await coordinator().status()).seq).toBe(1);
});

test('KV contains no number in the clear', async () => {
  await promoted(['+821012345678'], null, 0);
  unwrap(await coordinator().changeEntries(asAdmin(), BLOCK));
  await copied();
  for (const { name } of (await env.LISTS.list()).keys) {
    const text = new TextDecoder('latin1').decode((await env.LISTS.get(name, 'arrayBuffer'))!);
    expect(text).not.toMatch(/8?2?1012345678/);
  }
});

describe('a coordinator that has lost', () => {
  const lose = async (...statements: string[]): Promise<void> => {
    await runInDurableObject(stub(), (_, { storage }) => {
      for (const statement of statements) storage.sql.exec(statement);
    });
    await evictDurableObject(stub());
  };
  const inKv = (seq: number): Promise<void> =>
    vi.waitFor(async () => expect((await kvHead())?.head.seq).toBe(seq), HANG_MS);

  test('its last changes never gives readers an older head', async () => {
    await promoted(['+821012345678'], null, 0);
    for (let index = 0; index < 5; index++) unwrap(await coordinator().changeEntries(asAdmin(), BLOCK));
    await inKv(6);
    await lose("UPDATE meta SET value = '3' WHERE key = 'seq'");
    const { seq } = unwrap(await coordinator().changeEntries(asAdmin(), BLOCK));
    expect(seq).toBeGreaterThan(6);
    expect((await coordinator().audit(0, 100)).map(({ action }) => action)).toContain('coordinator.restore');
  });

  test('everything restores releases, live entries and clients from KV', async () => {
    vi.spyOn(console, 'warn').mockReturnValue(undefined);
    const release = await promoted(['+821012345678'], null, 0);
    unwrap(await coordinator().putClient(asAdmin(), 'a', client('a'), ANY));
    unwrap(await coordinator().changeEntries(asAdmin(), BLOCK));
    const until = new Date(Date.now() + 3_600_000).toISOString();
    unwrap(await coordinator().changeEntries(asAdmin(), { ...BLOCK, op: 'unblock', until }));
    unwrap(await coordinator().changeEntries(asAdmin(), SOURCE));
    await inKv(5);
    const fingerprint = fingerprintText(sourceKey('PARCEL-KR', testKeys.sourceSeed));
    expect((await coordinator().entries('', null, 10)).entries.at(-1)).toMatchObject({
      ...{ source: 'PARCEL-KR', fingerprint },
    });
    const before = (await readHead())!;
    await lose(
      ...[
        'releases',
        'live',
        'live_held',
        'live_changes',
        'segments',
        'clients',
        'operations',
        'audit',
        'answers',
        'meta',
      ].map((table) => `DELETE FROM ${table}`),
    );
    const { head, live } = (await readHead())!;
    expect(head).toEqual({ ...before.head, seq: 1005, changedAt: expect.any(String) });
    expect(head.current?.release).toBe(release);
    expect(live.find('number', 8210, 12345678, 2, 0, Date.now() / 1000)?.op).toBe('unblock');
    const { entries } = await coordinator().entries('', null, 10);
    expect(entries.map((entry) => entry.fingerprint)).toEqual([null, null, fingerprint]);
    // The text cannot be restored from the fingerprint.
    expect(entries.at(-1)!.source).toMatch(/^fingerprint /);
    expect((await coordinator().clients()).map(({ id }) => id)).toEqual(['a']);
    unwrap(await coordinator().changeEntries(asAdmin(), BLOCK));
    expect((await readHead())!.head.seq).toBe(1006);
  });

  test('everything refuses to start empty over a copy that it cannot open', async () => {
    const foreign = await sealHead(
      { head: EMPTY_HEAD, manifests: [] },
      await deriveListKeys(new Uint8Array(LIST_KEY_BYTES).fill(9)),
    );
    await env.LISTS.put(HEAD_KEY, foreign);
    expect(await startFailure()).toMatch(/another LIST_KEY/);
    const refusal = await coordinator()
      .changeEntries(asAdmin(), BLOCK)
      .then(codeOf, ({ message }: Error) => message);
    expect(refusal).toMatch(/another LIST_KEY/);
    expect(new Uint8Array((await env.LISTS.get(HEAD_KEY, 'arrayBuffer'))!)).toEqual(foreign);
    await env.LISTS.delete(HEAD_KEY);
    expect(await startFailure()).toBeNull();
    expect(unwrap(await coordinator().changeEntries(asAdmin(), BLOCK)).seq).toBe(1);
  });
});

describe('values that nothing names', () => {
  test('are removed after a day, and no others', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.UTC(2040, 0, 1) });
    const names: string[] = [];
    for (let index = 0; index < 4; index++) {
      names.push(await promoted([`+82107777000${index}`], names.at(-1) ?? null, index));
    }
    const [oldest, ...kept] = await Promise.all(
      [0, 1, 2, 3].map((index) =>
        build({ lists: smallLists([`+82107777000${index}`]), base: names[index - 1] ?? null, minute: index }),
      ),
    );
    const own = [...oldest!.values.keys()].filter((key) => kept.every(({ values }) => !values.has(key)));
    expect(own.length).toBeGreaterThan(0);
    const there = async (): Promise<boolean[]> =>
      Promise.all(own.map(async (key) => (await env.LISTS.get(key, 'arrayBuffer')) !== null));
    await coordinator().sweep(WRANGLER);
    expect(await there()).toEqual(own.map(() => true));
    vi.setSystemTime(Date.UTC(2040, 0, 1) + VALUES_KEPT_MS - 60_000);
    await coordinator().sweep(WRANGLER);
    expect(await there()).toEqual(own.map(() => true));
    vi.setSystemTime(Date.UTC(2040, 0, 1) + 2 * VALUES_KEPT_MS);
    await coordinator().sweep(WRANGLER);
    expect(await there()).toEqual(own.map(() => false));
    for (const { values } of kept) {
      for (const key of values.keys()) expect(await env.LISTS.get(key, 'arrayBuffer'), key).not.toBeNull();
    }
  });

  test('stay from the moment a release that names them is staged, however old they are', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.UTC(2040, 0, 1) });
    const built = await build({ lists: smallLists() });
    // A push died before it staged anything, and runs again after more than a day.
    await publishValues(built);
    await coordinator().sweep(WRANGLER);
    vi.setSystemTime(Date.UTC(2040, 0, 3));
    unwrap(await coordinator().stage(asAdmin(), built.signed));
    await coordinator().sweep(WRANGLER);
    for (const key of built.values.keys())
      expect(await env.LISTS.get(key, 'arrayBuffer'), key).not.toBeNull();
  });

  test('fail a promotion after their removal, although KV may still show them', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.UTC(2040, 0, 1) });
    const built = await build({ lists: smallLists() });
    await publishValues(built);
    await coordinator().sweep(WRANGLER);
    vi.setSystemTime(Date.UTC(2040, 0, 3));
    await coordinator().sweep(WRANGLER);
    await publishValues(built);
    unwrap(await coordinator().stage(asAdmin(), built.signed));
    const promote = () =>
      coordinator().promote(asAdmin(), built.manifest.release, {
        base: null,
        share: 1,
        overrides: ALL_GUARDS,
        reason: 'x',
      });
    expect(codeOf(await promote())).toBe('RELEASE_INCOMPLETE');
    vi.setSystemTime(Date.UTC(2040, 0, 3, 0, 2));
    expect(codeOf(await promote())).toBe('ok');
    expect(releaseKey(built.manifest.release)).toContain(built.manifest.release);
  });
});

describe('clients', () => {
  test('are in the directory that the head names', async () => {
    const ids = Array.from({ length: 20 }, (_, index) => `c${index}`);
    await Promise.all(ids.map((id) => coordinator().putClient(asAdmin(), id, client(id), ANY)));
    unwrap(await coordinator().putClient(asAdmin(), 'c7', null, ANY));
    const { head } = (await readHead())!;
    expect(head.seq).toBe(21);
    for (const bytes of [
      await coordinator().value(head.clients!.key),
      await env.LISTS.get(head.clients!.key, 'arrayBuffer'),
    ]) {
      const directory = await openDirectory(new Uint8Array(bytes!), testKeys);
      expect([...directory!.clients.keys()].sort()).toEqual(ids.filter((id) => id !== 'c7').sort());
    }
  });

  test('are changed only while they match what the caller read', async () => {
    unwrap(await coordinator().putClient(asAdmin(), 'a', client('a'), { match: null, absent: true }));
    expect(
      codeOf(await coordinator().putClient(asAdmin(), 'a', client('a'), { match: null, absent: true })),
    ).toBe('PRECONDITION_FAILED');
    expect(
      codeOf(await coordinator().putClient(asAdmin(), 'a', client('a', 11), { match: 'x', absent: false })),
    ).toBe('PRECONDITION_FAILED');
    expect(codeOf(await coordinator().putClient(asAdmin(), 'b', null, ANY))).toBe('CLIENT_UNKNOWN');
  });

  test('can be changed while KV fails: readers query the coordinator', async () => {
    vi.spyOn(console, 'warn').mockReturnValue(undefined);
    const put = vi.spyOn(env.LISTS, 'put').mockRejectedValue(new Error('KV PUT failed: 500'));
    unwrap(await coordinator().putClient(asAdmin(), 'a', client('a'), ANY));
    const { head } = (await readHead())!;
    expect(await coordinator().value(head.clients!.key)).not.toBeNull();
    expect(put).toHaveBeenCalled();
  });
});
