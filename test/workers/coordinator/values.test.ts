/**
 * Values that the coordinator writes to KV. The values that the head names exist, whatever KV does meanwhile,
 * and the copy of the head names no others.
 */
import { runDurableObjectAlarm } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { expect, test, vi } from 'vitest';
import { VALUES_KEPT_MS } from '../../../shared/limits/control.ts';
import { openHead } from '../../../shared/release/head.ts';
import { HEAD_KEY } from '../../../shared/release/kv-keys.ts';
import { HANG_MS } from '../../shared/support/hang.ts';
import { testKeys } from '../../shared/support/test-keys.ts';
import {
  asAdmin,
  client,
  coordinator,
  copied,
  readHead,
  stub,
  unwrap,
  WRANGLER,
} from '../support/coordinator.ts';
import { watchPuts } from '../support/kv.ts';

const BLOCK = {
  op: 'block' as const,
  code: 'SENDER_REPORTED' as const,
  subjects: ['to' as const],
  until: null,
  reason: 'test',
  // More than the maximum number of unsealed entries.
  items: Array.from({ length: 600 }, (_, index) => ({ number: `+8210${30_000_000 + index}` })),
};
const ANY = { match: null, absent: false };

/** Keys that the head in KV names but KV lacks. */
async function missingInKv(): Promise<string[]> {
  const bytes = new Uint8Array((await env.LISTS.get(HEAD_KEY, 'arrayBuffer'))!);
  const opened = await openHead(bytes, testKeys);
  if (!opened.ok) throw new Error(opened.message);
  const { segments, clients } = opened.value.head;
  const keys = [...segments, ...(clients === null ? [] : [clients])].map(({ key }) => key);
  const there = await Promise.all(keys.map((key) => env.LISTS.get(key, 'arrayBuffer')));
  return keys.filter((_, index) => there[index] === null);
}

test.each(['live/', 'clients/'])(
  'a value under %s that KV refused is put again before the copy names it',
  async (prefix) => {
    vi.spyOn(console, 'warn').mockReturnValue(undefined);
    let refused = 0;
    watchPuts((key) => {
      if (!key.startsWith(prefix) || refused === 2) return null;
      refused++;
      return Promise.reject(new Error('KV PUT failed: 429'));
    });
    unwrap(await coordinator().putClient(asAdmin(), 'a', client('a'), ANY));
    unwrap(await coordinator().changeEntries(asAdmin(), BLOCK));
    await vi.waitFor(() => expect(refused).toBe(2), HANG_MS);
    const { seq, kvSeq } = await coordinator().status();
    expect(kvSeq).toBeLessThan(seq);
    // The alarm tries again.
    await vi.waitFor(async () => {
      await runDurableObjectAlarm(stub());
      const status = await coordinator().status();
      expect(status.kvSeq).toBe(status.seq);
    }, HANG_MS);
    expect(await missingInKv()).toEqual([]);
  },
);

test('the sweep puts back values that KV has lost', async () => {
  vi.spyOn(console, 'warn').mockReturnValue(undefined);
  unwrap(await coordinator().putClient(asAdmin(), 'a', client('a'), ANY));
  unwrap(await coordinator().changeEntries(asAdmin(), BLOCK));
  await copied();
  const { head } = (await readHead())!;
  for (const { key } of [...head.segments, head.clients!]) await env.LISTS.delete(key);
  expect(await missingInKv()).toHaveLength(2);
  await coordinator().sweep(WRANGLER);
  await copied();
  expect(await missingInKv()).toEqual([]);
});

test('a directory that is named again during its removal still exists in the end', async () => {
  vi.spyOn(console, 'warn').mockReturnValue(undefined);
  vi.useFakeTimers({ toFake: ['Date'], now: Date.UTC(2040, 0, 1) });
  unwrap(await coordinator().putClient(asAdmin(), 'a', client('a'), ANY));
  unwrap(await coordinator().putClient(asAdmin(), 'b', client('b'), ANY));
  await coordinator().sweep(WRANGLER);
  vi.setSystemTime(Date.UTC(2040, 0, 1) + VALUES_KEPT_MS);
  // The sweep has begun to remove the directory with only "a", when removing "b" makes this directory current again.
  const remove = env.LISTS.delete.bind(env.LISTS);
  const removing = vi.spyOn(env.LISTS, 'delete').mockImplementation(async (key) => {
    unwrap(await coordinator().putClient(asAdmin(), 'b', null, ANY));
    await remove(key as string);
  });
  await coordinator().sweep(WRANGLER);
  expect(removing).toHaveBeenCalledOnce();
  await copied();
  expect(await missingInKv()).toEqual([]);
});
