/**
 * A coordinator that lost its tables, and an attacker who can write KV. The coordinator restores only values
 * that match the digests in the head, and a revoked key never works again.
 */

import { evictDurableObject, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { openDirectory } from '../../../shared/clients.ts';
import { UNSEALED_ENTRIES_MAX } from '../../../shared/limits/control.ts';
import { LOAD_WAIT_MS } from '../../../shared/limits/edge.ts';
import { type HeadDocument, sealHead } from '../../../shared/release/head.ts';
import { HEAD_KEY } from '../../../shared/release/kv-keys.ts';
import { HANG_MS } from '../../shared/support/hang.ts';
import { testKeys } from '../../shared/support/test-keys.ts';
import {
  ALL_GUARDS,
  asAdmin,
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
} from '../support/coordinator.ts';
import { failing, hanging, KvWatch } from '../support/kv.ts';
import { smallLists } from '../support/world.ts';

type Bytes = Uint8Array<ArrayBuffer>;

const ANY = { match: null, absent: false };
const TABLES = [
  'releases',
  'live',
  'live_held',
  'segments',
  'clients',
  'audit',
  'answers',
  'meta',
  'values_to_put',
];

let warned: string[];
beforeEach(() => {
  warned = [];
  vi.spyOn(console, 'warn').mockImplementation((line: string) => void warned.push(line));
});

async function stored(key: string): Promise<Bytes> {
  return new Uint8Array((await env.LISTS.get(key, 'arrayBuffer'))!);
}

async function loseTables(): Promise<void> {
  await runInDurableObject(stub(), async (_, { storage }) => {
    for (const table of TABLES) storage.sql.exec(`DELETE FROM ${table}`);
    await storage.deleteAlarm();
  });
  await evictDurableObject(stub());
}

const clientIds = async (): Promise<string[]> => (await coordinator().clients()).map(({ id }) => id);

function block(from: number, count: number) {
  const items = Array.from({ length: count }, (_, index) => ({
    number: `+${821_055_550_000 + from + index}`,
  }));
  return {
    ...{ op: 'block' as const, items, code: 'SENDER_REPORTED' as const },
    ...{ subjects: ['to' as const], until: null, reason: 'test' },
  };
}

describe('a client directory', () => {
  let key: string;
  let older: Bytes;
  let newer: Bytes;

  beforeEach(async () => {
    unwrap(await coordinator().putClient(asAdmin(), 'kept', client('kept'), ANY));
    unwrap(await coordinator().putClient(asAdmin(), 'stolen', client('stolen'), ANY));
    older = await stored((await readHead())!.head.clients!.key);
    unwrap(await coordinator().putClient(asAdmin(), 'stolen', null, ANY));
    key = (await readHead())!.head.clients!.key;
    newer = await stored(key);
    await copied();
    // The older directory is intact and sealed with our key.
    expect([...(await openDirectory(older, testKeys))!.clients.keys()]).toEqual(['kept', 'stolen']);
  });

  test('of an earlier time, under the key of the newer one, is refused', async () => {
    await env.LISTS.put(key, older);
    await loseTables();
    const why = await startFailure();
    expect(why).toContain(`the value "${key}" in KV does not match its SHA-256 in the head`);
    expect(why).toContain('delete the key "head" to start empty');
    expect(warned).toContain('{"event":"restoreRefused","code":"VALUE_DAMAGED"}');
    const ordered = coordinator().putClient(asAdmin(), 'new', client('new'), ANY);
    await expect(ordered.then(codeOf)).rejects.toThrow(key);
    // The refused change was not written.
    expect(await stored(key)).toEqual(older);
    expect((await kvHead())!.head.seq).toBe(3);
  });

  test('is restored once the right one is back, without the revoked key', async () => {
    await env.LISTS.put(key, older);
    await loseTables();
    expect(await startFailure()).not.toBeNull();
    await env.LISTS.put(key, newer);
    expect(await startFailure()).toBeNull();
    expect(await clientIds()).toEqual(['kept']);
    unwrap(await coordinator().putClient(asAdmin(), 'new', client('new'), ANY));
    const { head } = (await readHead())!;
    const directory = await openDirectory(await stored(head.clients!.key), testKeys);
    expect([...directory!.clients.keys()]).toEqual(['kept', 'new']);
  });

  test('that is gone leaves the coordinator without changes, until it starts empty', async () => {
    await env.LISTS.delete(key);
    await loseTables();
    expect(await startFailure()).toContain(`KV lacks the value "${key}"`);
    await env.LISTS.delete(HEAD_KEY);
    expect(await startFailure()).toBeNull();
    expect(await clientIds()).toEqual([]);
  });

  test('is named by the hash of its content, and is in KV under that name', async () => {
    await loseTables();
    expect(await startFailure()).toBeNull();
    const { clients } = (await readHead())!.head;
    expect(clients!.key).toBe(key);
    expect(await coordinator().value(key)).toEqual(newer);
    await copied();
    expect(await stored(key)).toEqual(newer);
  });
});

test('a segment of an earlier time, under the key of the newer one, is refused', async () => {
  const sealedKeys = async (count: number): Promise<string[]> => {
    await vi.waitFor(async () => {
      const { live } = await coordinator().status();
      expect([live.entries, live.tail]).toEqual([count, 0]);
    }, HANG_MS);
    return (await readHead())!.head.segments.map(({ key }) => key);
  };
  const some = UNSEALED_ENTRIES_MAX + 1;
  unwrap(await coordinator().changeEntries(asAdmin(), block(0, some)));
  const older = await stored((await sealedKeys(some))[0]!);
  unwrap(await coordinator().changeEntries(asAdmin(), block(some, some)));
  const [key] = await sealedKeys(2 * some);
  const newer = await stored(key!);
  await copied();
  await env.LISTS.put(key!, older);
  await loseTables();
  expect(await startFailure()).toContain(`"${key}" in KV does not match its SHA-256`);
  await env.LISTS.put(key!, newer);
  expect(await startFailure()).toBeNull();
  expect((await coordinator().status()).live.entries).toBe(2 * some);
});

describe('a head in KV', () => {
  async function putHead(change: (document: HeadDocument) => HeadDocument): Promise<void> {
    await env.LISTS.put(HEAD_KEY, await sealHead(change((await kvHead())!), testKeys));
  }
  let release: string;

  beforeEach(async () => {
    release = await stage({ lists: smallLists() });
    const promotion = { base: null, share: 1, overrides: ALL_GUARDS, reason: 'test' };
    unwrap(await coordinator().promote(asAdmin(), release, promotion));
    await copied();
  });

  test('without the manifest of its release does not start a coordinator without lists', async () => {
    await putHead((document) => ({ ...document, manifests: [] }));
    await loseTables();
    expect(await startFailure()).toContain(`it lacks the manifest of ${release}`);
  });

  test('with the manifest of another release than it names is refused', async () => {
    const named = '20261124T0300Z-00000000';
    await putHead(({ head, ...rest }) => ({
      ...rest,
      head: { ...head, current: { ...head.current!, release: named } },
    }));
    await loseTables();
    expect(await startFailure()).toContain(`its manifest of ${named} belongs to ${release}`);
  });

  test('with a live layer that does not open is refused', async () => {
    await putHead(({ head, ...rest }) => ({ ...rest, head: { ...head, tail: 'AAAA' } }));
    await loseTables();
    expect(await startFailure()).toContain('the segment of unsealed entries does not open');
  });
});

test.each([
  ['fails', failing],
  ['hangs', hanging],
])('KV that %s is read again, and the coordinator does not start meanwhile', async (_, override) => {
  unwrap(await coordinator().putClient(asAdmin(), 'kept', client('kept'), ANY));
  await copied();
  const { key } = (await readHead())!.head.clients!;
  await loseTables();
  const kv = new KvWatch();
  kv.override(key, override);
  await expect(startFailure()).rejects.toThrow(
    override === hanging ? `not loaded within ${LOAD_WAIT_MS} ms` : undefined,
  );
  kv.restore();
  expect(await startFailure()).toBeNull();
  expect(await clientIds()).toEqual(['kept']);
});
