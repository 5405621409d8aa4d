/**
 * The client directory that the head names: which clients may send requests, the effect of a missing or
 * damaged directory, and how soon a new key works.
 */
import { env } from 'cloudflare:workers';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { CLIENTS_MAX } from '../../../shared/limits/control.ts';
import { HEAD_FRESH_MS, HEAD_STALE_MS, KEY_FRESH_MS } from '../../../shared/limits/edge.ts';
import { writeCopy } from '../../../workers/edge/head/head-cache.ts';
import { testKeys } from '../../shared/support/test-keys.ts';
import { CLIENTS, publishClients } from '../support/clients.ts';
import { coldIsolate, fakeCoordinator } from '../support/isolate.ts';
import { changed, failing, KvWatch, missing, type ReadOverride } from '../support/kv.ts';
import { sendAndSettle, sendHere } from '../support/send.ts';
import {
  build,
  coordinatorHead,
  directoryKey,
  LISTED,
  NEXT_POLL_MS,
  NOW,
  publish,
  publishHead,
  publishManifest,
  smallLists,
} from '../support/world.ts';

coldIsolate();

const built = await build(smallLists());
const check = { body: { to: LISTED } };

const DAMAGED: Readonly<Record<string, ReadOverride>> = {
  'is missing': missing,
  'cannot be read': failing,
  'is empty': async () => new ArrayBuffer(0),
  'has a flipped bit': changed((bytes) => bytes.with(20, bytes[20]! ^ 1)),
  'is cut': changed((bytes) => bytes.slice(0, -1)),
};
/** Sealed and named by the head, but invalid. */
const WRONG: Readonly<Record<string, readonly object[]>> = {
  'has one invalid client': [...CLIENTS, { id: 'UPPER', rights: [] }],
  'has too many clients': Array(CLIENTS_MAX + 1).fill(CLIENTS[0]),
};

beforeEach(async () => {
  vi.spyOn(console, 'warn').mockReturnValue(undefined);
  await publish(built);
});

describe('without a valid directory', () => {
  test.each(Object.entries(DAMAGED))(
    'a cold isolate answers 503 with Retry-After when it %s',
    async (_, override) => {
      await publishClients();
      const kv = new KvWatch();
      kv.override(directoryKey(), override);
      const { status, headers, body } = await sendAndSettle(check);
      expect([status, body.code, headers.get('retry-after')]).toEqual([503, 'UNAVAILABLE', '1']);
    },
  );

  test('a cold isolate gets from the coordinator what KV lacks', async () => {
    await publishClients();
    const bytes = await env.LISTS.get(directoryKey(), 'arrayBuffer');
    fakeCoordinator().values.set(directoryKey(), new Uint8Array(bytes!));
    await env.LISTS.delete(directoryKey());
    expect((await sendAndSettle(check)).status).toBe(200);
  });

  test('a cold isolate accepts keys as soon as there is one', async () => {
    vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'], now: NOW });
    expect((await sendAndSettle({ ...check, client: 'closed' })).status).toBe(401);
    await publishClients();
    await publishHead(built.manifest, 2);
    vi.setSystemTime(NOW + KEY_FRESH_MS + 1);
    expect((await sendAndSettle(check)).status).toBe(200);
  });
});

describe.each(Object.entries(DAMAGED))('a new directory that %s', (_, override) => {
  test('is refused, and the last good one keeps serving', async () => {
    vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'], now: NOW });
    await publishClients();
    await sendAndSettle(check);
    await publishClients(CLIENTS.slice(1));
    await publishHead(built.manifest, 2);
    const kv = new KvWatch();
    kv.override(directoryKey(), override);
    vi.setSystemTime(NOW + NEXT_POLL_MS);
    await sendAndSettle(check);
    expect((await sendAndSettle(check)).status).toBe(200);
  });
});

describe.each(Object.entries(WRONG))('a new directory that %s', (_, clients) => {
  test('is refused, and the last good one keeps serving', async () => {
    vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'], now: NOW });
    await publishClients();
    await sendAndSettle(check);
    await publishClients(clients);
    await publishHead(built.manifest, 2);
    vi.setSystemTime(NOW + NEXT_POLL_MS);
    await sendAndSettle(check);
    expect((await sendAndSettle(check)).status).toBe(200);
  });
});

