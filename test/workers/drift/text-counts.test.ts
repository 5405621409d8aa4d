/** Scores of texts from the clients' objects to the object that adds them up: exact, whatever dies at any time. */
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import fc from 'fast-check';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { DriftReport } from '../../../shared/admin/text-drift.ts';
import {
  DRIFT_BASE_DAYS,
  DRIFT_DAY_MODELS_MAX,
  DRIFT_DAY_ROWS_MAX,
  DRIFT_DAYS_KEPT,
  DRIFT_LATE_DAYS,
} from '../../../shared/limits/drift.ts';
import { HOUR_MS, koreanDayOf } from '../../../shared/time.ts';
import type { UsageFlush } from '../../../shared/usage/flush.ts';
import type { TextCounts } from '../../../shared/usage/text-counts.ts';
import { DriftRows, driftLimits } from '../../../workers/drift/drift-rows.ts';
import {
  apply,
  atNoon,
  control,
  counter,
  drift,
  driftStub,
  flushOf,
  NOON,
  reported,
  scoresOf,
  stopped,
  totals,
  WAIT,
} from '../support/drift.ts';

atNoon();

afterEach(() => {
  driftLimits.dayRows = DRIFT_DAY_ROWS_MAX;
});

function sum(all: readonly (readonly number[])[]): number[] {
  return all.reduce<number[]>((before, each) => each.map((value, at) => value + (before[at] ?? 0)), []);
}

