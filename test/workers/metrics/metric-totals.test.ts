/**
 * The object that adds up figures has exactly the sum of the last report of each object, even if reports are repeated, late, or
 * interrupted by a restart. Objects report their figures even after a failure.
 */
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import fc from 'fast-check';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { FIGURE_SOURCES_MAX, FIGURES_REPORT_MS } from '../../../shared/limits/metrics.ts';
import { HOUR_MS } from '../../../shared/time.ts';
import { type UsageFlush, usageObjectName } from '../../../shared/usage/flush.ts';
import type { ControlEnv } from '../../../workers/env.ts';
import { FigureReporter, type OwnFigures } from '../../../workers/storage/figure-reporter.ts';
import {
  FIGURES,
  type FigureKind,
  type FigureReport,
  METRIC_TOTALS_NAME,
  type MetricTotalsObject,
} from '../../../workers/storage/metrics-port.ts';
import type { UsageObject } from '../../../workers/storage/usage-port.ts';
import { HANG_MS } from '../../shared/support/hang.ts';
import { holdsAsync } from '../../shared/support/properties.ts';

const control = env as unknown as ControlEnv;
const KINDS = Object.keys(FIGURES) as FigureKind[];
const NOW = Date.parse('2026-11-27T03:00:00Z');

const stub = () => control.METRIC_TOTALS.getByName(METRIC_TOTALS_NAME) as unknown as DurableObjectStub;
const totals = () => control.METRIC_TOTALS.getByName(METRIC_TOTALS_NAME);

/** The expected totals, from the reports in order of arrival. */
class Model {
  readonly #last = new Map<string, FigureReport>();

  report(report: FigureReport): void {
    const key = `${report.kind} ${report.source}`;
    if ((this.#last.get(key)?.at ?? 0) < report.at) this.#last.set(key, report);
  }

  totals() {
    return Object.fromEntries(
      KINDS.map((kind) => {
        const own = [...this.#last.values()].filter((report) => report.kind === kind);
        const names = own.length === 0 ? [] : FIGURES[kind];
        const sums = names.map((name) => [
          name,
          own.reduce((sum, { figures }) => sum + (figures[name] ?? 0), 0),
        ]);
        const waiting = own.flatMap(({ waitingSince: since }) => (since === null ? [] : [since]));
        return [
          kind,
          {
            sums: Object.fromEntries(sums),
            waitingSince: waiting.length === 0 ? null : Math.min(...waiting),
            reportedAt: own.length === 0 ? null : Math.max(...own.map(({ at }) => at)),
          },
        ];
      }),
    );
  }
}

/** Only plain objects can be sent by RPC. */
const PLAIN = { noNullPrototype: true };

const reports: fc.Arbitrary<FigureReport> = fc.constantFrom(...KINDS).chain((kind) =>
  fc.record(
    {
      kind: fc.constant(kind),
      source: fc.constantFrom('a', 'b', 'c/1'),
      at: fc.integer({ min: 1, max: 20 }),
      figures: fc.dictionary(fc.constantFrom(...FIGURES[kind]), fc.nat(1_000), PLAIN),
      waitingSince: fc.option(fc.nat(100), { nil: null }),
    },
    PLAIN,
  ),
);
const steps = fc.array(fc.oneof({ weight: 9, arbitrary: reports }, fc.constant('restart' as const)), {
  maxLength: 20,
});

describe('the sums', () => {
  test('are those of the last report of each object, however reports come', async () => {
    let round = 0;
    await holdsAsync(
      fc.asyncProperty(steps, async (some) => {
        // Each run uses another object.
        const name = `model-${round++}`;
        const object = () => control.METRIC_TOTALS.getByName(name);
        const model = new Model();
        // Only a running object can be restarted.
        await object().totals();
        for (const step of some) {
          if (step === 'restart') {
            await evictDurableObject(object() as unknown as DurableObjectStub);
            await object().totals();
            continue;
          }
          model.report(step);
          expect(await object().report(step)).toBe(true);
        }
        const found = await object().totals();
        const expected = model.totals();
        for (const kind of KINDS) {
          // Without a report, or after a report with only zeros, the figure is missing or 0.
          for (const figure of FIGURES[kind])
            expect([kind, figure, found[kind].sums[figure] ?? 0]).toEqual([
              kind,
              figure,
              (expected[kind] as { sums: Record<string, number> }).sums[figure] ?? 0,
            ]);
          expect({ ...found[kind], sums: null }).toEqual({ ...expected[kind], sums: null });
        }
      }),
      { numRuns: 30 },
    );
  });

  test('have no room for objects without end, and keep those that are known', async () => {
    const report = { kind: 'notices', at: 1, figures: { pending: 1 }, waitingSince: null } as const;
    await runInDurableObject(stub(), async (_, { storage }) => {
      storage.sql.exec(
        `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
         INSERT INTO figures SELECT 'notices', 'o' || i, 1, NULL, '{"pending":1}' FROM n`,
        FIGURE_SOURCES_MAX,
      );
    });
    await evictDurableObject(stub());
    expect((await totals().totals()).notices.sums.pending).toBe(FIGURE_SOURCES_MAX);
    vi.spyOn(console, 'warn').mockImplementation(() => undefined);
    expect(await totals().report({ ...report, source: 'new' })).toBe(false);
    expect(await totals().report({ ...report, source: 'o7', at: 2, figures: { pending: 5 } })).toBe(true);
    expect((await totals().totals()).notices.sums.pending).toBe(FIGURE_SOURCES_MAX + 4);
  });
});

describe('an object that reports', () => {
  let now = NOW;
  let figures: OwnFigures | null;
  const sent: FigureReport[] = [];
  let fails = false;
  const target: Pick<MetricTotalsObject, 'report'> = {
    report: async (report) => {
      if (fails) throw new Error('does not respond');
      sent.push(report);
      return true;
    },
  };
  const reporter = () =>
    new FigureReporter(
      () => figures,
      () => target,
    );

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['Date'], now: NOW });
    vi.spyOn(console, 'warn').mockImplementation(() => undefined);
    now = NOW;
    figures = { kind: 'reports', source: 'kt', figures: { accepted: 1 }, waitingSince: null };
    sent.length = 0;
    fails = false;
  });

