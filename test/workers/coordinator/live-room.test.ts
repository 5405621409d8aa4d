/** Room in the live layer: the share of one authority, and the reserves for unblock and clear and for root. */
import { evictDurableObject, runInDurableObject } from 'cloudflare:test';
import { describe, expect, test, vi } from 'vitest';
import type { Actor } from '../../../shared/admin/actor.ts';
import {
  BULK_ENTRIES_MAX,
  LIVE_ENTRIES_MAX,
  LIVE_ENTRIES_PER_AUTHORITY_MAX,
  LIVE_ROOT_RESERVE,
  TOKEN_ENTRIES_PER_HOUR_MAX,
  UNBLOCK_RESERVE,
} from '../../../shared/limits/control.ts';
import {
  ADMIN,
  ALL_GUARDS,
  asAdmin,
  codeOf,
  coordinator,
  stage,
  stub,
  unwrap,
} from '../support/coordinator.ts';
import { budgets, by, change, HOUR, NOON, ROOT, refusalOf } from '../support/room.ts';
import { smallLists } from '../support/world.ts';

type Op = 'block' | 'unblock' | 'clear';

const OTHER: Actor = { ...ADMIN, name: 'token:other', authority: 'ktoa' };
/** Entries of one change of one number. */
const ONE = 2;

const numbers = (first: number, count: number) =>
  Array.from({ length: count }, (_, index) => ({ number: `+${821_030_000_000 + first + index}` }));

const bulk = (actor: Actor, op: Op, first: number, count: number, more: object = {}) =>
  coordinator().changeEntries(by(actor), { ...change(op), items: numbers(first, count), ...more });

const one = (actor: Actor, op: Op, n: number) => bulk(actor, op, n, 1);

async function held(): Promise<Record<string, SqlStorageValue>> {
  return runInDurableObject(stub(), (_, { storage }) =>
    Object.fromEntries(
      storage.sql
        .exec<{ authority: string; entries: number }>('SELECT authority, entries FROM live_held')
        .toArray()
        .map(({ authority, entries }) => [authority, entries]),
    ),
  );
}

/** Sets the number of live entries that the coordinator counts for an authority. */
async function hold(name: string, entries: number): Promise<void> {
  await coordinator().status();
  await runInDurableObject(stub(), (_, { storage }) => {
    storage.sql.exec('INSERT OR REPLACE INTO live_held VALUES (?, ?)', name, entries);
  });
}

/** Fills the layer with this many entries of other actors. */
const holdOthers = (entries: number): Promise<void> => hold('others', entries);

test('the limits leave room for a bulk operation of numbers with both subjects', () => {
  const largest = 2 * BULK_ENTRIES_MAX;
  expect(UNBLOCK_RESERVE).toBeGreaterThanOrEqual(largest);
  expect(LIVE_ROOT_RESERVE).toBeGreaterThanOrEqual(largest);
  expect(LIVE_ENTRIES_PER_AUTHORITY_MAX).toBeLessThanOrEqual(LIVE_ENTRIES_MAX / 2);
});

test('one token cannot fill the live layer with unblocks', async () => {
  const largest = 2 * BULK_ENTRIES_MAX;
  // Leaves room for one operation and for part of the next one.
  await hold('kisa', LIVE_ENTRIES_PER_AUTHORITY_MAX - largest - ONE);
  const codes: string[] = [];
  for (let call = 0; codes.at(-1) !== 'LIVE_FULL' && call < 30; call++) {
    codes.push(codeOf(await bulk(ADMIN, 'unblock', call * BULK_ENTRIES_MAX, BULK_ENTRIES_MAX)));
  }
  expect(codes).toEqual(['ok', 'LIVE_FULL']);
  expect((await coordinator().status()).live.entries).toBeLessThan(LIVE_ENTRIES_MAX - LIVE_ROOT_RESERVE);
  expect([await one(OTHER, 'unblock', 9e6), await one(ROOT, 'clear', 9e6)].map(codeOf)).toEqual(['ok', 'ok']);
});

