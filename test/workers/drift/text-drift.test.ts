/**
 * Scores of texts from the objects of clients to the one that adds them up: exact whatever dies when. And what it does with
 * them: alarms, and the end of a canary that marks far more texts than the release in force.
 */
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import fc from 'fast-check';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { DriftReport } from '../../../shared/admin/text-drift.ts';
import { koreanDayOf } from '../../../shared/korean-time.ts';
import { USAGE_COMMIT_MS } from '../../../shared/limits/control.ts';
import {
  DRIFT_BASE_DAYS,
  DRIFT_CANARY_MS,
  DRIFT_CHECK_MS,
  DRIFT_DAY_MODELS_MAX,
  DRIFT_DAY_ROWS_MAX,
  DRIFT_DAYS_KEPT,
  DRIFT_LATE_DAYS,
  DRIFT_REPORT_MS,
} from '../../../shared/limits/drift.ts';
import { HOUR_MS, type UsageFlush, usageObjectName } from '../../../shared/usage/flush.ts';
import { TextCounter, type TextCounts, textsOf } from '../../../shared/usage/text-counts.ts';
import { DriftRows } from '../../../workers/drift/drift-rows.ts';
import type { ControlEnv } from '../../../workers/env.ts';
import { DRIFT_NAME, type TextCanaryState } from '../../../workers/storage/drift-port.ts';
import type { UsageObject } from '../../../workers/storage/usage-port.ts';
import { HANG_MS } from '../../shared/support/hang.ts';
import '../support/fresh.ts';

const control = env as unknown as ControlEnv;
const DAY_MS = 24 * HOUR_MS;
/** Noon in Korea. */
const NOON = Date.parse('2040-01-10T03:00:00Z');
const WAIT = { timeout: HANG_MS };

const drift = () => control.TEXT_DRIFT.getByName(DRIFT_NAME);
const driftStub = () => drift() as unknown as DurableObjectStub;
const counter = (name: string) => env.USAGE!.getByName(name) as unknown as DurableObjectStub;

/** The events of the log, by name. */
function logged(event: string): Record<string, unknown>[] {
  return vi
    .mocked(console.warn)
    .mock.calls.map(([line]) => JSON.parse(String(line)) as Record<string, unknown>)
    .filter((each) => each.event === event);
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: NOON });
  vi.spyOn(console, 'warn').mockReturnValue(undefined);
});

/** Counts of texts of one model. @param suspicious share of them */
function scoresOf(release: string, texts: number, suspicious: number, model = 'kr-1'): TextCounts {
  const counted = new TextCounter();
  const marked = Math.round(texts * suspicious);
  for (let text = 0; text < texts; text++)
    if (text < marked) counted.count(release, model, 0.97, 'suspicious', false);
    else counted.count(release, model, (0.6 * (text % 97)) / 97, 'ordinary', false);
  return counted.counts()[0]!;
}

function flushOf(
  client: string,
  flush: number,
  scores: readonly TextCounts[],
  rest: Partial<UsageFlush> = {},
): UsageFlush {
  const counts = { totals: { numbers: 1 }, by: {} };
  const hour = Math.floor(Date.now() / HOUR_MS);
  return { client, isolate: 'a', flush, hour, counts, shard: 0, shards: 1, scores, ...rest };
}

async function apply(flush: UsageFlush): Promise<void> {
  // A busy object waits between two commits.
  vi.setSystemTime(Date.now() + USAGE_COMMIT_MS);
  const object = counter(usageObjectName(flush.client, flush.shard)) as unknown as UsageObject;
  await object.apply(flush);
}

/** All counts of the object that adds them up. */
async function totals(): Promise<Record<string, number[]>> {
  const rows = await runInDurableObject(driftStub(), (_, { storage }) =>
    new DriftRows(storage).totals({ from: 0, to: 1_000_000 }),
  );
  return Object.fromEntries(
    rows.map(({ day, release, model, counts }) => [`${day} ${release} ${model}`, [...counts]]),
  );
}

/** Lets the objects report what they have. */
async function reported(...names: readonly string[]): Promise<void> {
  vi.setSystemTime(Date.now() + 2 * DRIFT_REPORT_MS);
  for (const name of names) {
    await runInDurableObject(counter(name), (_, { storage }) => storage.setAlarm(Date.now()));
    await runDurableObjectAlarm(counter(name));
  }
}

