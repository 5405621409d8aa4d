/**
 * Who may ask: the client directory in KV, and what becomes of clients when it is missing or damaged.
 */
import { env } from 'cloudflare:workers';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { CLIENTS_MAX, HEAD_FRESH_MS, HEAD_STALE_MS } from '../../shared/limits.ts';
import { CLIENTS_KEY } from '../../shared/release/kv-keys.ts';
import { ask, askAndSettle } from './support/ask.ts';
import { CLIENTS, publishClients } from './support/clients.ts';
import './support/isolate.ts';
import { type Fate, failing, KvWatch, missing } from './support/kv.ts';
import { build, LISTED, NOW, publish, smallLists } from './support/world.ts';

const built = await build(smallLists());
const question = { body: { to: LISTED } };

const DAMAGED: Readonly<Record<string, string>> = {
  'is empty': '',
  'is not JSON': '{"format":1,"clients":[',
  'is a list': '[]',
  'has another format': JSON.stringify({ format: 2, clients: CLIENTS }),
  'has one bad client': JSON.stringify({ format: 1, clients: [...CLIENTS, { id: 'UPPER' }] }),
  'has an unknown field': JSON.stringify({ format: 1, clients: CLIENTS, more: true }),
  'has too many clients': JSON.stringify({ format: 1, clients: Array(CLIENTS_MAX + 1).fill(CLIENTS[0]) }),
};

beforeEach(async () => {
  vi.spyOn(console, 'warn').mockReturnValue(undefined);
  await publish(built);
});

describe('without a directory', () => {
  test.each([
    ['missing', missing],
    ['failing', failing],
    ['damaged', async () => 'null'],
  ] as readonly [string, Fate][])('%s, a cold isolate answers 503 and when to try again', async (_, fate) => {
    const kv = new KvWatch();
    kv.fate(CLIENTS_KEY, fate);
    const { status, headers, body } = await askAndSettle(question);
    expect([status, body.code, headers.get('retry-after')]).toEqual([503, 'UNAVAILABLE', '1']);
  });

  test('a cold isolate is right as soon as there is one', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: NOW });
    expect((await askAndSettle(question)).status).toBe(503);
    await publishClients();
    vi.setSystemTime(NOW + 1_000);
    expect((await askAndSettle(question)).status).toBe(200);
  });
});

describe.each(Object.entries(DAMAGED))('a directory that %s', (_, text) => {
  test('is refused, and the last good one goes on serving', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: NOW });
    await publishClients();
    await askAndSettle(question);
    await env.LISTS.put(CLIENTS_KEY, text);
    vi.setSystemTime(NOW + HEAD_FRESH_MS + 1);
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
    vi.setSystemTime(NOW + HEAD_FRESH_MS + 1);
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
