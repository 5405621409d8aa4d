/** Drift of histograms, and the comparison of a canary with the release in force: the formulas, and the effect of chance. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ClientRates, compareCanary } from '../../../shared/drift/canary-rate.ts';
import { driftOf } from '../../../shared/drift/drift.ts';
import { noiseOf, psiOf } from '../../../shared/drift/psi.ts';
import {
  DRIFT_NOISE_SHARE,
  TEXT_CANARY_BASE_MIN,
  TEXT_CANARY_RATE_FACTOR,
  TEXT_CANARY_TEXTS_MIN,
  TEXT_DRIFT_PSI_MAX,
} from '../../../shared/limits/drift.ts';
import { SCORE_BINS } from '../../../shared/limits/text.ts';
import { TEXT_COUNTS_SIZE } from '../../../shared/usage/text-counts.ts';
import { wilson } from '../../../shared/wilson.ts';

/** mulberry32: the same numbers for the same seed, in each runtime. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let value = Math.imul(state ^ (state >>> 15), 1 | state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Scores of a model, many near 0 and some near 1. @param spam share of scores near 1 */
function histogramOf(texts: number, spam: number, random: () => number): number[] {
  const bins = new Array<number>(SCORE_BINS).fill(0);
  for (let text = 0; text < texts; text++) {
    const score = random() < spam ? 1 - random() ** 3 : random() ** 2;
    bins[Math.min(SCORE_BINS - 1, Math.floor(score * SCORE_BINS))]!++;
  }
  return bins;
}

describe('the population stability index', () => {
  it('is the formula, in a value worked out by hand', () => {
    const [p, q] = [new Array<number>(SCORE_BINS).fill(0), new Array<number>(SCORE_BINS).fill(0)];
    [p[0], p[19]] = [9_000, 1_000];
    [q[0], q[19]] = [5_000, 5_000];
    // (0.9 - 0.5) ln(0.9 / 0.5) + (0.1 - 0.5) ln(0.1 / 0.5) = 0.8789, without the empty bins.
    expect(psiOf(p, q)).toBeCloseTo(0.8789, 2);
    expect(psiOf(q, p)).toBeCloseTo(0.8789, 2);
    expect(psiOf(p, p)).toBe(0);
  });

  it('is never negative, and 0 for equal shares', () => {
    const bins = fc.array(fc.nat(10_000), { minLength: SCORE_BINS, maxLength: SCORE_BINS });
    fc.assert(
      fc.property(bins, bins, (p, q) => {
        const psi = psiOf(p, q);
        if (psi !== null) expect(psi).toBeGreaterThanOrEqual(0);
      }),
    );
  });

  it('is refused for counts whose chance could raise an alarm', () => {
    const ofEach = (texts: number): number[] => new Array<number>(SCORE_BINS).fill(texts / SCORE_BINS);
    expect(psiOf(ofEach(340), ofEach(1_000_000))).toBeNull();
    expect(psiOf(ofEach(360), ofEach(1_000_000))).toBe(0);
    expect(psiOf(ofEach(1_000_000), ofEach(340))).toBeNull();
    expect(psiOf(ofEach(0), ofEach(1_000_000))).toBeNull();
    expect(psiOf(ofEach(1_000_000), ofEach(0))).toBeNull();
  });

  it('of samples of one population stays below its bound for chance, and never raises an alarm', () => {
    const random = randomOf(20_261_127);
    let beyond = 0;
    for (let pair = 0; pair < 1_000; pair++) {
      const [n, m] = [400 + Math.floor(random() * 800), 6_000];
      const psi = psiOf(histogramOf(n, 0.1, random), histogramOf(m, 0.1, random))!;
      if (psi > noiseOf(n, m)) beyond++;
      expect(psi).toBeLessThan(TEXT_DRIFT_PSI_MAX);
      expect(noiseOf(n, m)).toBeLessThanOrEqual(DRIFT_NOISE_SHARE * TEXT_DRIFT_PSI_MAX);
    }
    // One of the 1,000 pairs is expected.
    expect(beyond).toBeLessThan(6);
  });

  it('of a model that half of the texts left behind is above the bound', () => {
    const random = randomOf(7);
    expect(psiOf(histogramOf(1_000, 0.5, random), histogramOf(7_000, 0.05, random))!).toBeGreaterThan(
      TEXT_DRIFT_PSI_MAX,
    );
  });

  it('compares a day with the 7 days before, and only with the same model', () => {
    const counts = (bin: number, texts: number): number[] => {
      const all = new Array<number>(TEXT_COUNTS_SIZE).fill(0);
      all[1] = texts;
      all[TEXT_COUNTS_SIZE - SCORE_BINS + bin] = texts;
      return all;
    };
    const rows = [
      { day: 100, model: 'a', counts: counts(0, 1_000) },
      ...[93, 94, 99].map((day) => ({ day, model: 'a', counts: counts(0, 1_000) })),
      { day: 92, model: 'a', counts: counts(19, 50_000) },
      { day: 101, model: 'a', counts: counts(19, 50_000) },
      { day: 99, model: 'b', counts: counts(19, 50_000) },
      { day: 100, model: 'c', counts: counts(19, 50_000) },
    ];
    const [a, c, ...more] = driftOf(rows, 100);
    // Not 0, because the amount added to empty bins is a larger share of fewer texts.
    expect([a!.model, a!.psi! < 0.01, a!.baseTexts]).toEqual(['a', true, 3_000]);
    expect([c!.model, c!.psi, c!.baseTexts, more]).toEqual(['c', null, 0, []]);
  });
});