describe('an authority', () => {
  const BLOCKS_MAX = LIVE_ENTRIES_PER_AUTHORITY_MAX - UNBLOCK_RESERVE;

  test('may hold no more than its share, the last of it for unblock and clear', async () => {
    await hold('kisa', BLOCKS_MAX - ONE);
    expect(codeOf(await one(ADMIN, 'block', 1))).toBe('ok');
    const refusal = refusalOf(await one(ADMIN, 'block', 2));
    expect(refusal.code).toBe('LIVE_FULL');
    expect(refusal.message).toBe(
      `the authority "kisa" may have at most ${BLOCKS_MAX} live entries, and ${UNBLOCK_RESERVE} more for unblock and clear; ` +
        'they are removed once the current release and the 2 before it contain them: build and push',
    );
    expect([await one(ADMIN, 'unblock', 2), await one(ADMIN, 'clear', 3)].map(codeOf)).toEqual(['ok', 'ok']);
    await hold('kisa', LIVE_ENTRIES_PER_AUTHORITY_MAX);
    const codes = [
      await one(ADMIN, 'unblock', 4),
      await one(ADMIN, 'clear', 4),
      await one(ADMIN, 'block', 1),
    ];
    // The last change replaces an existing entry.
    expect(codes.map(codeOf)).toEqual(['LIVE_FULL', 'LIVE_FULL', 'ok']);
  });

  test('has the same share with another token, and after an eviction', async () => {
    await hold('kisa', BLOCKS_MAX);
    await evictDurableObject(stub());
    const codes = [await one({ ...ADMIN, name: 'token:second' }, 'block', 1), await one(OTHER, 'block', 1)];
    expect(codes.map(codeOf)).toEqual(['LIVE_FULL', 'ok']);
  });

  test('holds the entries that it placed last: replaced, ended and folded entries no longer count', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: NOON });
    unwrap(await bulk(ADMIN, 'block', 0, 3));
    unwrap(await bulk(OTHER, 'unblock', 0, 1));
    const until = new Date(NOON + HOUR).toISOString();
    unwrap(await bulk(OTHER, 'block', 5, 4, { subjects: ['from'], until }));
    expect(await held()).toEqual({ kisa: 4, ktoa: 6 });
    vi.setSystemTime(NOON + HOUR);
    await runInDurableObject(stub(), (instance) =>
      (instance as unknown as { alarm(): Promise<void> }).alarm(),
    );
    expect(await held()).toEqual({ kisa: 4, ktoa: 2 });
    const release = await stage({ lists: smallLists(), foldedSeq: 1 });
    const promotion = { base: null, share: 1, overrides: ALL_GUARDS, reason: 'test' };
    unwrap(await coordinator().promote(asAdmin(), release, promotion));
    expect(await held()).toEqual({ ktoa: 2 });
    expect((await coordinator().status()).live.entries).toBe(2);
  });
});

describe('a full live layer', () => {
  const FOR_TOKENS = LIVE_ENTRIES_MAX - LIVE_ROOT_RESERVE;

  test('accepts unblock and clear longer than block, and changes of root last', async () => {
    await holdOthers(FOR_TOKENS - UNBLOCK_RESERVE);
    expect([await one(ADMIN, 'block', 1), await one(ROOT, 'block', 1)].map(codeOf)).toEqual([
      ...['LIVE_FULL', 'LIVE_FULL'],
    ]);
    expect([await one(ADMIN, 'unblock', 1), await one(ADMIN, 'clear', 2)].map(codeOf)).toEqual(['ok', 'ok']);
    await holdOthers(FOR_TOKENS);
    const refusal = refusalOf(await one(ADMIN, 'unblock', 3));
    expect([refusal.code, refusal.message]).toEqual([
      ...[
        'LIVE_FULL',
        expect.stringMatching(/^the live layer may have at most 480000 live entries; they are removed/),
      ],
    ]);
    const of = [await bulk(ROOT, 'unblock', 10, 4_000), await bulk(ROOT, 'clear', 5_000, 4_000)];
    expect(of.map(codeOf)).toEqual(['ok', 'ok']);
  });

  test('accepts changes that do not make it grow', async () => {
    unwrap(await one(ADMIN, 'block', 1));
    await holdOthers(LIVE_ENTRIES_MAX);
    for (const op of ['clear', 'unblock', 'block'] as const) {
      expect(codeOf(await one(OTHER, op, 1))).toBe('ok');
      expect(codeOf(await one(OTHER, op, 2))).toBe('LIVE_FULL');
    }
  });
});

describe('the budget of entries', () => {
  const used = async () => (await budgets()).find(({ budget }) => budget === 'entries')?.used;

  test('counts stored entries: one for each number or fingerprint, and subject', async () => {
    unwrap(await bulk(ADMIN, 'block', 0, 10));
    expect(await used()).toBe(20);
    unwrap(await bulk(ADMIN, 'block', 0, 10, { subjects: ['from', 'from'] }));
    expect(await used()).toBe(30);
    // A sender ID with look-alike letters has two fingerprints.
    const items = [{ source: 'M\u0410YBANK' }];
    unwrap(await coordinator().changeEntries(by(ADMIN), { ...change('block'), items, subjects: ['from'] }));
    expect(await used()).toBe(32);
  });

  test('counts an operation that is refused for one of its items', async () => {
    const items = [...numbers(0, BULK_ENTRIES_MAX / 2 - 1), { number: 'x' }];
    const calls = Math.ceil(TOKEN_ENTRIES_PER_HOUR_MAX / BULK_ENTRIES_MAX);
    for (let call = 1; call <= calls; call++) {
      const refused = await coordinator().changeEntries(asAdmin(), { ...change('block'), items });
      expect([codeOf(refused), await used()]).toEqual(['ENTRY_INVALID', call * BULK_ENTRIES_MAX]);
    }
    expect(codeOf(await coordinator().changeEntries(asAdmin(), { ...change('block'), items }))).toBe(
      'BUDGET_EXCEEDED',
    );
  });

  test('counts an operation that is refused for its end', async () => {
    expect(codeOf(await bulk(ADMIN, 'block', 0, 100, { until: '2020-01-01T00:00:00Z' }))).toBe('FIELD_VALUE');
    expect(await used()).toBe(200);
  });
});
