/** Changes of the live layer become events: each with its digest, in order, at the time at which they take effect. */
import { beforeEach, expect, test, vi } from 'vitest';
import { coordinator, unwrap } from '../support/coordinator.ts';
import { drained, eventsAfter, feed, short, snapshotOf } from '../support/feed.ts';
import '../support/fresh.ts';
import { by, change, NOON, ROOT } from '../support/room.ts';

const NUMBER = '+821030000001';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: NOON });
  vi.spyOn(console, 'warn').mockReturnValue(undefined);
});

async function changed(op: 'block' | 'unblock' | 'clear', more: object = {}): Promise<number> {
  const { seq } = unwrap(
    await coordinator().changeEntries(by(ROOT), { ...change(op, NUMBER), subjects: ['from'], ...more }),
  );
  await drained();
  return seq;
}

const shown = async (): Promise<string[]> =>
  (await eventsAfter(null)).map(({ entry, before }) => (entry === null ? `delete ${short(before)}` : short(entry)));

test('a block, an unblock and a clear are an entry, another one, and its removal', async () => {
  await changed('block');
  await changed('unblock');
  await changed('clear');
  expect(await shown()).toEqual([
    `from ${NUMBER} block SENDER_REPORTED`,
    `from ${NUMBER} allow`,
    `delete from ${NUMBER} allow`,
  ]);
  expect((await snapshotOf()).entries.size).toBe(0);
  expect(await feed().status()).toMatchObject({ position: 3, entries: 0, pending: 0 });
});
