/**
 * Changes in the coordinator while it waits for KV, during a promotion that verifies or a sweep that removes.
 */
import { evictDurableObject, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { afterEach, expect, test, vi } from 'vitest';
import { DEFAULT_GUARDS } from '../../../shared/release/guard-settings.ts';
import { HEAD_KEY } from '../../../shared/release/kv-keys.ts';
import { HANG_MS } from '../../shared/support/hang.ts';
import {
  ALL_GUARDS,
  asAdmin,
  build,
  codeOf,
  coordinator,
  copied,
  kvHead,
  stage,
  stub,
  unwrap,
  WRANGLER,
} from '../support/coordinator.ts';
import { publishValues, smallLists } from '../support/world.ts';

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** Holds the first call of a KV method for a shard until it is released. */
function holdFirst(method: 'get' | 'delete') {
  const real = env.LISTS[method].bind(env.LISTS) as (...args: unknown[]) => Promise<unknown>;
  const held = Promise.withResolvers<void>();
  let key: string | null = null;
  vi.spyOn(env.LISTS, method as 'get').mockImplementation((async (...args: unknown[]) => {
    const isFirst = key === null && String(args[0]).startsWith('shard/');
    if (isFirst) {
      key = String(args[0]);
      await held.promise;
    }
    return real(...args);
  }) as never);
  const begun = (): Promise<string> =>
    vi.waitFor(() => {
      if (key === null) throw new Error('nothing is held yet');
      return key;
    }, HANG_MS);
  return { begun, letGo: held.resolve };
}

const block = { op: 'block', items: [{ number: '+821012345678' }], subjects: ['to'] } as const;
const change = () =>
  coordinator().changeEntries(asAdmin(), {
    ...{ ...block, items: [...block.items], subjects: [...block.subjects] },
    ...{ code: 'SENDER_REPORTED', until: null, reason: 'test' },
  });

test('a coordinator that was reset while KV hung does not overwrite a newer copy, and catches up', async () => {
  vi.spyOn(console, 'warn').mockReturnValue(undefined);
  for (let seq = 1; seq <= 6; seq++) unwrap(await change());
  await copied();
  await runInDurableObject(stub(), (_, { storage }) => {
    storage.sql.exec("UPDATE meta SET value = '3' WHERE key = 'seq'");
  });
  await evictDurableObject(stub());
  const down = vi.spyOn(env.LISTS, 'get').mockRejectedValue(new Error('KV GET failed: 500'));
  expect((await coordinator().status()).seq).toBe(3);
  await coordinator()
    .sweep(WRANGLER)
    .catch(() => undefined);
  down.mockRestore();
  expect((await kvHead())?.head.seq).toBe(6);
  await coordinator().sweep(WRANGLER);
  expect((await coordinator().status()).seq).toBe(1_006);
});

test('the copy of the head is written again even while a staged release hangs', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.UTC(2040, 0, 1) });
  unwrap(await change());
  await vi.waitFor(async () => expect((await kvHead())?.writtenAt).toMatch(/^2040/), HANG_MS);
  const list = env.LISTS.list.bind(env.LISTS);
  const held = Promise.withResolvers<void>();
  vi.spyOn(env.LISTS, 'list').mockImplementation((async (options: KVNamespaceListOptions) => {
    await held.promise;
    return list(options);
  }) as never);
  const sweeps: Promise<void>[] = [];
  for (const minute of [1, 2, 3]) {
    const now = Date.UTC(2040, 0, 1, 0, minute);
    vi.setSystemTime(now);
    sweeps.push(coordinator().sweep(WRANGLER));
    await vi.waitFor(
      async () => expect(Date.parse((await kvHead())?.writtenAt ?? '')).toBeGreaterThanOrEqual(now),
      HANG_MS,
    );
  }
  held.resolve();
  await Promise.all(sweeps);
});

test('a change of guards during verification makes the plan again', async () => {
  const release = await stage({ lists: smallLists(['+821012345678']), minute: 1 });
  const promote = () =>
    coordinator().promote(asAdmin(), release, {
      base: null,
      share: 1,
      overrides: ALL_GUARDS,
      reason: 'test',
    });
  const { begun, letGo } = holdFirst('get');
  const promoting = promote();
  await begun();
  unwrap(await coordinator().putGuards(asAdmin(), { ...DEFAULT_GUARDS, protectedNumbers: [821000000001] }));
  letGo();
  expect(codeOf(await promoting)).toBe('PLAN_MOVED');
  expect(codeOf(await promote())).toBe('ok');
});

test('a release that is staged while a sweep removes values keeps the values that still exist', async () => {
  vi.spyOn(console, 'warn').mockReturnValue(undefined);
  vi.useFakeTimers({ toFake: ['Date'], now: Date.UTC(2040, 0, 1) });
  const numbers = ['+821012345678', '+821087654321', '+821055556666'];
  const waiting = await Promise.all(
    numbers.map((number, index) => build({ lists: smallLists([number]), minute: index + 1 })),
  );
  for (const built of waiting) await publishValues(built);
  await coordinator().sweep(WRANGLER);
  vi.setSystemTime(Date.UTC(2040, 0, 3));
  const { begun, letGo } = holdFirst('delete');
  const sweeping = coordinator().sweep(WRANGLER);
  const going = await begun();
  for (const { signed } of waiting) unwrap(await coordinator().stage(asAdmin(), signed));
  letGo();
  await sweeping;
  const shards = waiting.flatMap(({ values }) =>
    [...values.keys()].filter((key) => key.startsWith('shard/')),
  );
  expect(shards.length).toBeGreaterThan(2);
  for (const key of shards) {
    const isThere = (await env.LISTS.get(key, 'arrayBuffer')) !== null;
    expect([key, isThere]).toEqual([key, key !== going]);
  }
});

test('a change that is made while the cron reads the copy of the head is not taken for a restore', async () => {
  vi.spyOn(console, 'warn').mockReturnValue(undefined);
  const block = () =>
    coordinator().changeEntries(asAdmin(), {
      op: 'block',
      items: [{ number: '+821012345678' }],
      subjects: ['to'],
      code: 'SENDER_REPORTED',
      until: null,
      reason: 'test',
    });
  for (let seq = 1; seq <= 3; seq++) unwrap(await block());
  await copied();
  await evictDurableObject(stub());
  const real = env.LISTS.get.bind(env.LISTS) as (...args: unknown[]) => Promise<unknown>;
  const read = Promise.withResolvers<void>();
  const reading = Promise.withResolvers<void>();
  let reads = 0;
  vi.spyOn(env.LISTS, 'get').mockImplementation((async (...args: unknown[]) => {
    if (args[0] === HEAD_KEY && reads++ === 0) throw new Error('KV GET failed: 500');
    const value = await real(...args);
    if (args[0] === HEAD_KEY && reads === 2) {
      reading.resolve();
      await read.promise;
    }
    return value;
  }) as never);
  // The coordinator starts without the copy. The cron reads the copy.
  expect((await coordinator().status()).seq).toBe(3);
  const sweeping = coordinator().sweep(WRANGLER);
  await reading.promise;
  unwrap(await block());
  read.resolve();
  await sweeping;
  expect((await coordinator().status()).seq).toBe(4);
});
