/**
 * How the object that adds up the scores of texts uses them: alarms, and the end of a canary that marks far more texts than the
 * release in force.
 */
import { runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { DRIFT_CANARY_MS, DRIFT_CHECK_MS } from '../../../shared/limits/drift.ts';
import { HOUR_MS, koreanDayOf } from '../../../shared/time.ts';
import { type TextCounts, textsOf } from '../../../shared/usage/text-counts.ts';
import type { TextCanaryState } from '../../../workers/storage/drift-port.ts';
import {
  apply,
  atNoon,
  control,
  drift,
  driftStub,
  flushOf,
  logged,
  NOON,
  reported,
  scoresOf,
  WAIT,
} from '../support/drift.ts';

atNoon();

const DAY_MS = 24 * HOUR_MS;

/** Makes the object check its data, like its alarm. */
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
    // A new day begins without an alarm.
    vi.setSystemTime(NOON + DAY_MS);
    expect(await drift().status()).toMatchObject({ psi: [], driftingClients: 0, texts: 0 });
  });

  test('raises no alarm before the day has a quarter of the texts of a mean day', async () => {
    await reportDays('acme', [
      [0, scoresOf('text-1', 1_200, 0.9)],
      ...WEEK.map((ago): [number, TextCounts] => [ago, scoresOf('text-1', 5_000, 0.02)]),
    ]);
    await checked();
    expect([logged('textDrift'), (await drift().status()).psi]).toEqual([[], []]);
    await reportDays('acme', [[0, scoresOf('text-1', 1_300, 0.9)]]);
    await checked();
    expect(logged('textDrift')).toHaveLength(2);
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
 * A fleet of two data centres: Seoul with the release in force, and Tokyo with the candidate. Every client sends through both,
 * from isolates with their own flushes.
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
          flushOf(
            client,
            flush,
            [scoresOf(release, texts / 2, rate, release === 'text-1' ? 'kr-1' : 'kr-2')],
            {
              isolate: `${isolate} ${Date.now()}`,
            },
          ),
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
    await fleet(['acme', 'relay'], 800, { seoul: 0.01, tokyo: 0.5 });
    await checked();
    canary.state = { ...begun(), current: null };
    await fleet(['acme', 'relay'], 4_000, { seoul: 0.01, tokyo: 0.5 });
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
    // One client alone does not suffice, whatever it sends.
    await reportDays('gateway', [[0, scoresOf('text-2', 40_000, 0.9)]]);
    await checked();
    expect(canary.withdrawn).toEqual([]);
    await reportDays('bank', [[0, scoresOf('text-2', 2_000, 0.05)]]);
    await checked();
    expect(canary.withdrawn).toHaveLength(1);
  });

  test('is looked at again after the text store did not respond', async () => {
    const canary = new Canary();
    canary.state = begun();
    await fleet(['acme', 'relay'], 4_000, { seoul: 0.01, tokyo: 0.2 });
    canary.isDown = true;
    await checked();
    expect(canary.withdrawn).toEqual([]);
    canary.isDown = false;
    // The alarm that the object has set for itself.
    await vi.waitFor(async () => expect(await runDurableObjectAlarm(driftStub())).toBe(true), WAIT);
    expect(canary.withdrawn).toHaveLength(1);
    expect(textsOf(scoresOf('text-2', 4_000, 0.2).slice(2) as number[])).toBe(4_000);
  });
});
