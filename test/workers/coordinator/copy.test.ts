/**
 * The copy of the head in KV under interference. It never shows an undecided head, and unfinished work is
 * completed.
 */
import { runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { expect, test, vi } from 'vitest';
import { openHead } from '../../../shared/release/head.ts';
import { HEAD_KEY } from '../../../shared/release/kv-keys.ts';
import type { Coordinator } from '../../../workers/coordinator/coordinator.ts';
import { HANG_MS } from '../../shared/support/hang.ts';
import { testKeys } from '../../shared/support/test-keys.ts';
import { asAdmin, coordinator, copied, stub, unwrap } from '../support/coordinator.ts';
import { watchPuts } from '../support/kv.ts';

const BLOCK = {
  op: 'block' as const,
  items: [{ number: '+821012345678' }],
  code: 'SENDER_REPORTED' as const,
  subjects: ['to' as const],
  until: null as string | null,
  reason: 'test',
};

/** Makes the next write of the copy wait for `letGo`. */
function holdNextWrite(): { begun: Promise<void>; letGo: () => void } {
  const begun = Promise.withResolvers<void>();
  const held = Promise.withResolvers<void>();
  let first = true;
  watchPuts((key, put) => {
    if (key !== HEAD_KEY || !first) return null;
    first = false;
    begun.resolve();
    return held.promise.then(put);
  });
  return { begun: begun.promise, letGo: held.resolve };
}

test('an entry that ends while the copy is written is in the copy too', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.UTC(2040, 0, 1) });
  const until = new Date(Date.UTC(2040, 0, 1, 0, 0, 5)).toISOString();
  unwrap(await coordinator().changeEntries(asAdmin(), { ...BLOCK, until }));
  await copied();
  vi.setSystemTime(Date.UTC(2040, 0, 1, 0, 0, 3));
  const { begun, letGo } = holdNextWrite();
  unwrap(await coordinator().changeEntries(asAdmin(), { ...BLOCK, items: [{ number: '+821099990000' }] }));
  await begun;
  vi.setSystemTime(Date.UTC(2040, 0, 1, 0, 0, 6));
  const alarm = runInDurableObject(stub() as DurableObjectStub<Coordinator>, (instance) => instance.alarm());
  await vi.waitFor(async () => expect((await coordinator().status()).seq).toBe(3), HANG_MS);
  letGo();
  await alarm;
  await copied();
  expect(await runInDurableObject(stub(), (_, { storage }) => storage.getAlarm())).toBeNull();
});

test('a late write over a newer copy is corrected', async () => {
  vi.spyOn(console, 'warn').mockReturnValue(undefined);
  const { begun, letGo } = holdNextWrite();
  unwrap(await coordinator().changeEntries(asAdmin(), BLOCK));
  await begun;
  unwrap(await coordinator().changeEntries(asAdmin(), { ...BLOCK, op: 'unblock' }));
  await copied();
  letGo();
  const writes = () => vi.mocked(env.LISTS.put).mock.calls.filter(([key]) => key === HEAD_KEY).length;
  await vi.waitFor(() => expect(writes()).toBe(3), HANG_MS);
  await copied();
  const bytes = new Uint8Array((await env.LISTS.get(HEAD_KEY, 'arrayBuffer'))!);
  expect(await openHead(bytes, testKeys)).toMatchObject({ ok: true, value: { head: { seq: 2 } } });
});
