/**
 * The bytes that the coordinator stores for an operation, as SQLite counts them. Data that is stored once is
 * read back whole.
 */

import { evictDurableObject, runInDurableObject } from 'cloudflare:test';
import { describe, expect, test, vi } from 'vitest';
import { AuditVerifier, keyedNumber } from '../../../shared/audit.ts';
import {
  AUDIT_PAGE_CHARS_MAX,
  BULK_ENTRIES_MAX,
  REASON_CHARS_MAX,
  UNSEALED_ENTRIES_MAX,
} from '../../../shared/limits/control.ts';
import { PROTECTED_NUMBERS_MAX } from '../../../shared/limits/lists.ts';
import type { Coordinator } from '../../../workers/coordinator/coordinator.ts';
import { HANG_MS } from '../../shared/support/hang.ts';
import { testKeys } from '../../shared/support/test-keys.ts';
import { ALL_LIVE_GUARDS, asAdmin, coordinator, startFailure, stub, unwrap } from '../support/coordinator.ts';
import { makeOlderTables } from '../support/older-tables.ts';
import { ANY, budgets, NOON, TOKEN } from '../support/room.ts';

/**
 * For one number with both subjects: two live rows with their index, and an audit record. Earlier versions
 * took 567 to 11,527.
 */
const BYTES_PER_ENTRY_MAX = 350;
/** Maximum that the longest reason may add to one operation: a row of 1,500 bytes in pages of 4,096. */
const BYTES_PER_REASON_MAX = 5 * 4_096;

/** Of one operation: enough that single pages of the database do not matter. */
const ENTRIES = 2_500;

const SHORT = 'x';
/** Each character has three bytes in UTF-8. */
const LONG = '가'.repeat(REASON_CHARS_MAX);

function change(op: 'block' | 'unblock' | 'clear', first: number, count: number, more: object = {}) {
  const items = Array.from({ length: count }, (_, index) => ({ number: `+8210${first + index}` }));
  return {
    ...{ op, items, code: 'SENDER_REPORTED' as const, subjects: ['from' as const, 'to' as const] },
    ...{ until: null, reason: 'in the order', overrides: ALL_LIVE_GUARDS, ...more },
  };
}

/** Waits for the background work of a change. This work is not counted, and must end before the next test. */
async function settled(): Promise<void> {
  await vi.waitFor(async () => {
    const { seq, kvSeq, live } = await coordinator().status();
    expect([kvSeq, live.tail <= UNSEALED_ENTRIES_MAX]).toEqual([seq, true]);
  }, HANG_MS);
}

/** The bytes that one operation adds to the tables, without later work such as sealing a segment. */
async function bytesOf(reason: string, operation: ReturnType<typeof change>): Promise<number> {
  const bytes = await runInDurableObject(stub(), async (instance, { storage }) => {
    const before = storage.sql.databaseSize;
    unwrap(await (instance as unknown as Coordinator).changeEntries(asAdmin(reason), operation));
    return storage.sql.databaseSize - before;
  });
  await settled();
  return bytes;
}

test('entries take some hundred bytes each, and their reason is stored once', async ({ annotate }) => {
  // Otherwise the third operation would hit an additional guard, and its record would be counted.
  const guards = { ...(await coordinator().guards()), hourlyItems: 1_000_000 };
  unwrap(await coordinator().putGuards(asAdmin(), guards));
  const first = await bytesOf(SHORT, change('block', 30_000_000, ENTRIES));
  const short = await bytesOf(SHORT, change('block', 40_000_000, ENTRIES));
  const long = await bytesOf(LONG, change('block', 50_000_000, ENTRIES));
  const again = await bytesOf(LONG, change('unblock', 50_000_000, ENTRIES));
  await annotate(
    `bytes of ${ENTRIES} entries: ${short} with a reason of 1 character, ${long} with one of ${LONG.length}, ${again} to change them`,
  );
  for (const bytes of [first, short, long, again]) {
    expect(bytes).toBeLessThan(BYTES_PER_ENTRY_MAX * ENTRIES);
  }
  expect(Math.abs(long - short)).toBeLessThan(BYTES_PER_REASON_MAX);
});

test('the budget of bytes includes what the end of entries writes later', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: NOON });
  await coordinator().status();
  const size = () => runInDurableObject(stub(), (_, { storage }) => storage.sql.databaseSize);
  const before = await size();
  let ended = 0;
  for (const [round, count] of [BULK_ENTRIES_MAX, 2_000, 1_000].entries()) {
    const now = NOON + round * 60_000;
    vi.setSystemTime(now);
    const until = new Date(now + 5_000).toISOString();
    const operation = change('block', 30_000_000 + ended, count, { until });
    ended += count;
    unwrap(await coordinator().changeEntries(asAdmin(), operation));
    await settled();
    vi.setSystemTime(now + 10_000);
    await runInDurableObject(stub(), (instance) => (instance as unknown as Coordinator).alarm());
  }
  const { live, audit } = await coordinator().status();
  // A record for each entry, a record for its end, and one for the guards that the largest operation overrides.
  expect([live.entries, audit.n]).toEqual([0, 2 * ended + 1]);
  const { used } = (await budgets()).find(({ budget }) => budget === 'bytes')!;
  expect(used).toBeGreaterThanOrEqual((await size()) - before);
});