function clientOf(candidate: [number, number], current: [number, number]): ClientRates {
  return {
    candidate: { texts: candidate[0], suspicious: candidate[1] },
    current: { texts: current[0], suspicious: current[1] },
  };
}

describe('a canary', () => {
  it('has jumped if its rate is well above that of the same clients before', () => {
    const compared = compareCanary([
      clientOf([2_000, 200], [10_000, 100]),
      clientOf([3_000, 90], [5_000, 10]),
    ])!;
    expect(compared).toMatchObject({ clients: 2, texts: 5_000, hasJumped: true });
    expect(compared.rate).toBeCloseTo(0.058, 5);
    expect(compared.expected).toBeCloseTo((2_000 * 0.01 + 3_000 * 0.002) / 5_000, 10);
  });

  it('has not jumped because its data centres have other clients', () => {
    // Only a gateway that carries spam meets the candidate; its own rate is unchanged.
    const gateway = clientOf([50_000, 15_000], [50_000, 15_100]);
    const bank = clientOf([0, 0], [900_000, 90]);
    expect(compareCanary([gateway, bank])).toMatchObject({ clients: 1, hasJumped: false });
  });

  it('has not jumped below the factor, however many texts there are', () => {
    const [texts, rate] = [10_000_000, 0.01];
    const under = TEXT_CANARY_RATE_FACTOR * rate - 0.0001;
    const of = (candidate: number): ClientRates =>
      clientOf([texts, texts * candidate], [texts, texts * rate]);
    const over = TEXT_CANARY_RATE_FACTOR * rate + 0.0001;
    expect(compareCanary([of(under), of(under)])!.hasJumped).toBe(false);
    expect(compareCanary([of(over), of(over)])!.hasJumped).toBe(true);
  });

  it('is not judged by few texts, nor against few', () => {
    expect(compareCanary([])).toBeNull();
    expect(compareCanary([clientOf([5_000, 5_000], [TEXT_CANARY_BASE_MIN - 1, 0])])).toBeNull();
    const few = TEXT_CANARY_TEXTS_MIN - 1;
    const jumped = clientOf([5_000, 600], [100 * TEXT_CANARY_BASE_MIN, 0]);
    const half = clientOf([few / 2, few / 2], [1_000_000, 0]);
    expect(compareCanary([half, half])!.hasJumped).toBe(false);
    // There are enough texts in total, but not without the largest client.
    expect(compareCanary([jumped, half])!.hasJumped).toBe(false);
    // 100 texts without a suspicious one do not prove that the rate was below 12 %.
    const unknown = clientOf([5_000, 600], [TEXT_CANARY_BASE_MIN, 0]);
    expect(compareCanary([unknown, unknown])!.hasJumped).toBe(false);
    expect(compareCanary([jumped, jumped])!.hasJumped).toBe(true);
  });

  it('has not jumped because of one client, however large its campaign is', () => {
    const spammer = clientOf([1_000_000, 900_000], [1_000_000, 10_000]);
    const quiet = clientOf([50_000, 500], [50_000, 500]);
    expect(compareCanary([spammer])!.hasJumped).toBe(false);
    expect(compareCanary([spammer, quiet, quiet])!.hasJumped).toBe(false);
    const alike = clientOf([50_000, 2_000], [50_000, 500]);
    expect(compareCanary([spammer, quiet, alike, alike])!.hasJumped).toBe(true);
  });

  it('that is as good as the release in force is never withdrawn by chance', () => {
    const random = randomOf(42);
    const suspicious = (texts: number, rate: number): number => {
      let count = 0;
      for (let text = 0; text < texts; text++) if (random() < rate) count++;
      return count;
    };
    for (let fleet = 0; fleet < 200; fleet++) {
      const clients = Array.from({ length: 5 }, () => {
        const rate = random() ** 4;
        const [n, m] = [Math.floor(random() * 1_000), Math.floor(random() * 1_500)];
        return clientOf([n, suspicious(n, rate)], [m, suspicious(m, rate)]);
      });
      expect(compareCanary(clients)?.hasJumped ?? false).toBe(false);
    }
  });

  it('has the intervals of Wilson', () => {
    // Roots of (p - q)^2 = z^2 q (1 - q) / n for p = 0.1, n = 1,000 and z = 4.
    const { low, high } = wilson(0.1, 1_000, 4);
    for (const q of [low, high]) expect((0.1 - q) ** 2).toBeCloseTo((16 * q * (1 - q)) / 1_000, 12);
    expect(low).toBeLessThan(0.1);
    expect(high).toBeGreaterThan(0.1);
    expect(wilson(0, 100, 4).low).toBe(0);
  });
});
