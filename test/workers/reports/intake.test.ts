/** An intake alone: its limits, the withdrawal of a partner's reports, the end of reports, and a set-back intake. */
import { runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { beforeEach, expect, test, vi } from 'vitest';
import {
  REPORTER_DAYS_KEPT,
  REPORTER_SUBJECTS_PER_DAY_MAX,
  REPORTS_KEPT_DAYS,
  REPORTS_PER_SLICE_MINUTE_MAX,
  REPORTS_REMOVED_AT_ONCE,
} from '../../../shared/limits/intake.ts';
import { DAY_MS, MINUTE_MS } from '../../../shared/time.ts';
import { shardOf } from '../../../workers/storage/reports-port.ts';
import { HANG_MS } from '../../shared/support/hang.ts';
import {
  AT,
  accept,
  budget,
  counted,
  intake,
  intakeStub,
  keyed,
  PARTNER,
  report,
  SOURCE,
  subjects,
} from '../support/reports.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'] });
  vi.setSystemTime(AT);
  vi.spyOn(console, 'warn').mockImplementation(() => undefined);
});

const SUBJECT = keyed('Subject');
const totals = () => subjects(shardOf(SUBJECT)).totalsOf(SUBJECT);
const many = (count: number, from = 0) =>
  Array.from({ length: count }, (_, index) => report(`r${from + index}`));
const rowCount = () =>
  runInDurableObject(
    intakeStub(),
    (_, { storage }) => storage.sql.exec<{ n: number }>('SELECT COUNT(*) AS n FROM reports').one().n,
  );

test('all reports since a time are withdrawn in steps, and no others', async () => {
  await accept(many(3));
  vi.setSystemTime(AT + 1_000);
  const count = REPORTS_REMOVED_AT_ONCE + 500;
  await accept(many(count, 3));
  await counted();
  vi.setSystemTime(AT + 2_000);
  const began = await intake().withdrawSince(AT + 1_000);
  expect(began).toMatchObject({ since: AT + 1_000, requestedAt: AT + 2_000, isDone: false });
  // Later reports have another key.
  await accept(many(1, 9_000));
  await vi.waitFor(async () => expect((await intake().status()).withdrawal?.isDone).toBe(true), HANG_MS);
  await counted();
  expect(await intake().status()).toMatchObject({ withdrawal: { withdrawn: count }, withdrawn: count });
  expect(await totals()).toMatchObject({ received: count + 4, counted: 4, withdrawn: count });
  expect(await intake().withdrawSince(AT + 10_000)).toMatchObject({ withdrawn: 0, isDone: true });
});

test('a report beyond the bound of the minute or of the day is not kept', async () => {
  const partner = { ...PARTNER, reportsPerDay: 2 };
  expect(await accept(many(3), partner)).toEqual(['accepted', 'accepted', 'dayFull']);
  vi.setSystemTime(AT + DAY_MS);
  expect(await accept(many(3), partner)).toEqual(['known', 'known', 'accepted']);
  await counted();
});

test('an intake looks at a bounded number of reports a minute', async () => {
  const ids = Array.from({ length: REPORTS_PER_SLICE_MINUTE_MAX - 1 }, () => 'unknown');
  expect(await intake().withdraw(ids.slice(-1))).toEqual([false]);
  // One ID more than the remaining budget. Nothing is done, and the budget of this minute is used up.
  expect(await intake().withdraw([...ids, 'one more'])).toBeNull();
  expect(await accept(many(1))).toEqual(['minuteFull']);
  vi.setSystemTime(AT + MINUTE_MS);
  expect(await accept(many(1))).toEqual(['accepted']);
  await counted();
});

test('reports end after 90 days, and never before they are counted', async () => {
  await accept(many(2));
  await counted();
  vi.setSystemTime(AT + DAY_MS);
  await accept(many(1, 2));
  await counted();
  vi.setSystemTime(AT + REPORTS_KEPT_DAYS * DAY_MS);
  await runDurableObjectAlarm(intakeStub());
  expect(await rowCount()).toBe(1);
  expect(await intake().status()).toMatchObject({ acknowledged: 3, waiting: 0 });
  // The report of this ID has ended.
  expect(await accept(many(1))).toEqual(['accepted']);
  await counted();
});

test('an intake that was set back numbers its flushes after those that are known', async () => {
  const row = { ...report('other'), op: 'report', seq: 1, isCounted: true } as const;
  await subjects(shardOf(SUBJECT)).apply(SOURCE, 41, [row], { [SUBJECT]: 'seal' });
  await accept(many(2));
  await counted();
  expect(await totals()).toMatchObject({ received: 3 });
  const flushed = await runInDurableObject(intakeStub(), (_, { storage }) =>
    storage.sql.exec<{ value: string }>("SELECT value FROM meta WHERE key = 'flushed'").one(),
  );
  expect(JSON.parse(flushed.value)).toEqual({ n: 42, to: 2 });
});

test('a reporter is admitted again for the same subject, and the next day for others', async () => {
  const pairs = Array.from(
    { length: REPORTER_SUBJECTS_PER_DAY_MAX + 2 },
    (_, index) => [keyed('Reporter'), keyed(`S${index}`)] as const,
  );
  const over = [REPORTER_SUBJECTS_PER_DAY_MAX, REPORTER_SUBJECTS_PER_DAY_MAX + 1];
  const shard = budget(shardOf(keyed('Reporter')));
  expect(await shard.admit('kisa', 20_000, pairs)).toEqual(over);
  expect(await shard.admit('kisa', 20_000, pairs)).toEqual(over);
  expect(await shard.admit('kisa', 20_001, pairs.slice(-2))).toEqual([]);
  // Another partner has its own budget.
  expect(await shard.admit('kt', 20_000, pairs.slice(-2))).toEqual([]);
  const left = () =>
    runInDurableObject(
      shard as unknown as DurableObjectStub,
      (_, { storage }) =>
        storage.sql.exec<{ n: number }>('SELECT COUNT(DISTINCT day) AS n FROM pairs WHERE day < 30000').one()
          .n,
    );
  expect(await left()).toBe(2);
  await shard.admit('kisa', 20_001 + REPORTER_DAYS_KEPT, []);
  expect(await left()).toBe(0);
});
