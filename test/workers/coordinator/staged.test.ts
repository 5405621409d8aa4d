/** Manifests that were staged with wrangler alone. Each gets its turn, and a faulty one does not delay the others. */
import { env } from 'cloudflare:workers';
import { beforeEach, expect, test, vi } from 'vitest';
import {
  SHOWN_AFTER_REMOVAL_MS,
  STAGED_REFUSALS_MAX,
  VALUES_KEPT_MS,
  WAITING_KEPT_MS,
} from '../../../shared/limits/control.ts';
import { KV_OPERATIONS_MAX } from '../../../shared/limits/lists.ts';
import { stagedKey } from '../../../shared/release/kv-keys.ts';
import type { SignedText } from '../../../shared/release/signed.ts';
import {
  ALL_GUARDS,
  asAdmin,
  build,
  coordinator,
  readHead,
  stage,
  unwrap,
  WRANGLER,
} from '../support/coordinator.ts';
import { publishValues, smallLists } from '../support/world.ts';

const LISTED = '+821012345678';
let first: string;

beforeEach(async () => {
  vi.spyOn(console, 'warn').mockReturnValue(undefined);
  first = await stage({ lists: smallLists() });
  const promotion = { base: null, share: 1, overrides: ALL_GUARDS, reason: 'test' };
  unwrap(await coordinator().promote(asAdmin(), first, promotion));
});

/**
 * Puts a manifest under `staged/`. @param number listed in addition to the first release @returns its
 * release
 */
async function staged(minute: number, isComplete: boolean, number = LISTED): Promise<string> {
  const built = await build({ lists: smallLists([LISTED, number]), base: first, minute });
  if (isComplete) await publishValues(built);
  await env.LISTS.put(stagedKey(built.manifest.release), JSON.stringify(built.signed));
  return built.manifest.release;
}

const sweep = () => coordinator().sweep(WRANGLER);
const current = async () => (await readHead())?.head.current?.release;
const infoOf = async (release: string) =>
  (await coordinator().releases(50)).find((info) => info.release === release);

test('two concurrent sweeps promote a release once, and refuse nothing', async () => {
  const release = await staged(1, true);
  await Promise.all([sweep(), sweep()]);
  expect(await current()).toBe(release);
  expect(await infoOf(release)).toMatchObject({ state: 'promoted', refusal: null });
});

test('a manifest that KV still shows after its promotion is not refused', async () => {
  const release = await staged(1, true);
  const shown = vi.spyOn(env.LISTS, 'delete').mockResolvedValue(undefined);
  await sweep();
  await sweep();
  expect(shown).toHaveBeenCalledTimes(2);
  expect(await infoOf(release)).toMatchObject({ state: 'promoted', refusal: null });
});

test('manifests whose values never arrive do not delay the next one', async () => {
  for (let minute = 1; minute <= 6; minute++) await staged(minute, false, `+82107777000${minute}`);
  const release = await staged(20, true);
  for (let turn = 0; turn < 7 && (await current()) !== release; turn++) await sweep();
  expect(await current()).toBe(release);
});

test('a failing manifest delays neither the next one nor the removal of values', async () => {
  const failing = stagedKey(await staged(1, true));
  const release = await staged(2, true);
  const get = env.LISTS.get.bind(env.LISTS) as (...args: unknown[]) => Promise<unknown>;
  const failingGet = (key: string, ...rest: unknown[]): Promise<unknown> =>
    key === failing ? Promise.reject(new Error('KV GET failed: 500')) : get(key, ...rest);
  vi.spyOn(env.LISTS, 'get').mockImplementation(failingGet as unknown as typeof env.LISTS.get);
  const list = vi.spyOn(env.LISTS, 'list');
  await sweep();
  expect(list.mock.calls.map(([options]) => options?.prefix)).toContain('shard/');
  await sweep();
  expect(await current()).toBe(release);
});

const refusals = async () => {
  const records = await coordinator().audit(0, 1_000);
  return records.filter(({ action }) => action === 'release.refuse');
};

