/** Counts of reports by day: days in Korea, kinds, and what is removed. */
import { runInDurableObject } from 'cloudflare:test';
import { beforeEach, expect, test, vi } from 'vitest';
import { REPORT_DAYS_KEPT } from '../../../shared/limits/evidence-files.ts';
import { koreanDayOf, koreanDayText } from '../../../shared/time.ts';
import { ReportDays } from '../../../workers/reports/report-days.ts';
import type { CountRow } from '../../../workers/storage/reports-port.ts';
import { keyed, subjectsStub } from '../support/reports.ts';

const DAY_MS = 86_400_000;
const SUBJECT = keyed('Subject');
const NOW = Date.parse('2026-11-27T15:00:00Z');

/** Runs in the counts of one object, which stay there for the test. */
function inCounts<Value>(run: (days: ReportDays) => Value): Promise<Value> {
  return runInDurableObject(subjectsStub('0'), (_, { storage }) => run(new ReportDays(storage.sql)));
}

function row(at: string | number, rest: Partial<CountRow> = {}): CountRow {
  const common = {
    subject: SUBJECT,
    channel: 'sms',
    spam: 'loan',
    origin: 'overseas',
    isCounted: true,
  } as const;
  const time = typeof at === 'string' ? Date.parse(at) : at;
  return { op: 'report', seq: 1, reporter: 'r', at: time, ...common, ...rest } as CountRow;
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: NOW });
});

test('a day is one of Korea, and begins at 15:00 UTC', async () => {
  expect(koreanDayText(koreanDayOf(Date.parse('2026-11-27T14:59:59.999Z')))).toBe('2026-11-27');
  expect(koreanDayText(koreanDayOf(Date.parse('2026-11-27T15:00:00Z')))).toBe('2026-11-28');
  await inCounts((days) => days.add(SUBJECT, [row('2026-11-27T14:59:59Z'), row('2026-11-27T15:00:00Z')]));
  const found = await inCounts((days) => days.of(SUBJECT, 0, koreanDayOf(NOW)));
  expect(found.map(({ day, received }) => [koreanDayText(day), received])).toEqual([
    ['2026-11-27', 1],
    ['2026-11-28', 1],
  ]);
});

test('kinds, channels and origins are counted apart, and only in the days that are asked for', async () => {
  const yesterday = NOW - DAY_MS;
  await inCounts((days) => {
    days.add(SUBJECT, [
      row(yesterday),
      row(yesterday, { channel: 'voice' }),
      row(yesterday, { spam: 'adult' }),
    ]);
    days.add(SUBJECT, [row(yesterday, { origin: 'domestic', isCounted: false }), row(yesterday)]);
    days.add(SUBJECT, [{ ...row(yesterday), op: 'withdraw' } as CountRow]);
    days.add(keyed('Other'), [row(yesterday)]);
  });
  const found = await inCounts((days) => days.of(SUBJECT, koreanDayOf(yesterday), koreanDayOf(yesterday)));
  expect(found).toHaveLength(4);
  expect(found).toContainEqual({
    ...{ day: koreanDayOf(yesterday), channel: 'sms', spam: 'loan', origin: 'overseas' },
    ...{ received: 2, overBudget: 0, withdrawn: 1 },
  });
  expect(found.filter(({ origin }) => origin === 'domestic')).toMatchObject([{ received: 1, overBudget: 1 }]);
  expect(await inCounts((days) => days.of(SUBJECT, koreanDayOf(NOW), koreanDayOf(NOW)))).toEqual([]);
});

test('a withdrawal of an older version, which does not have its report, is not counted by day', async () => {
  const { at: _, channel: _channel, origin: _origin, ...older } = row(NOW);
  await inCounts((days) => days.add(SUBJECT, [{ ...older, op: 'withdraw' } as CountRow]));
  expect(await inCounts((days) => days.of(SUBJECT, 0, koreanDayOf(NOW)))).toEqual([]);
});

test('days end after their time, in bounded steps', async () => {
  const old = NOW - (REPORT_DAYS_KEPT + 1) * DAY_MS;
  await inCounts((days) => days.add(SUBJECT, [row(old), row(NOW)]));
  expect(await inCounts((days) => days.sweep(NOW))).toBe(false);
  const found = await inCounts((days) => days.of(SUBJECT, koreanDayOf(old), koreanDayOf(NOW)));
  expect(found.map(({ day }) => day)).toEqual([koreanDayOf(NOW)]);
});
