/**
 * Who may ask: the client directory that the head names, what becomes of clients when it is missing or
 * damaged, and how soon a new key works.
 */
import { env } from 'cloudflare:workers';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { CLIENTS_MAX, HEAD_FRESH_MS, HEAD_STALE_MS, KEY_FRESH_MS } from '../../shared/limits.ts';
import { writeCopy } from '../../workers/edge/head/head-cache.ts';
import { testKeys } from '../shared/support/test-keys.ts';
import { ask, askAndSettle, askHere } from './support/ask.ts';
import { CLIENTS, publishClients } from './support/clients.ts';
import { fakeAuthority } from './support/isolate.ts';
import { changed, type Fate, failing, KvWatch, missing } from './support/kv.ts';
import {
  build,
  decidedHead,
  directoryKey,
  LISTED,
  NEXT_POLL_MS,
  NOW,
  publish,
  publishHead,
  publishManifest,
  smallLists,
} from './support/world.ts';

const built = await build(smallLists());
const question = { body: { to: LISTED } };

const DAMAGED: Readonly<Record<string, Fate>> = {
  'is missing': missing,
  'cannot be read': failing,
  'is empty': async () => new ArrayBuffer(0),
  'has a bit flipped': changed((bytes) => bytes.with(20, bytes[20]! ^ 1)),
  'is cut': changed((bytes) => bytes.slice(0, -1)),
};
/** Sealed and named by the head, and still not to be believed. */
const WRONG: Readonly<Record<string, readonly object[]>> = {
  'has one bad client': [...CLIENTS, { id: 'UPPER' }],
  'has a client with an unknown field': [{ ...CLIENTS[0], more: true }],
  'has too many clients': Array(CLIENTS_MAX + 1).fill(CLIENTS[0]),
};

beforeEach(async () => {
  vi.spyOn(console, 'warn').mockReturnValue(undefined);
  await publish(built);
});

describe('without a directory', () => {
  test.each(Object.entries(DAMAGED))(
    'where it %s, a cold isolate answers 503 and when to try again',
    async (_, fate) => {
      await publishClients();
      const kv = new KvWatch();
      kv.fate(directoryKey(), fate);
      const { status, headers, body } = await askAndSettle(question);
      expect([status, body.code, headers.get('retry-after')]).toEqual([503, 'UNAVAILABLE', '1']);
    },
  );

  test('a cold isolate asks the coordinator for what KV does not have', async () => {
    await publishClients();
    const bytes = await env.LISTS.get(directoryKey(), 'arrayBuffer');
    fakeAuthority().values.set(directoryKey(), new Uint8Array(bytes!));
    await env.LISTS.delete(directoryKey());
    expect((await askAndSettle(question)).status).toBe(200);
  });

  test('a cold isolate is right as soon as there is one', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: NOW });
    expect((await askAndSettle({ ...question, client: 'closed' })).status).toBe(401);
    await publishClients();
    await publishHead(built.manifest, 2);
    vi.setSystemTime(NOW + KEY_FRESH_MS + 1);
    expect((await askAndSettle(question)).status).toBe(200);
  });
});

describe.each(Object.entries(DAMAGED))('a new directory that %s', (_, fate) => {
  test('is refused, and the last good one goes on serving', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: NOW });
    await publishClients();
    await askAndSettle(question);
    await publishClients(CLIENTS.slice(1));
    await publishHead(built.manifest, 2);
    const kv = new KvWatch();
    kv.fate(directoryKey(), fate);
    vi.setSystemTime(NOW + NEXT_POLL_MS);
    await askAndSettle(question);
    expect((await askAndSettle(question)).status).toBe(200);
  });
});

describe.each(Object.entries(WRONG))('a new directory that %s', (_, clients) => {
  test('is refused, and the last good one goes on serving', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: NOW });
    await publishClients();
    await askAndSettle(question);
    await publishClients(clients);
    await publishHead(built.manifest, 2);
    vi.setSystemTime(NOW + NEXT_POLL_MS);
    await askAndSettle(question);
    expect((await askAndSettle(question)).status).toBe(200);
  });
});

