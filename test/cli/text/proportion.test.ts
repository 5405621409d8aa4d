/** Intervals of shares, compared with published values, and the rates that a sample can show. */
import { describe, expect, it } from 'vitest';
import { intervalOf, isSupported, pairedDifference, smallestRate } from '../../../cli/text/proportion.ts';

describe('the interval of a share', () => {
  // Newcombe 1998, "Two-sided confidence intervals for the single proportion", table I, method 3.
  it.each([
    [81, 263, 0.2553, 0.3662],
    [15, 148, 0.0624, 0.1605],
    [0, 20, 0, 0.1611],
    [1, 29, 0.0061, 0.1718],
  ])('of %i among %i is that of Wilson', (found, of, low, high) => {
    const interval = intervalOf(found, of);
    expect(interval.low).toBeCloseTo(low, 4);
    expect(interval.high).toBeCloseTo(high, 4);
  });

  it('is that of the other share, mirrored', () => {
    const [some, others] = [intervalOf(3, 50), intervalOf(47, 50)];
    expect(some.low).toBeCloseTo(1 - others.high, 12);
    expect(some.high).toBeCloseTo(1 - others.low, 12);
  });

  it('holds the true share in 95 % of samples', () => {
    // Computed exactly, over all samples of 40 texts.
    const [of, share] = [40, 0.1];
    let covered = 0;
    let probability = (1 - share) ** of;
    for (let found = 0; found <= of; found++) {
      const { low, high } = intervalOf(found, of);
      if (low <= share && share <= high) covered += probability;
      probability *= (((of - found) / (found + 1)) * share) / (1 - share);
    }
    expect(covered).toBeGreaterThan(0.93);
    expect(covered).toBeLessThan(0.98);
  });
});

describe('the difference of paired shares', () => {
  it('is that of the texts that only one finds', () => {
    const { difference, low, high } = pairedDifference(12, 2, 100);
    expect(difference).toBeCloseTo(0.1, 12);
    // (12.5 - 2.5) / 102 ± 1.96 / 102 * sqrt(15 - 100 / 102)
    expect(low).toBeCloseTo(0.0261, 3);
    expect(high).toBeCloseTo(0.17, 3);
  });

  it('of equal models is not certain to be 0', () => {
    const { difference, low, high } = pairedDifference(0, 0, 100);
    expect(difference).toBe(0);
    expect(low).toBeLessThan(0);
    expect(high).toBeGreaterThan(0);
  });
});

describe('a rate', () => {
  it('is supported by 3/n texts', () => {
    expect(smallestRate(3_000)).toBeCloseTo(0.001, 12);
    expect(isSupported(0.001, 3_000)).toBe(true);
    expect(isSupported(0.001, 2_999)).toBe(false);
    expect(isSupported(0.01, 0)).toBe(false);
  });
});