describe('counts', () => {
  test('add up over clients, objects of a client and isolates, and repeats change nothing', async () => {
    const [one, two] = [scoresOf('text-1', 100, 0.1), scoresOf('text-2', 30, 0.5)];
    const flushes = [
      flushOf('acme', 1, [one]),
      flushOf('acme', 1, [one, two], { isolate: 'b' }),
      flushOf('acme', 1, [two], { isolate: 'c', shard: 1, shards: 2 }),
      flushOf('relay', 1, [one]),
    ];
    for (const flush of [...flushes, ...flushes]) await apply(flush);
    await reported('acme', 'acme/1', 'relay');
    await reported('acme', 'acme/1', 'relay');
    const day = koreanDayOf(NOON);
    const [ofOne, ofTwo] = [one.slice(2) as number[], two.slice(2) as number[]];
    expect(await totals()).toEqual({
      [`${day} text-1 kr-1`]: sum([ofOne, ofOne, ofOne]),
      [`${day} text-2 kr-1`]: sum([ofTwo, ofTwo]),
    });
    const own: DriftReport = await drift().read({ from: day, to: day }, 'acme');
    expect(own.days).toMatchObject([{ day: '2040-01-10', model: 'kr-1', texts: 260, psi: null }]);
    expect((await drift().read({ from: day, to: day }, null)).days[0]!.texts).toBe(360);
    expect((await drift().read({ from: day, to: day }, 'acm')).days).toEqual([]);
  });

  test('are those of a plain model, whatever fails, is repeated or dies', async () => {
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.record({ client: fc.constantFrom('a', 'b'), texts: fc.nat(40) }) },
      fc.record({ fault: fc.constantFrom('before', 'after', null) }),
      fc.constantFrom('again', 'kill a', 'kill b', 'kill drift', 'report', 'an hour passes'),
    );
    let run = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        // Each run has its own names, so that it begins empty.
        const nameOf = (client: string): string => `${client}${run}`;
        run++;
        const names = [nameOf('a'), nameOf('b')];
        const model = new Map<string, number[]>();
        const sent: UsageFlush[] = [];
        let fault: 'before' | 'after' | null = null;
        const real = drift();
        const spy = vi.spyOn(control.TEXT_DRIFT, 'getByName').mockImplementation(() => ({
          ...real,
          report: async (...args) => {
            if (fault === 'before') throw new Error('it does not respond');
            await (driftStub() as unknown as typeof real).report(...args);
            if (fault === 'after') throw new Error('the answer is lost');
          },
        }));
        try {
          for (const each of steps) {
            if (each === 'again') for (const flush of sent.slice(-2)) await apply(flush);
            else if (each === 'kill drift') {
              spy.mockRestore();
              await stopped(driftStub());
            } else if (each === 'kill a') await stopped(counter(names[0]!));
            else if (each === 'kill b') await stopped(counter(names[1]!));
            else if (each === 'report') await reported(...names);
            else if (each === 'an hour passes') vi.setSystemTime(Date.now() + HOUR_MS);
            else if ('fault' in each) fault = each.fault;
            else {
              const scores = scoresOf('text-1', each.texts + 1, 0.3, `m-${run}`);
              const flush = flushOf(nameOf(each.client), sent.length + 1, [scores]);
              sent.push(flush);
              await apply(flush);
              const key = `${koreanDayOf(flush.hour * HOUR_MS)} text-1 m-${run}`;
              model.set(
                key,
                sum([model.get(key) ?? [], scores.slice(2) as number[]].filter((c) => c.length > 0)),
              );
            }
          }
        } finally {
          spy.mockRestore();
        }
        await reported(...names);
        const all = await totals();
        const own = Object.fromEntries(Object.entries(all).filter(([key]) => key.endsWith(` m-${run}`)));
        expect(own).toEqual(Object.fromEntries(model));
      }),
      { numRuns: 8 },
    );
  });

  test('that were not reported when an object died are reported by its alarm', async () => {
    const spy = vi.spyOn(control.TEXT_DRIFT, 'getByName').mockImplementation(() => {
      throw new Error('does not respond');
    });
    await apply(flushOf('acme', 1, [scoresOf('text-1', 10, 0)]));
    await evictDurableObject(counter('acme'));
    spy.mockRestore();
    await vi.waitFor(async () => expect(await runDurableObjectAlarm(counter('acme'))).toBe(true), WAIT);
    await vi.waitFor(async () => expect(Object.values(await totals())).toHaveLength(1), WAIT);
  });

  test('of an older edge are missing, and those of days that are gone count nowhere', async () => {
    const { scores: _, ...older } = flushOf('acme', 1, []);
    await apply(older);
    const late = Math.floor(Date.now() / HOUR_MS) - 24 * (DRIFT_LATE_DAYS + 1);
    await apply(flushOf('acme', 2, [scoresOf('text-1', 10, 0)], { hour: late }));
    await reported('acme');
    expect(await totals()).toEqual({});
  });

  test('are kept for their days, for few models a day, and for a bounded number of clients', async () => {
    const day = koreanDayOf(NOON);
    const one = scoresOf('text-1', 1, 0);
    for (let flush = 1; flush <= DRIFT_DAY_MODELS_MAX + 3; flush++)
      await apply(flushOf('acme', flush, [scoresOf('text-1', 1, 0, `kr-${flush}`)]));
    await reported('acme');
    expect(Object.keys(await totals())).toHaveLength(DRIFT_DAY_MODELS_MAX);
    await runInDurableObject(driftStub(), (_, { storage }) => {
      const rows = new DriftRows(storage);
      const full = Array.from(
        { length: 50 },
        (_, at): TextCounts => ['text-1', `m-${at}`, ...(one.slice(2) as number[])],
      );
      driftLimits.dayRows = 200;
      for (let source = 0; source < 4; source++)
        rows.merge(`c-${source}`, [{ day: day - 1, scores: full }], day);
      expect(rows.merge('more', [{ day: day - 1, scores: [one] }], day)).toBe(1);
      // A row that exists can still rise.
      const [release, model, ...counts] = one;
      const risen: TextCounts = [release, 'm-0', ...counts.map((each) => 2 * each)];
      expect([rows.merge('c-0', [{ day: day - 1, scores: [risen] }], day), model]).toEqual([0, 'kr-1']);
      expect(rows.merge('c-0', [{ day: day - 100, scores: [one] }], day)).toBe(0);
      rows.forget(day + DRIFT_DAYS_KEPT + DRIFT_BASE_DAYS);
      expect(rows.totals({ from: 0, to: 1_000_000 })).toEqual([]);
    });
  });
});