describe('a new directory', () => {
  beforeEach(async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: NOW });
    await publishClients();
    await askAndSettle(question);
  });

  test('takes a client out within one refresh', async () => {
    await publishClients(CLIENTS.slice(1));
    await publishHead(built.manifest, 2);
    vi.setSystemTime(NOW + NEXT_POLL_MS);
    await askAndSettle(question);
    expect((await askAndSettle(question)).status).toBe(401);
  });

  test('is not needed while KV fails, however long', async () => {
    const kv = new KvWatch();
    kv.fateOfRest(failing);
    vi.setSystemTime(NOW + 100 * HEAD_STALE_MS);
    expect((await askAndSettle(question)).status).toBe(200);
    expect((await ask(question)).status).toBe(200);
  });
});

describe('a key that is not known yet', () => {
  const [open, ...others] = CLIENTS;

  beforeEach(async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: NOW });
    await publishClients(others);
    await askAndSettle({ ...question, client: 'closed' });
    // The coordinator has the client; KV, which cannot be asked so soon again, does not.
    await publishClients();
    fakeAuthority().decide(await decidedHead({ seq: 2 }));
    await publishManifest(built.manifest);
    fakeAuthority().asked.length = 0;
  });

  test('works at once: the head is looked for before it is refused', async () => {
    vi.setSystemTime(NOW + KEY_FRESH_MS + 1);
    const { status, body } = await askHere(question);
    expect([status, body.seq]).toEqual([200, 2]);
    expect(fakeAuthority().asked).toHaveLength(1);
  });

  test('works at once also where a secret was replaced', async () => {
    const replaced = { ...open, secretSha256: ['0'.repeat(64)] };
    await publishClients([replaced, ...others]);
    fakeAuthority().decide(await decidedHead({ seq: 3 }));
    vi.setSystemTime(NOW + KEY_FRESH_MS + 1);
    expect((await askHere({ ...question, client: 'closed' })).status).toBe(200);
    await publishClients();
    fakeAuthority().decide(await decidedHead({ seq: 4 }));
    vi.setSystemTime(NOW + 2 * (KEY_FRESH_MS + 1));
    expect((await askHere(question)).status).toBe(200);
  });

  test('works at once also where a poll with an older copy is under way', async () => {
    const { seq, sealed } = await decidedHead({ seq: 1 });
    vi.setSystemTime(NOW + NEXT_POLL_MS);
    await writeCopy({ seq, fetchedAt: Date.now() - HEAD_FRESH_MS + 1, asOf: NOW, sealed }, testKeys);
    const known = askHere({ ...question, client: 'closed' });
    expect((await askHere(question)).status).toBe(200);
    expect((await known).status).toBe(200);
  });

  test('has the head looked for at most once in KEY_FRESH_MS, however many try', async () => {
    for (let second = 1; second <= 3; second++) {
      const start = NOW + second * (KEY_FRESH_MS + 1);
      vi.setSystemTime(start);
      const crowd = Array.from({ length: 20 }, (_, index) => ({
        ...question,
        client: `nobody-${second}-${index}`,
      }));
      const answers = await Promise.all(crowd.map((asking) => askHere(asking)));
      for (const asking of crowd) {
        vi.setSystemTime(Date.now() + KEY_FRESH_MS / crowd.length);
        answers.push(await askHere(asking));
      }
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([401]));
      expect(fakeAuthority().asked).toHaveLength(second);
    }
  });

  test('is refused where nothing can be asked, and does not make known ones wait', async () => {
    fakeAuthority().way = 'fail';
    new KvWatch().fateOfRest(failing);
    vi.setSystemTime(NOW + KEY_FRESH_MS + 1);
    expect((await askHere(question)).status).toBe(401);
    expect((await askHere({ ...question, client: 'closed' })).status).toBe(200);
  });

  test('is not looked for where there is none', async () => {
    vi.setSystemTime(NOW + KEY_FRESH_MS + 1);
    expect((await askHere({ ...question, headers: { authorization: '' } })).status).toBe(401);
    expect(fakeAuthority().asked).toHaveLength(0);
  });
});