function sum(all: readonly (readonly number[])[]): number[] {
  return all.reduce<number[]>(
    (before, each) => each.map((value, at) => value + (before[at] ?? 0)),
    [],
  );
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
        // Names of their own, so that each run begins with nothing.
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
              await evictDurableObject(driftStub());
            } else if (each === 'kill a') await evictDurableObject(counter(names[0]!));
            else if (each === 'kill b') await evictDurableObject(counter(names[1]!));
            else if (each === 'report') await reported(...names);
            else if (each === 'an hour passes') vi.setSystemTime(Date.now() + HOUR_MS);
            else if ('fault' in each) fault = each.fault;
            else {
              const scores = scoresOf('text-1', each.texts + 1, 0.3, `m-${run}`);
              const flush = flushOf(nameOf(each.client), sent.length + 1, [scores]);
              sent.push(flush);
              await apply(flush);
              const key = `${koreanDayOf(flush.hour * HOUR_MS)} text-1 m-${run}`;
              model.set(key, sum([model.get(key) ?? [], scores.slice(2) as number[]].filter((c) => c.length > 0)));
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
      { numRuns: 12 },
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
      const full = Array.from({ length: 50 }, (_, at): TextCounts => ['text-1', `m-${at}`, ...(one.slice(2) as number[])]);
      for (let source = 0; source * 50 < DRIFT_DAY_ROWS_MAX; source++)
        rows.merge(`c-${source}`, [{ day: day - 1, scores: full }], day);
      expect(rows.merge('more', [{ day: day - 1, scores: [one] }], day)).toBe(1);
      // A row that is there still rises.
      const [release, model, ...counts] = one;
      const risen: TextCounts = [release, 'm-0', ...counts.map((each) => 2 * each)];
      expect([rows.merge('c-0', [{ day: day - 1, scores: [risen] }], day), model]).toEqual([0, 'kr-1']);
      expect(rows.merge('c-0', [{ day: day - 100, scores: [one] }], day)).toBe(0);
      rows.forget(day + DRIFT_DAYS_KEPT + DRIFT_BASE_DAYS);
      expect(rows.totals({ from: 0, to: 1_000_000 })).toEqual([]);
    });
  });
});

/** Lets the object check what it has, as its alarm would. */
async function checked(): Promise<void> {
  vi.setSystemTime(Date.now() + Math.max(DRIFT_CHECK_MS, DRIFT_CANARY_MS));
  await runInDurableObject(driftStub(), (_, { storage }) => storage.setAlarm(Date.now()));
  await runDurableObjectAlarm(driftStub());
}

/** The text store, as far as canaries need it. */
class Canary {
  state: TextCanaryState | null = null;
  readonly withdrawn: { readonly release: string; readonly reason: string }[] = [];
  isDown = false;

  constructor() {
    const object = {
      canary: async () => {
        if (this.isDown) throw new Error('it does not respond');
        return this.state;
      },
      withdrawCandidate: async (release: string, reason: string) => {
        if (this.state?.candidate !== release) return false;
        this.withdrawn.push({ release, reason });
        this.state = null;
        return true;
      },
    };
    vi.spyOn(control.TEXT, 'getByName').mockReturnValue(object as never);
  }
}

async function reportDays(
  client: string,
  days: readonly (readonly [daysAgo: number, ...scores: TextCounts[]])[],
): Promise<void> {
  const today = koreanDayOf(Date.now());
  await drift().report(
    client,
    days.map(([ago, ...scores]) => ({ day: today - ago, scores })),
  );
}

describe('drift', () => {
  beforeEach(() => {
    new Canary();
  });

  const WEEK = [1, 2, 3, 4, 5, 6, 7] as const;

  test('is logged once a day, for all texts and for each client, and shown', async () => {
    for (const client of ['acme', 'relay'])
      await reportDays(
        client,
        WEEK.map((ago) => [ago, scoresOf('text-1', 500, 0.02)]),
      );
    await reportDays('acme', [[0, scoresOf('text-1', 1_000, 0.02)]]);
    await checked();
    expect(logged('textDrift')).toEqual([]);
    expect(await drift().status()).toMatchObject({ driftingClients: 0, texts: 1_000 });
    await reportDays('relay', [[0, scoresOf('text-1', 1_000, 0.9)]]);
    await checked();
    await checked();
    expect(logged('textDrift')).toMatchObject([
      { client: null, model: 'kr-1' },
      { client: 'relay', model: 'kr-1' },
    ]);
    const status = await drift().status();
    expect(status).toMatchObject({ driftingClients: 1, texts: 2_000, psi: [{ model: 'kr-1' }] });
    expect(status.psi[0]!.psi).toBeGreaterThan(0.25);
    const today = koreanDayOf(NOON);
    const report = await drift().read({ from: today - 1, to: today }, null);
    expect(report.days).toMatchObject([
      { day: '2040-01-09', texts: 1_000, bands: { suspicious: 20 } },
      { day: '2040-01-10', texts: 2_000, bands: { ordinary: 1_080, suspicious: 920 }, baseTexts: 7_000 },
    ]);
    expect(report.drifting).toMatchObject([{ client: 'relay', model: 'kr-1' }]);
    // Another day begins without an alarm.
    vi.setSystemTime(NOON + DAY_MS);
    expect(await drift().status()).toMatchObject({ psi: [], driftingClients: 0, texts: 0 });
  });

  test('has no figure for few texts, however different they are', async () => {
    await reportDays('acme', [
      [0, scoresOf('text-1', 200, 1)],
      [1, scoresOf('text-1', 5_000, 0)],
    ]);
    await checked();
    expect(logged('textDrift')).toEqual([]);
    expect((await drift().status()).psi).toEqual([]);
  });

  test('is not between two models', async () => {
    await reportDays('acme', [
      [0, scoresOf('text-2', 5_000, 0.9, 'kr-2')],
      [1, scoresOf('text-1', 5_000, 0.01)],
    ]);
    await checked();
    expect(logged('textDrift')).toEqual([]);
  });
});