describe('a new directory', () => {
  beforeEach(async () => {
    vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'], now: NOW });
    await publishClients();
    await sendAndSettle(check);
  });

  test('removes a client within one refresh', async () => {
    await publishClients(CLIENTS.slice(1));
    await publishHead(built.manifest, 2);
    vi.setSystemTime(NOW + NEXT_POLL_MS);
    await sendAndSettle(check);
    expect((await sendAndSettle(check)).status).toBe(401);
  });

  test('is used when it has fields that this version does not know', async () => {
    await publishClients(CLIENTS.slice(1).map((client) => ({ ...client, laterField: { nested: true } })));
    await publishHead(built.manifest, 2);
    vi.setSystemTime(NOW + NEXT_POLL_MS);
    await sendAndSettle(check);
    expect((await sendAndSettle(check)).status).toBe(401);
    expect((await sendAndSettle({ ...check, client: 'closed' })).status).toBe(200);
  });

  test('is not needed while KV fails, however long', async () => {
    const kv = new KvWatch();
    kv.overrideOthers(failing);
    vi.setSystemTime(NOW + 100 * HEAD_STALE_MS);
    expect((await sendAndSettle(check)).status).toBe(200);
    expect((await sendAndSettle(check)).status).toBe(200);
  });
});

describe('an unknown key', () => {
  const [open, ...others] = CLIENTS;

  beforeEach(async () => {
    vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'], now: NOW });
    await publishClients(others);
    await sendAndSettle({ ...check, client: 'closed' });
    // The coordinator has the client, but KV, which may not be read again so soon, lacks it.
    await publishClients();
    fakeCoordinator().setHead(await coordinatorHead({ seq: 2 }));
    await publishManifest(built.manifest);
    fakeCoordinator().requests.length = 0;
  });

  test('works immediately: the isolate checks the head before it refuses the key', async () => {
    vi.setSystemTime(NOW + KEY_FRESH_MS + 1);
    const { status, body } = await sendHere(check);
    expect([status, body.seq]).toEqual([200, 2]);
    expect(fakeCoordinator().requests).toHaveLength(1);
  });

  test('works immediately when a secret was replaced', async () => {
    const replaced = { ...open, secretSha256: ['0'.repeat(64)] };
    await publishClients([replaced, ...others]);
    fakeCoordinator().setHead(await coordinatorHead({ seq: 3 }));
    vi.setSystemTime(NOW + KEY_FRESH_MS + 1);
    expect((await sendHere({ ...check, client: 'closed' })).status).toBe(200);
    await publishClients();
    fakeCoordinator().setHead(await coordinatorHead({ seq: 4 }));
    vi.setSystemTime(NOW + 2 * (KEY_FRESH_MS + 1));
    expect((await sendHere(check)).status).toBe(200);
  });

  test('works immediately while a poll with an older copy is in progress', async () => {
    const { seq, sealed } = await coordinatorHead({ seq: 1 });
    vi.setSystemTime(NOW + NEXT_POLL_MS);
    await writeCopy({ seq, fetchedAt: Date.now() - HEAD_FRESH_MS + 1, asOf: NOW, sealed }, testKeys);
    const known = sendHere({ ...check, client: 'closed' });
    expect((await sendHere(check)).status).toBe(200);
    expect((await known).status).toBe(200);
  });

  test('causes at most one check of the head in KEY_FRESH_MS, for any number of keys', async () => {
    for (let second = 1; second <= 3; second++) {
      const start = NOW + second * (KEY_FRESH_MS + 1);
      vi.setSystemTime(start);
      const crowd = Array.from({ length: 20 }, (_, index) => ({
        ...check,
        client: `nobody-${second}-${index}`,
      }));
      const answers = await Promise.all(crowd.map((options) => sendHere(options)));
      for (const options of crowd) {
        vi.setSystemTime(Date.now() + KEY_FRESH_MS / crowd.length);
        answers.push(await sendHere(options));
      }
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([401]));
      expect(fakeCoordinator().requests).toHaveLength(second);
    }
  });

  test('is refused when no source answers, and does not delay known keys', async () => {
    fakeCoordinator().behaviour = 'fail';
    new KvWatch().overrideOthers(failing);
    vi.setSystemTime(NOW + KEY_FRESH_MS + 1);
    expect((await sendHere(check)).status).toBe(401);
    expect((await sendHere({ ...check, client: 'closed' })).status).toBe(200);
  });

  test('causes no check when the request has no key', async () => {
    vi.setSystemTime(NOW + KEY_FRESH_MS + 1);
    expect((await sendHere({ ...check, headers: { authorization: '' } })).status).toBe(401);
    expect(fakeCoordinator().requests).toHaveLength(0);
  });
});