  const pass = (ms: number): void => {
    now += ms;
    vi.setSystemTime(now);
  };

  test('does so once at its start, and then only what has changed, at most once in an interval', async () => {
    const one = reporter();
    await one.run();
    expect(sent.map(({ at }) => at)).toEqual([NOW]);
    one.changed();
    expect(one.dueAt).toBeNull();
    figures = { ...figures!, figures: { accepted: 2 } };
    one.changed();
    expect(one.dueAt).toBe(NOW + FIGURES_REPORT_MS);
    await one.run();
    expect(sent).toHaveLength(1);
    pass(FIGURES_REPORT_MS);
    await one.run();
    expect(sent.map(({ figures: { accepted } }) => accepted)).toEqual([1, 2]);
    expect(one.dueAt).toBeNull();
  });

  test('tries again an interval after a failure', async () => {
    const one = reporter();
    fails = true;
    await one.run();
    expect(one.dueAt).toBe(NOW + FIGURES_REPORT_MS);
    fails = false;
    pass(FIGURES_REPORT_MS);
    await one.run();
    expect([sent.length, one.dueAt]).toEqual([1, null]);
  });

  test('reports nothing as long as it has nothing', async () => {
    figures = null;
    const one = reporter();
    await one.run();
    expect([sent.length, one.dueAt]).toEqual([0, null]);
  });
});

describe('counters of clients', () => {
  const HOUR = Math.floor(NOW / HOUR_MS);
  const object = (name: string) => env.USAGE!.getByName(name) as unknown as UsageObject;
  const flushOf = (client: string, flush: number, rest: Partial<UsageFlush> = {}): UsageFlush => ({
    ...{ client, isolate: 'a', flush, hour: HOUR, shard: 0, shards: 1 },
    counts: {
      totals: { requests: 3, errors: 1, quotaRefusals: 1, numbers: 6 },
      by: { channel: [['sms', 1, 0, 0, 2]], code: [['NUMBER_SUSPENDED', 0, 0, 0, 2]] },
    },
    ...rest,
  });
  const usage = async () => (await totals().totals()).usage.sums;

  test('report what their client got, each flush once, over all objects of a client', async () => {
    await object('kt').apply(flushOf('kt', 1));
    await object('kt').apply(flushOf('kt', 1));
    await object('kt/1').apply(flushOf('kt', 1, { shard: 1, shards: 2 }));
    await object('skt').apply(flushOf('skt', 1));
    await vi.waitFor(
      async () =>
        expect(await usage()).toMatchObject({
          ...{ 'sms allow': 3, 'sms block': 6, 'voice allow': 0 },
          ...{ requests: 9, errors: 3, quotaRefusals: 3, lostNumbers: 0 },
        }),
      { timeout: HANG_MS },
    );
  });

  test('lose nothing to a restart between the count and the report', async () => {
    const name = usageObjectName('kt', 0);
    const stubOf = env.USAGE!.getByName(name) as unknown as DurableObjectStub;
    const spy = vi.spyOn(control.METRIC_TOTALS, 'getByName').mockImplementation(() => {
      throw new Error('does not respond');
    });
    vi.spyOn(console, 'warn').mockImplementation(() => undefined);
    await object(name).apply(flushOf('kt', 1));
    await object(name).apply(flushOf('kt', 2));
    await evictDurableObject(stubOf);
    spy.mockRestore();
    // The alarm of the failed report woke the object.
    await vi.waitFor(async () => expect(await runDurableObjectAlarm(stubOf)).toBe(true), {
      timeout: HANG_MS,
    });
    await vi.waitFor(async () => expect((await usage()).requests).toBe(6), { timeout: HANG_MS });
  });

  test('begin with what was counted before they kept figures, and continue after old flushes are forgotten', async () => {
    const name = usageObjectName('kt', 0);
    const stubOf = env.USAGE!.getByName(name) as unknown as DurableObjectStub;
    await object(name).apply(flushOf('kt', 1));
    await runInDurableObject(stubOf, (_, { storage }) => {
      storage.sql.exec('ALTER TABLE flushes DROP COLUMN figures');
    });
    await evictDurableObject(stubOf);
    await object(name).apply(flushOf('kt', 2));
    await runDurableObjectAlarm(stubOf);
    await vi.waitFor(async () => expect((await usage()).requests).toBe(6), { timeout: HANG_MS });
  });
});