test.each([
  ['before it is a release', () => env.LISTS.put(stagedKey('other'), 'no manifest')],
  [
    'for a damaged value',
    async () => {
      const built = await build({ lists: smallLists([LISTED, '+821077770001']), base: first, minute: 1 });
      await publishValues(built);
      await env.LISTS.put(built.manifest.shards[0]!.key, 'damaged');
      await env.LISTS.put(stagedKey(built.manifest.release), JSON.stringify(built.signed));
    },
  ],
  [
    'for its base',
    async () => {
      const built = await build({ lists: smallLists([LISTED, '+821077770001']), base: null, minute: 1 });
      await publishValues(built);
      await env.LISTS.put(stagedKey(built.manifest.release), JSON.stringify(built.signed));
    },
  ],
])('a manifest that is refused %s is recorded once, also while KV still shows it', async (_why, put) => {
  await put();
  const shown = vi.spyOn(env.LISTS, 'delete').mockResolvedValue(undefined);
  await sweep();
  expect(await refusals()).toHaveLength(1);
  await sweep();
  expect(await refusals()).toHaveLength(1);
  expect(shown).toHaveBeenCalledOnce();
});

test('a refused manifest that is staged again is examined again, once KV shows only what is there', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.UTC(2040, 0, 1) });
  await env.LISTS.put(stagedKey('other'), 'no manifest');
  await sweep();
  await env.LISTS.put(stagedKey('other'), 'no manifest');
  await sweep();
  expect([await env.LISTS.get(stagedKey('other')), (await refusals()).length]).toEqual(['no manifest', 1]);
  vi.setSystemTime(Date.UTC(2040, 0, 1) + SHOWN_AFTER_REMOVAL_MS);
  await sweep();
  expect([await env.LISTS.get(stagedKey('other')), (await refusals()).length]).toEqual([null, 2]);
});

test('a release that waits longer than its values are kept is dropped, with a refusal', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.UTC(2040, 0, 1) });
  const release = await staged(1, false, '+821077770001');
  await sweep();
  vi.setSystemTime(Date.UTC(2040, 0, 1) + WAITING_KEPT_MS);
  await sweep();
  expect(await env.LISTS.get(stagedKey(release))).not.toBeNull();
  vi.setSystemTime(Date.UTC(2040, 0, 1) + WAITING_KEPT_MS + 60_000);
  await sweep();
  expect(await env.LISTS.get(stagedKey(release))).toBeNull();
  expect((await infoOf(release))?.refusal).toMatchObject({ code: 'WAITED_TOO_LONG' });
});

test('a manifest that is refused before it is a release leaves the reason, until it is staged correctly', async () => {
  const release = await staged(1, true);
  const key = stagedKey(release);
  const signed = await env.LISTS.get<SignedText>(key, 'json');
  await env.LISTS.put(key, JSON.stringify({ ...signed, signature: btoa('x'.repeat(64)) }));
  await env.LISTS.put(stagedKey('other'), 'no manifest');
  await sweep();
  expect(await coordinator().stagedRefusals()).toMatchObject([
    { release: 'other', code: 'MANIFEST_INVALID', at: expect.stringMatching(/^20/) },
    { release, code: 'SIGNATURE_INVALID' },
  ]);
  await env.LISTS.put(key, JSON.stringify(signed));
  await sweep();
  expect(await infoOf(release)).toMatchObject({ state: 'promoted' });
  expect(await coordinator().stagedRefusals()).toMatchObject([{ release: 'other' }]);
  for (let n = 0; n < STAGED_REFUSALS_MAX + 2; n++) await env.LISTS.put(stagedKey(`r${n}`), 'no manifest');
  while ((await env.LISTS.list({ prefix: stagedKey('') })).keys.length > 0) await sweep();
  expect(await coordinator().stagedRefusals()).toHaveLength(STAGED_REFUSALS_MAX);
});

test('one sweep stays within the KV operations of one invocation', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.UTC(2040, 0, 1) });
  const unnamed = Array.from({ length: 600 }, (_, index) => `shard/${String(index).padStart(32, '0')}`);
  for (const key of unnamed) await env.LISTS.put(key, 'x');
  await sweep();
  for (let minute = 1; minute <= 150; minute++) await env.LISTS.put(stagedKey(`r${minute}`), 'no manifest');
  vi.setSystemTime(Date.UTC(2040, 0, 1) + VALUES_KEPT_MS);
  const spies = (['get', 'list', 'put', 'delete'] as const).map((name) => vi.spyOn(env.LISTS, name));
  await sweep();
  const made = spies.map(({ mock }) => mock.calls.length);
  expect(made.reduce((sum, calls) => sum + calls, 0)).toBeLessThanOrEqual(KV_OPERATIONS_MAX);
  expect(made[3]).toBeGreaterThan(500);
});
