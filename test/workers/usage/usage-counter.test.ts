/**
 * The object that keeps the counts of a client. Each flush is counted once, whatever dies at any time, stored data is bounded,
 * and readers find every object.
 */
import { evictDurableObject, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { describe, expect, test, vi } from 'vitest';
import {
  USAGE_COMMITS_MAX,
  USAGE_DAYS_KEPT,
  USAGE_FLUSHES_KEPT_MS,
  USAGE_FLUSHES_PER_SECOND,
  USAGE_HOURS_KEPT_DAYS,
  USAGE_STORED_NAMES_MAX,
} from '../../../shared/limits/control.ts';
import { RECORD_BYTES_PER_DAY_MAX } from '../../../shared/limits/edge.ts';
import { HOUR_MS } from '../../../shared/time.ts';
import { OTHER, sumCounts } from '../../../shared/usage/counts.ts';
import { type UsageFlush, usageObjectName } from '../../../shared/usage/flush.ts';
import type { UsageObject } from '../../../workers/storage/usage-port.ts';
import { UsageStore } from '../../../workers/usage/usage-store.ts';
import { HANG_MS } from '../../shared/support/hang.ts';

const CLIENT = 'kt';
const HOUR = 497_000;
const NOW = HOUR * HOUR_MS + 1;
const DAY_MS = 24 * HOUR_MS;

function stubOf(shard = 0): DurableObjectStub {
  return env.USAGE!.getByName(usageObjectName(CLIENT, shard)) as unknown as DurableObjectStub;
}

function object(shard = 0): UsageObject {
  return stubOf(shard) as unknown as UsageObject;
}

function flushOf(
  isolate: string,
  flush: number,
  numbers: number,
  rest: Partial<UsageFlush> = {},
): UsageFlush {
  const counts = { totals: { numbers }, by: { channel: [['sms', numbers, 0, 0, 0]] } } as const;
  return { client: CLIENT, isolate, flush, hour: HOUR, counts, shard: 0, shards: 1, ...rest };
}

async function numbersStored(): Promise<number> {
  const { periods } = await object().history(0, 10 * HOUR);
  return (
    sumCounts(
      periods.map(({ counts }) => counts),
      10,
    ).totals.numbers ?? 0
  );
}

/** Runs in the object, with access to its tables. */
function inStore<Value>(run: (store: UsageStore, storage: DurableObjectStorage) => Value): Promise<Value> {
  return runInDurableObject(stubOf(), (_, { storage }) => run(new UsageStore(storage), storage));
}

describe('a flush', () => {
  test('is counted once, also if the object ends between the count and the answer', async () => {
    await object().apply(flushOf('a', 1, 5));
    await evictDurableObject(stubOf());
    await object().apply(flushOf('a', 1, 5));
    await object().apply(flushOf('b', 1, 7));
    await evictDurableObject(stubOf());
    await Promise.all([object().apply(flushOf('a', 1, 5)), object().apply(flushOf('b', 1, 7))]);
    expect(await numbersStored()).toBe(12);
  });

  test('is counted once among many of one commit, sent twice in it', async () => {
    const many = Array.from({ length: 100 }, (_, index) => flushOf(`isolate-${index % 50}`, 1, 1));
    await Promise.all(many.map((flush) => object().apply(flush)));
    expect(await numbersStored()).toBe(50);
    await Promise.all(many.map((flush) => object().apply({ ...flush, flush: 2 })));
    expect(await numbersStored()).toBe(100);
  });

  test('is counted once after its number was merged with those of many commits', async () => {
    await inStore((store) => {
      for (let commit = 1; commit <= 3 * USAGE_COMMITS_MAX; commit++)
        store.commit([flushOf('a', commit, 1)], NOW);
      store.commit([flushOf('b', 1, 1)], NOW);
    });
    await evictDurableObject(stubOf());
    await inStore((store) => {
      for (const flush of [1, USAGE_COMMITS_MAX, 3 * USAGE_COMMITS_MAX])
        store.commit([flushOf('a', flush, 1)], NOW);
      store.commit([flushOf('b', 1, 1)], NOW);
    });
    expect(await numbersStored()).toBe(3 * USAGE_COMMITS_MAX + 1);
  });

  test('leaves nothing in the tables if its transaction fails, and is counted when it comes again', async () => {
    await inStore((store, storage) => {
      store.commit([flushOf('a', 1, 5)], NOW);
      storage.sql.exec('ALTER TABLE flushes RENAME TO elsewhere');
      expect(() => store.commit([flushOf('a', 2, 5)], NOW)).toThrow();
      storage.sql.exec('ALTER TABLE elsewhere RENAME TO flushes');
    });
    expect(await numbersStored()).toBe(5);
    await inStore((store) => store.commit([flushOf('a', 2, 5)], NOW));
    expect(await numbersStored()).toBe(10);
  });

  test('writes few rows, however many come at once', async () => {
    const written = await inStore((store, storage) => {
      store.commit([flushOf('a', 1, 1)], NOW);
      const spy = vi.spyOn(storage.sql, 'exec');
      store.commit(
        Array.from({ length: 1_000 }, (_, index) => flushOf(`isolate-${index}`, 1, 1)),
        NOW,
      );
      return spy.mock.calls.filter(([query]) => /^(INSERT|DELETE)/.test(String(query))).length;
    });
    expect(written).toBe(2);
  });
});

describe('what is stored', () => {
  test('flush numbers end after their time, hours become days, and days end', async () => {
    const late = NOW + USAGE_FLUSHES_KEPT_MS + 1;
    await inStore((store, { sql }) => {
      for (let each = 1; each <= 5; each++) store.commit([flushOf(`isolate-${each}`, 1, 1)], NOW);
      for (let each = 1; each <= USAGE_COMMITS_MAX; each++) store.commit([flushOf('b', each, 1)], late);
      const rows = sql.exec<{ isolates: string }>('SELECT isolates FROM flushes').toArray();
      expect(rows.map(({ isolates }) => isolates).join()).not.toContain('isolate-');
      const later = NOW + (USAGE_HOURS_KEPT_DAYS + 2) * DAY_MS;
      store.commit([flushOf('c', 1, 3, { hour: Math.floor(later / HOUR_MS) })], later);
      const periods = store.periods(0, 10 * HOUR);
      expect(periods.map(({ hours, counts }) => [hours, counts.totals.numbers])).toEqual([
        [24, 5 + USAGE_COMMITS_MAX],
        [1, 3],
      ]);
      const muchLater = NOW + (USAGE_DAYS_KEPT + 2) * DAY_MS;
      store.commit([flushOf('d', 1, 1, { hour: Math.floor(muchLater / HOUR_MS) })], muchLater);
      expect(store.periods(0, HOUR + 1)).toEqual([]);
    });
  });

  test('flush numbers end also if the object ends after each commit', async () => {
    for (let commit = 0; commit < 2 * USAGE_COMMITS_MAX; commit++)
      await inStore((store) => store.commit([flushOf(`isolate-${commit}`, 1, 1)], NOW));
    const rows = await inStore((_, { sql }) => sql.exec('SELECT id FROM flushes').toArray().length);
    expect(rows).toBeLessThan(USAGE_COMMITS_MAX);
  });

  test('names of an hour beyond the bound are counted together', async () => {
    await inStore((store) => {
      for (let name = 0; name < USAGE_STORED_NAMES_MAX + 9; name++) {
        const counts = { totals: {}, by: { list: [[`list-${name}`, 0, 0, 0, 1]] } } as const;
        store.commit([flushOf(`isolate-${name}`, 1, 0, { counts })], NOW);
      }
      const { list } = store.periods(HOUR, HOUR + 1)[0]!.counts.by;
      expect(list).toHaveLength(USAGE_STORED_NAMES_MAX + 1);
      expect(list!.find(([name]) => name === OTHER)).toEqual([OTHER, 0, 0, 0, 9]);
    });
  });
});

describe('the answer', () => {
  test('says when the client has used up its block records of the day, also after an eviction', async () => {
    const hour = Math.floor(Date.now() / HOUR_MS);
    const counts = { totals: { recordBytes: RECORD_BYTES_PER_DAY_MAX }, by: {} };
    const small = { totals: { recordBytes: 1 }, by: {} };
    expect(await object().apply(flushOf('a', 1, 0, { hour, counts: small }))).toEqual({
      shards: 1,
      recordsFull: false,
    });
    expect(await object().apply(flushOf('a', 2, 0, { hour, counts }))).toEqual({
      shards: 1,
      recordsFull: true,
    });
    await evictDurableObject(stubOf());
    expect(await object().apply(flushOf('a', 3, 0, { hour, counts: small }))).toEqual({
      shards: 1,
      recordsFull: true,
    });
  });

  test('names more objects once one gets too many flushes, and the first object knows them', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: NOW });
    const minutes = async (from: number, count: number): Promise<void> => {
      for (let minute = from; minute < from + count; minute++) {
        vi.setSystemTime(NOW + minute * 61_000);
        const flushes = minute === 2 ? USAGE_FLUSHES_PER_SECOND * 62 : 1;
        await runInDurableObject(stubOf(1), async (instance) => {
          const counter = instance as unknown as UsageObject;
          const all = Array.from({ length: flushes }, (_, each) =>
            flushOf(`${minute}-${each}`, 1, 1, { shards: 2 }),
          );
          await Promise.all(all.map((flush) => counter.apply(flush)));
        });
      }
    };
    await minutes(1, 3);
    await vi.waitFor(async () => expect((await object().history(0, 0)).shards).toBe(4), HANG_MS);
    expect(await object(1).apply(flushOf('a', 1, 1))).toMatchObject({ shards: 4 });
    await evictDurableObject(stubOf());
    expect((await object().history(0, 0)).shards).toBe(4);
  });
});