/**
 * A fleet of two data centres: Seoul with the release in force, Tokyo with the candidate. Every client sends through
 * both, from isolates that flush for themselves.
 */
async function fleet(
  clients: readonly string[],
  texts: number,
  rates: { readonly seoul: number; readonly tokyo: number },
): Promise<void> {
  for (const client of clients) {
    for (const [isolate, release, rate] of [
      [`${client}-seoul`, 'text-1', rates.seoul],
      [`${client}-tokyo`, 'text-2', rates.tokyo],
    ] as const)
      for (const flush of [1, 2])
        await apply(
          flushOf(client, flush, [scoresOf(release, texts / 2, rate, release === 'text-1' ? 'kr-1' : 'kr-2')], {
            isolate: `${isolate} ${Date.now()}`,
          }),
        );
    await reported(client);
  }
}

describe('a canary', () => {
  const begun = (): TextCanaryState => ({ current: 'text-1', candidate: 'text-2', since: Date.now() });

  test('that marks far more texts than the release in force is withdrawn, once', async () => {
    const canary = new Canary();
    canary.state = begun();
    await fleet(['acme', 'relay'], 2_000, { seoul: 0.01, tokyo: 0.01 });
    await checked();
    expect(canary.withdrawn).toEqual([]);
    const today = koreanDayOf(NOON);
    expect((await drift().read({ from: today, to: today }, null)).canary).toMatchObject({
      ...{ candidate: 'text-2', current: 'text-1', clients: 2, texts: 4_000 },
      ...{ rate: 0.01, expectedRate: 0.01 },
    });
    await fleet(['acme', 'relay'], 2_000, { seoul: 0.01, tokyo: 0.09 });
    await checked();
    await checked();
    expect(canary.withdrawn).toEqual([
      { release: 'text-2', reason: 'suspicious texts: 5.00 % of 8000, and 1.00 % were expected' },
    ]);
    expect(logged('textCandidateWithdrawn')).toMatchObject([
      { release: 'text-2', texts: 8_000, clients: 2, rate: 0.05, expectedRate: 0.01 },
    ]);
    expect(await drift().status()).toMatchObject({ withdrawn: 1 });
  });

  test('stays after few texts, and without a release in force', async () => {
    const canary = new Canary();
    canary.state = begun();
    await fleet(['acme'], 800, { seoul: 0.01, tokyo: 0.5 });
    await checked();
    canary.state = { ...begun(), current: null };
    await fleet(['relay'], 4_000, { seoul: 0.01, tokyo: 0.5 });
    await checked();
    expect(canary.withdrawn).toEqual([]);
  });

  test('stays if it has the clients with the most spam, whose own rate is as it was', async () => {
    const canary = new Canary();
    await reportDays('gateway', [[1, scoresOf('text-1', 10_000, 0.3)]]);
    await reportDays('bank', [[1, scoresOf('text-1', 10_000, 0)]]);
    canary.state = begun();
    await reportDays('gateway', [[0, scoresOf('text-2', 10_000, 0.31)]]);
    await reportDays('bank', [[0, scoresOf('text-1', 10_000, 0)]]);
    await checked();
    expect(canary.withdrawn).toEqual([]);
    // The same texts at three times the rate of before.
    await reportDays('gateway', [[0, scoresOf('text-2', 40_000, 0.9)]]);
    await checked();
    expect(canary.withdrawn).toHaveLength(1);
  });

  test('is looked at again after the text store did not respond', async () => {
    const canary = new Canary();
    canary.state = begun();
    await fleet(['acme'], 4_000, { seoul: 0.01, tokyo: 0.2 });
    canary.isDown = true;
    await checked();
    expect(canary.withdrawn).toEqual([]);
    canary.isDown = false;
    // The alarm that it has set itself.
    await vi.waitFor(async () => expect(await runDurableObjectAlarm(driftStub())).toBe(true), WAIT);
    expect(canary.withdrawn).toHaveLength(1);
    expect(textsOf(scoresOf('text-2', 4_000, 0.2).slice(2) as number[])).toBe(4_000);
  });
});
