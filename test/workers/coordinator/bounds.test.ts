/** The cost of the coordinator's work and the size of its data are bounded at scale. */
import { runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { expect, test, vi } from 'vitest';
import { SEALED_PER_LIVE_MAX, SEGMENT_ENTRIES_MAX, VALUES_KEPT_MS } from '../../../shared/limits/control.ts';
import { KeyRing } from '../../../shared/set/key-ring.ts';
import { FOREVER } from '../../../shared/set/layout.ts';
import { ActiveKeys } from '../../../workers/coordinator/active-keys.ts';
import { LiveStore } from '../../../workers/coordinator/live-store.ts';
import { Meta } from '../../../workers/coordinator/meta.ts';
import { HANG_MS } from '../../shared/support/hang.ts';
import { testKeys } from '../../shared/support/test-keys.ts';
import {
  ALL_LIVE_GUARDS,
  asAdmin,
  coordinator,
  readHead,
  stage,
  stub,
  unwrap,
  WRANGLER,
} from '../support/coordinator.ts';
import { smallLists } from '../support/world.ts';

const CHANGE = {
  op: 'unblock' as const,
  items: [],
  code: 'SENDER_REPORTED' as const,
  subjects: ['from' as const, 'to' as const],
  until: null,
  overrides: ALL_LIVE_GUARDS,
  reason: 'test',
};

/** Runs work on the coordinator's tables. @returns its result and the number of rows it read */
async function counted<Value>(
  work: (sql: SqlStorage, storage: DurableObjectStorage) => Value,
): Promise<{ value: Value; rowsRead: number }> {
  await coordinator().status();
  return runInDurableObject(stub(), (_, { storage }) => {
    const cursors: SqlStorageCursor<Record<string, SqlStorageValue>>[] = [];
    const exec = (query: string, ...values: unknown[]) => {
      const cursor = storage.sql.exec(query, ...values);
      cursors.push(cursor);
      return cursor;
    };
    const value = work({ exec } as unknown as SqlStorage, storage);
    return { value, rowsRead: cursors.reduce((sum, { rowsRead }) => sum + rowsRead, 0) };
  });
}

function addChange(sql: SqlStorage, seq: number, until: number): void {
  sql.exec(
    "INSERT OR IGNORE INTO live_changes VALUES (?, 1, 'block', 'SENDER_REPORTED', 'kisa', ?, NULL, NULL)",
    seq,
    until,
  );
}

/** Live entries: numbers for both subjects, in changes of 10,000. */
function fillLive(sql: SqlStorage, numbers: number): void {
  sql.exec("INSERT INTO operations VALUES (1, 1, 1, 'a', 'b')");
  for (let seq = 1; seq <= numbers / 10_000; seq++) addChange(sql, seq, FOREVER);
  sql.exec(
    `INSERT INTO live
     WITH RECURSIVE place(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM place WHERE n + 1 < ?)
     SELECT 0, 8210, 30000000 + n, subject, 1 + n / 10000, NULL
     FROM place, (SELECT 1 AS subject UNION SELECT 2)`,
    numbers,
  );
}

test('the end of an entry reads only the rows that end', async () => {
  const NOW = 1_000;
  const { value, rowsRead } = await counted((sql, storage) => {
    fillLive(storage.sql, 20_000);
    addChange(storage.sql, 9, NOW);
    for (const subject of [1, 2]) {
      storage.sql.exec('INSERT INTO live VALUES (0, 8210, 99, ?, 9, NULL)', subject);
    }
    return new LiveStore(sql, new ActiveKeys(new KeyRing([testKeys]), new Meta(sql))).expire(NOW, 100);
  });
  expect(value).toMatchObject([{ action: 'entries.end', before: { subjects: ['from', 'to'] } }]);
  expect(rowsRead).toBeLessThan(50);
});

test('a look-up or change of one number reads only the rows of that number', async () => {
  const target = { kind: 'number', high: 8210, low: 30_012_345, source: null } as const;
  const { value, rowsRead } = await counted((sql, storage) => {
    fillLive(storage.sql, 20_000);
    const live = new LiveStore(sql, new ActiveKeys(new KeyRing([testKeys]), new Meta(sql)));
    const made = live.apply(
      CHANGE,
      [target],
      { root: false, authority: 'kisa' },
      { seq: 3, operation: 1, now: 1_000, needs: { kinds: [], authorities: [] } },
    );
    return { made, found: live.find(target, 1_000) };
  });
  expect(value).toMatchObject({ made: { ok: true }, found: [{ op: 'unblock', seq: 3 }] });
  expect(rowsRead).toBeLessThan(50);
});

test('replaced entries do not accumulate in the segments', async () => {
  const TURNS = 4;
  const items = Array.from({ length: 10_000 }, (_, index) => ({ number: `+8210${30_000_000 + index}` }));
  // Without compaction, this would leave 80,000 sealed entries. The limit is 56,384.
  for (let turn = 0; turn < TURNS; turn++) {
    const op = turn % 2 === 0 ? 'block' : 'unblock';
    unwrap(await coordinator().changeEntries(asAdmin(), { ...CHANGE, op, items }));
  }
  await vi.waitFor(async () => {
    const { seq, kvSeq, live } = await coordinator().status();
    expect([kvSeq, live.tail]).toEqual([seq, 0]);
  }, HANG_MS);
  const { value: sealed } = await counted((sql) =>
    sql.exec<{ entries: number }>('SELECT SUM(entries) AS entries FROM segments').one(),
  );
  const { live } = await coordinator().status();
  expect(live.entries).toBe(20_000);
  expect(sealed.entries).toBeLessThanOrEqual(SEALED_PER_LIVE_MAX * live.entries + SEGMENT_ENTRIES_MAX);
  const { live: layer } = (await readHead())!;
  for (let index = 0; index < 10_000; index += 499) {
    expect(layer.find('number', 8210, 30_000_000 + index, 1, 0, 0)).toMatchObject({
      op: 'unblock',
      seq: TURNS,
    });
  }
});

test('removing many values reads the waiting manifests once', async () => {
  vi.spyOn(console, 'warn').mockReturnValue(undefined);
  vi.useFakeTimers({ toFake: ['Date'], now: Date.UTC(2040, 0, 1) });
  const WAITING = 10;
  for (let minute = 0; minute < WAITING; minute++) await stage({ lists: smallLists(), minute });
  const unnamed = Array.from({ length: 100 }, (_, index) => `shard/${String(index).padStart(32, '0')}`);
  for (const key of unnamed) await env.LISTS.put(key, 'x');
  await coordinator().sweep(WRANGLER);
  vi.setSystemTime(Date.UTC(2040, 0, 1) + VALUES_KEPT_MS);
  const parse = vi.spyOn(JSON, 'parse');
  await coordinator().sweep(WRANGLER);
  const manifests = parse.mock.calls.filter(([text]) => text.includes('"foldedSeq"')).length;
  parse.mockRestore();
  expect(await env.LISTS.get(unnamed[0]!)).toBeNull();
  expect(manifests).toBeLessThanOrEqual(WAITING);
});

test('concurrent requests share one plan, and other guards get a new plan', async () => {
  const release = await stage({ lists: smallLists() });
  const get = vi.spyOn(env.LISTS, 'get');
  const reads = () => get.mock.calls.filter(([key]) => String(key).startsWith('shard/')).length;
  const alone = unwrap(await coordinator().plan(release));
  const readsOfOne = reads();
  expect(readsOfOne).toBeGreaterThan(0);
  get.mockClear();
  const plans = await Promise.all(Array.from({ length: 5 }, () => coordinator().plan(release)));
  expect(plans.map(unwrap)).toEqual(plans.map(() => alone));
  expect(reads()).toBe(readsOfOne);
  const guards = { ...(await coordinator().guards()), addShare: 0.5 };
  const before = coordinator().plan(release);
  unwrap(await coordinator().putGuards(asAdmin(), guards));
  const after = unwrap(await coordinator().plan(release));
  expect([unwrap(await before).hash, after.hash === alone.hash]).toEqual([alone.hash, false]);
});