describe('data that an operation stores once', () => {
  test('is part of each of its entries and records, and the chain is whole', async () => {
    // Half a surrogate pair, which UTF-8 cannot encode.
    unwrap(await coordinator().changeEntries(asAdmin(`${LONG}\ud83d`), change('block', 30_000_000, 3)));
    unwrap(await coordinator().changeEntries(asAdmin('second'), change('unblock', 30_000_001, 1)));
    await settled();
    await evictDurableObject(stub());
    const records = await coordinator().audit(0, 100);
    const verifier = new AuditVerifier();
    for (const record of records) expect(verifier.next(record)).toBeNull();
    expect(records.map(({ n, seq, actor, reason }) => [n, seq, actor, reason])).toEqual([
      ...[1, 2, 3].map((n) => [n, 1, 'token:admin', `${LONG}\ufffd`]),
      [4, 2, 'token:admin', 'second'],
    ]);
    expect(records.map(({ subject }) => subject)).toEqual(
      [30_000_000, 30_000_001, 30_000_002, 30_000_001].map((tail) =>
        keyedNumber(8210_0000_0000 + tail, testKeys),
      ),
    );
    const { entries } = await coordinator().entries('', null, 10);
    expect(entries.map(({ number, op, by, reason, seq }) => [number, op, by, reason, seq])).toEqual([
      ['+821030000000', 'block', 'token:admin', `${LONG}\ufffd`, 1],
      ['+821030000002', 'block', 'token:admin', `${LONG}\ufffd`, 1],
      ['+821030000001', 'unblock', 'token:admin', 'second', 2],
    ]);
  });

  test('is removed with its last entry, and stays until then', async () => {
    const changes = () =>
      runInDurableObject(stub(), (_, { storage }) =>
        storage.sql
          .exec<{ seq: number }>('SELECT seq FROM live_changes ORDER BY seq')
          .toArray()
          .map(({ seq }) => seq),
      );
    unwrap(await coordinator().changeEntries(asAdmin(), change('block', 30_000_000, 2)));
    unwrap(await coordinator().changeEntries(asAdmin(), change('unblock', 30_000_000, 1)));
    expect(await changes()).toEqual([1, 2]);
    unwrap(await coordinator().changeEntries(asAdmin(), change('clear', 30_000_000, 2)));
    expect(await changes()).toEqual([3]);
    await settled();
  });
});

test('a page of the log ends before it is too large for one response, and the next page continues', async () => {
  const protectedNumbers = Array.from({ length: PROTECTED_NUMBERS_MAX }, (_, index) => 821030000000 + index);
  const guards = { ...(await coordinator().guards()), protectedNumbers };
  // Each record holds the settings twice, before and after.
  const chars = 2 * JSON.stringify(protectedNumbers).length;
  const count = Math.ceil(AUDIT_PAGE_CHARS_MAX / chars) + 2;
  for (let index = 0; index < count; index++)
    unwrap(await coordinator().putGuards(asAdmin(`${index}`), guards));
  const page = await coordinator().audit(0, 1_000);
  expect(page.length).toBeLessThan(count);
  const rest = await coordinator().audit(page.length, 1_000);
  const verifier = new AuditVerifier();
  for (const record of [...page, ...rest]) expect(verifier.next(record)).toBeNull();
  expect(verifier.verified.n).toBe(count);
  expect(await coordinator().audit(count, 1_000)).toEqual([]);
});

test('tables of an older version are refused, with the remedy', async () => {
  await coordinator().status();
  await runInDurableObject(stub(), (_, { storage }) => {
    storage.sql.exec('DELETE FROM schema_steps');
    storage.sql.exec('INSERT INTO schema_steps (step) VALUES (3)');
  });
  await evictDurableObject(stub());
  expect(await startFailure()).toMatch(
    /tables have version 3, this code reads version \d+: delete them \(\.wrangler\/state/,
  );
});

test('tokens of tables that predate generations keep working, and their answers stay theirs', async () => {
  const token = { ...TOKEN, id: 'old' };
  expect((await coordinator().putToken(asAdmin(), 'old', token, ANY)).ok).toBe(true);
  await runInDurableObject(stub(), (_, { storage }) => {
    makeOlderTables(storage.sql);
  });
  await evictDurableObject(stub());
  const found = await coordinator().token('old');
  expect(found).toMatchObject({ ok: true, value: { holder: { generation: 0, usedAt: null } } });
  await coordinator().tokenUsed('old', 0);
  expect((await coordinator().tokens())[0]?.lastUsedAt).toMatch(/:00:00\.000Z$/);
});

test('tables of a newer version are refused', async () => {
  await coordinator().status();
  await runInDurableObject(stub(), (_, { storage }) => {
    storage.sql.exec('INSERT INTO schema_steps (step) VALUES (99)');
  });
  await evictDurableObject(stub());
  expect(await startFailure()).toMatch(/tables have version 99, this code reads version \d+: deploy/);
});
