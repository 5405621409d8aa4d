/** The largest change of the live layer. The coordinator and the feed process it in bounded steps. */
import { runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { expect, test, vi } from 'vitest';
import { BULK_ENTRIES_MAX, STORAGE_BYTES_MAX } from '../../../shared/limits/control.ts';
import {
  FEED_CHANGES_MAX,
  FEED_CHECKS_MAX,
  FEED_READS_MAX,
  FEED_RETRY_MS,
} from '../../../shared/limits/feed.ts';
import type { ControlEnv } from '../../../workers/env.ts';
import { readLimits } from '../../../workers/feed/released-lists.ts';
import type { LiveChanges, LiveCursor } from '../../../workers/storage/feed-port.ts';
import { EVER, plainList } from '../../shared/support/plain-model.ts';
import { ALL_GUARDS, asAdmin, coordinator, stage, stub, unwrap } from '../support/coordinator.ts';
import {
  drained,
  eventsAfter,
  feed,
  feedStub,
  partyOf,
  ran,
  replayed,
  snapshotOf,
  unheard,
} from '../support/feed.ts';
import { by, change, HOUR, NOON, ROOT } from '../support/room.ts';

async function block(items: readonly { readonly number: string }[], until: string | null = null) {
  const wanted = { ...change('block'), items, subjects: ['from'], until };
  unwrap(await coordinator().changeEntries(by(ROOT), wanted as never));
}

test('ten thousand entries are read in pages, with bounded work for each', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: NOON });
  const items = Array.from({ length: BULK_ENTRIES_MAX }, (_, index) => ({
    number: `+8210${32_000_000 + index}`,
  }));
  const binding = (env as unknown as ControlEnv).COORDINATOR;
  const real = binding.getByName.bind(binding);
  const pages: LiveChanges[] = [];
  await unheard(() => block(items));
  const watched = vi.spyOn(binding, 'getByName').mockImplementation((id) => {
    const target = real(id) as unknown as ReturnType<typeof coordinator>;
    const liveChanges = async (after: LiveCursor | null, limit: number): Promise<LiveChanges> => {
      const page = await target.liveChanges(after, limit);
      pages.push(page);
      return page;
    };
    return new Proxy(target, {
      get: (_, call) => (call === 'liveChanges' ? liveChanges : Reflect.get(target, call)),
    }) as never;
  });
  await drained();
  watched.mockRestore();
  expect(Math.max(...pages.map(({ places }) => places.length))).toBe(FEED_CHANGES_MAX);
  const places = pages.flatMap((page) => page.places.map(({ high, low }) => `${high} ${low}`));
  // The first page was requested before the generation of the live layer was known.
  expect(new Set(places.slice(FEED_CHANGES_MAX)).size).toBe(BULK_ENTRIES_MAX);
  expect(pages.length).toBeLessThanOrEqual(2 + Math.ceil(BULK_ENTRIES_MAX / FEED_CHANGES_MAX));
  expect(await feed().status()).toMatchObject({
    position: BULK_ENTRIES_MAX,
    entries: BULK_ENTRIES_MAX,
  });
  const { entries } = await snapshotOf();
  expect(replayed(new Map(), await eventsAfter(null))).toEqual(entries);
  // A page in the middle of one change reads only its own rows.
  const middle = pages.at(-3)!.next;
  const rowsRead = await runInDurableObject(stub(), async (instance, { storage }) => {
    const exec = storage.sql.exec.bind(storage.sql);
    const cursors: SqlStorageCursor<Record<string, SqlStorageValue>>[] = [];
    const spied = vi.spyOn(storage.sql, 'exec').mockImplementation(((...args: Parameters<typeof exec>) => {
      const cursor = exec(...args);
      cursors.push(cursor);
      return cursor;
    }) as never);
    await (instance as unknown as ReturnType<typeof coordinator>).liveChanges(middle, 100);
    spied.mockRestore();
    return cursors.reduce((sum, cursor) => sum + cursor.rowsRead, 0);
  });
  expect(rowsRead).toBeGreaterThan(100);
  expect(rowsRead).toBeLessThan(100 * 12);
});

test('a run that has read enough of KV leaves the rest to the alarm', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: NOON });
  const warned: string[] = [];
  vi.spyOn(console, 'warn').mockImplementation((line: string) => void warned.push(line));
  const items = Array.from({ length: 2 * FEED_CHECKS_MAX }, (_, index) => ({
    number: `+8210${33_000_000 + index}`,
  }));
  const lists = [plainList('listed', { numbers: [{ n: 821_033_000_000, ...EVER }] })];
  const name = await stage({ lists, base: null, minute: 0 });
  const options = { base: null, share: 1, overrides: ALL_GUARDS, reason: 'test' };
  unwrap(await coordinator().promote(asAdmin(), name, options));
  await unheard(() => block(items));
  readLimits.reads = 1;
  try {
    await ran();
    expect((await feed().status()).position).toBe(FEED_CHECKS_MAX);
    const alarm = await runInDurableObject(feedStub(), (_: unknown, { storage }: DurableObjectState) =>
      storage.getAlarm(),
    );
    expect(alarm).toBe(NOON + FEED_RETRY_MS);
    expect(warned.join()).not.toContain('feedFailed');
    vi.setSystemTime(NOON + FEED_RETRY_MS);
    await ran();
    expect((await feed().status()).position).toBe(2 * FEED_CHECKS_MAX);
  } finally {
    readLimits.reads = FEED_READS_MAX;
  }
});

test('a feed without room reads no further changes, and lets entries end', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: NOON });
  const warned: string[] = [];
  vi.spyOn(console, 'warn').mockImplementation((line: string) => void warned.push(line));
  await block([{ number: '+821030000001' }], new Date(NOON + HOUR).toISOString());
  await drained();
  const fill = (isFull: boolean): Promise<void> =>
    runInDurableObject(feedStub(), (_: unknown, { storage }: DurableObjectState) => {
      const get = (): number => (isFull ? STORAGE_BYTES_MAX : 0);
      Object.defineProperty(storage.sql, 'databaseSize', { get, configurable: true });
    });
  await fill(true);
  await block([{ number: '+821030000002' }]);
  await drained();
  expect(warned).toContain('{"event":"feedFull","entries":1}');
  vi.setSystemTime(NOON + HOUR);
  await drained();
  expect((await eventsAfter(null)).map(({ entry }) => partyOf(entry)?.number ?? 'none')).toEqual([
    '+821030000001',
    'none',
  ]);
  await fill(false);
  await drained();
  expect(partyOf((await eventsAfter(null)).at(-1)!.entry)?.number).toBe('+821030000002');
});
