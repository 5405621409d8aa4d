/** A feed that stands still, a rotation of LIST_KEY, and a coordinator that was restored or set back. */
import { evictDurableObject, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { HEAD_KEY } from '../../../shared/release/kv-keys.ts';
import { KeyRing } from '../../../shared/set/key-ring.ts';
import { fingerprint } from '../../../shared/set/xxhash.ts';
import { unreadLimits } from '../../../workers/coordinator/feed-source.ts';
import { Tables } from '../../../workers/coordinator/tables.ts';
import type { ControlEnv } from '../../../workers/env.ts';
import { FeedStore } from '../../../workers/feed/feed-store.ts';
import { HANG_MS } from '../../shared/support/hang.ts';
import { otherKeys } from '../../shared/support/other-keys.ts';
import type { PlainList } from '../../shared/support/plain-model.ts';
import { testKeys } from '../../shared/support/test-keys.ts';
import { ALL_GUARDS, asAdmin, coordinator, copied, stage, stub, unwrap } from '../support/coordinator.ts';
import { drained, eventsAfter, feed, feedStub, short, snapshotOf, unheard } from '../support/feed.ts';
import { foldedLists } from '../support/folding.ts';
import { by, change, NOON, ROOT } from '../support/room.ts';
import { A, B, restarted } from '../support/rotating.ts';

const NUMBER = '+821030000001';
const OTHER = '+821030000002';
const SENDER = 'PARCEL-KR';
const HOMOGLYPH = 'PAYP\u0410L';

const warned: string[] = [];
let now = NOON;

beforeEach(() => {
  now = NOON;
  warned.length = 0;
  vi.useFakeTimers({ toFake: ['Date'], now });
  vi.spyOn(console, 'warn').mockImplementation((line: string) => void warned.push(line));
});

/** The head goes to KV at most once a second. */
function tick(): void {
  now += 1_000;
  vi.setSystemTime(now);
}

type Changes = Pick<ReturnType<typeof coordinator>, 'changeEntries'>;

async function make(
  op: 'block' | 'unblock' | 'clear',
  more: object = {},
  on: Changes = coordinator(),
): Promise<void> {
  tick();
  unwrap(await on.changeEntries(by(ROOT), { ...change(op, NUMBER), subjects: ['from'], ...more } as never));
}

const shown = async (): Promise<string[]> => [...(await snapshotOf()).entries.values()].map(short).sort();

function rowsOf(table: string): Promise<number> {
  return runInDurableObject(
    stub(),
    (_: unknown, { storage }: DurableObjectState) =>
      storage.sql.exec<{ many: number }>(`SELECT COUNT(*) AS many FROM ${table}`).one().many,
  );
}

describe('a feed that stands still', () => {
  afterEach(() => {
    unreadLimits.places = 500_000;
  });

  /** Makes as many releases with everything folded as readers may go back to. */
  async function foldedAway(): Promise<void> {
    let base: string | null = null;
    for (let minute = 0; minute < 4; minute++) {
      tick();
      const { seq } = await coordinator().status();
      const { entries } = await coordinator().entries('', null, 1_000);
      const lists: PlainList[] = minute === 0 ? [] : folded;
      if (entries.length > 0) folded = foldedLists(entries, lists, now / 1000);
      const name: string = await stage({ lists: folded, base, foldedSeq: seq, minute });
      const options = { base, share: 1, overrides: ALL_GUARDS, reason: 'test' };
      unwrap(await coordinator().promote(asAdmin(), name, options));
      base = name;
    }
  }
  let folded: PlainList[] = [];

  test('loses nothing to folding, and live entries have their room again', async () => {
    await make('block', { items: [{ number: OTHER }] });
    await drained();
    await unheard(async () => {
      await make('block', { items: [{ number: NUMBER }, { source: SENDER }], subjects: ['from', 'to'] });
      await make('unblock', { items: [{ number: OTHER }] });
      await foldedAway();
    });
    expect((await coordinator().status()).live.entries).toBe(0);
    expect(await rowsOf('feed_unread')).toBe(3);
    await drained();
    expect(await shown()).toEqual([
      `from ${NUMBER} block SENDER_REPORTED`,
      `from ${OTHER} allow`,
      `from ${SENDER} block SENDER_REPORTED`,
      `to ${NUMBER} block SENDER_REPORTED`,
    ]);
    for (const entry of (await snapshotOf()).entries.values()) expect(entry).toMatchObject({ list: 'live' });
    await drained();
    expect(await rowsOf('feed_unread')).toBe(0);
  });

  test('takes a bounded amount of the coordinator', async () => {
    unreadLimits.places = 5;
    await drained();
    const items = Array.from({ length: 8 }, (_, index) => ({ number: `+82103000${1_000 + index}` }));
    await unheard(async () => {
      await make('block', { items });
      await foldedAway();
    });
    expect(await rowsOf('feed_unread')).toBe(5);
    expect(warned).toContain('{"event":"feedPlacesLost","places":3}');
    await drained();
    expect(await shown()).toHaveLength(5);
  });

  test('does not see rows that are folded as changes', async () => {
    await make('block', { items: [{ number: NUMBER }, { source: SENDER }] });
    await drained();
    const { cursor } = await snapshotOf();
    await foldedAway();
    await drained();
    expect((await coordinator().status()).live.entries).toBe(0);
    expect(await eventsAfter(cursor)).toEqual([]);
  });
});

describe('a rotation of LIST_KEY', () => {
  /** Runs the feed and the coordinator with both keys. */
  function rotating<Value>(
    store: DurableObjectStub,
    work: (feedStore: FeedStore) => Promise<Value>,
  ): Promise<Value> {
    const both = `${B},${A}`;
    const getByName = () => ({
      liveChanges: (...args: Parameters<ReturnType<typeof coordinator>['liveChanges']>) =>
        restarted(both, (each) => each.liveChanges(...args)),
      value: (key: string) => restarted(both, (each) => each.value(key)),
    });
    return runInDurableObject(store, async (_: unknown, state: DurableObjectState) => {
      const bindings = { ...env, LIST_KEY: both, COORDINATOR: { getByName } };
      const started = new FeedStore(state, bindings as unknown as ControlEnv);
      await vi.waitFor(async () => expect((await started.status()).isConfigured).toBe(true), HANG_MS);
      return work(started);
    });
  }

  test('changes no entry and no reference, and what follows has its events', async () => {
    await make('block', { items: [{ number: NUMBER }, { source: SENDER }, { source: HOMOGLYPH }] });
    await drained();
    const { entries, cursor } = await snapshotOf();
    expect(entries.size).toBe(3);
    const print = fingerprint('unread-kr', testKeys.sourceSeed);
    await runInDurableObject(stub(), (_: unknown, { storage }: DurableObjectState) => {
      const words = [Number(print >> 32n), Number(print & 0xffffffffn)];
      storage.sql.exec('INSERT INTO feed_unread VALUES (0, 1, ?, ?, 1, ?)', ...words, 'UNREAD-KR');
    });
    const store = feedStub();
    await evictDurableObject(stub());
    // The test Worker's own store has only the first key, so the feed must not hear of this.
    await unheard(async () => {
      const options = { keyId: otherKeys.keyId, dropUnknownSources: false, reason: 'yearly' };
      unwrap(await restarted(`${B},${A}`, (each) => each.rotateListKey(asAdmin(), options)));
      const rekeyed = await runInDurableObject(stub(), (_: unknown, { storage }: DurableObjectState) =>
        storage.sql.exec<{ high: number; low: number }>('SELECT high, low FROM feed_unread').toArray(),
      );
      const other = fingerprint('unread-kr', otherKeys.sourceSeed);
      expect(rekeyed).toEqual([{ high: Number(other >> 32n), low: Number(other & 0xffffffffn) }]);
      await rotating(store, async (feedStore) => {
        await feedStore.alarm();
        expect((await feedStore.status()).pending).toBe(0);
      });
    });
    expect(await eventsAfter(cursor)).toEqual([]);
    expect((await snapshotOf()).entries).toEqual(entries);
    await unheard(async () => {
      await restarted(`${B},${A}`, (each) => make('unblock', { items: [{ source: SENDER }] }, each as never));
      await rotating(store, (feedStore) => feedStore.alarm());
    });
    expect((await eventsAfter(cursor)).map(({ entry }) => short(entry))).toEqual([`from ${SENDER} allow`]);
  });
});

describe('a coordinator', () => {
  async function lost(): Promise<void> {
    await runInDurableObject(stub(), async (_: unknown, { storage }: DurableObjectState) => {
      for (const table of [
        'releases',
        'live',
        'live_changes',
        'live_held',
        'segments',
        'audit',
        'answers',
        'meta',
      ])
        storage.sql.exec(`DELETE FROM ${table}`);
      await storage.deleteAlarm();
    });
    await evictDurableObject(stub());
  }

  test('that was restored from an older copy takes back what it has lost, and nothing else', async () => {
    await make('block', { items: [{ number: NUMBER }, { source: SENDER }, { source: HOMOGLYPH }] });
    await drained();
    await copied();
    const older = await env.LISTS.get(HEAD_KEY, 'arrayBuffer');
    await make('block', { items: [{ number: OTHER }] });
    await make('unblock', { items: [{ source: SENDER }] });
    await drained();
    await copied();
    const { cursor } = await snapshotOf();
    await env.LISTS.put(HEAD_KEY, older!);
    await lost();
    await drained();
    expect((await eventsAfter(cursor)).map(({ entry, before }) => short(entry ?? before)).sort()).toEqual([
      `from ${OTHER} block SENDER_REPORTED`,
      `from ${SENDER} block SENDER_REPORTED`,
    ]);
    expect(await shown()).toEqual([
      `from ${NUMBER} block SENDER_REPORTED`,
      `from ${SENDER} block SENDER_REPORTED`,
      `from ${HOMOGLYPH} block SENDER_REPORTED`,
    ]);
    expect((await feed().status()).unnamed).toBe(0);
  });

  test('that was set back takes back what it has lost', async () => {
    await make('block', {});
    await drained();
    await make('block', { items: [{ number: OTHER }] });
    await drained();
    await copied();
    await runInDurableObject(stub(), (_: unknown, { storage }: DurableObjectState) => {
      const { seq } = storage.sql.exec<{ seq: number }>('SELECT MAX(seq) AS seq FROM live').one();
      storage.sql.exec('DELETE FROM live WHERE seq = ?', seq);
      storage.sql.exec('DELETE FROM live_changes WHERE seq = ?', seq);
      storage.sql.exec("UPDATE meta SET value = ? WHERE key = 'seq'", String(seq - 1));
    });
    await evictDurableObject(stub());
    await drained();
    expect(await shown()).toEqual([`from ${NUMBER} block SENDER_REPORTED`]);
  });

  test('that has lost everything leaves an empty feed with its log', async () => {
    await make('block', {});
    await drained();
    await copied();
    await env.LISTS.delete(HEAD_KEY);
    await lost();
    await drained();
    expect(await shown()).toEqual([]);
    expect((await eventsAfter(null)).map(({ entry }) => entry === null)).toEqual([false, true]);
  });
});

test('without SHARING_KEY there is no feed, and the coordinator keeps nothing for it', async () => {
  await unheard(() => make('block'));
  await runInDurableObject(feedStub(), async (_: unknown, state: DurableObjectState) => {
    const store = new FeedStore(state, { ...env, SHARING_KEY: '' } as unknown as ControlEnv);
    const unset = { ok: false, code: 'NOT_CONFIGURED' };
    const message = expect.stringContaining('SHARING_KEY');
    await vi.waitFor(
      async () => expect(await store.read(null, 0)).toMatchObject({ ...unset, message }),
      HANG_MS,
    );
    expect([
      await store.snapshot(0, 1),
      await store.epoch(1),
      await store.decisions('a', true),
    ]).toMatchObject([...[unset, unset, unset]]);
    await store.alarm();
    expect(await store.status()).toMatchObject({ isConfigured: false, position: 0 });
    expect(await store.events(0, 10)).toEqual({ events: [], first: 1, last: 0 });
  });
  const kept = await runInDurableObject(stub(), (_: unknown, { storage }: DurableObjectState) =>
    [false, true].map((isOn) => {
      const source = new Tables(storage, new KeyRing([testKeys]), {}).feed;
      source.isOn = isOn;
      source.keepUnread(1_000);
      return storage.sql.exec<{ many: number }>('SELECT COUNT(*) AS many FROM feed_unread').one().many;
    }),
  );
  expect(kept).toEqual([0, 1]);
});
