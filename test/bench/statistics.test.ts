/** The middle of measurements, compared with values computed by hand. */
import { describe, expect, it } from 'vitest';
import { isClearOf, middle } from '../../bench/lib/statistics.ts';

describe('the middle of measurements', () => {
  it('is the only value', () => {
    expect(middle([3])).toBe(3);
  });

  it('is the median of the means of all pairs', () => {
    // The means are 1, 2, 3, 3, 4 and 5.
    expect(middle([5, 1, 3])).toBe(3);
    // The means are 0, 1, 2, 5, 2, 3, 6, 4, 7 and 10. For an even count, the upper of the two middle means counts.
    expect(middle([0, 2, 4, 10])).toBe(4);
  });

  it('is not moved by one wrong value', () => {
    expect(middle([1, 1.02, 0.98, 1.01, 0.99, 40])).toBeLessThan(1.03);
  });
});

describe('measurements beside a value', () => {
  // The middle is 1.03, and the standard error 0.01.
  const values = [1.01, 1.03, 1.05, 1.03, 1.03, 1.01, 1.05].map((value) => 1.03 + (value - 1.03) * 1.62);

  it('are clearly below or above it', () => {
    expect(isClearOf(1.055, values)).toBe(true);
    expect(isClearOf(1.005, values)).toBe(true);
  });

  it('are too near to tell', () => {
    expect(isClearOf(1.045, values)).toBe(false);
    expect(isClearOf(1.015, values)).toBe(false);
    expect(isClearOf(1.03, values)).toBe(false);
  });

  it('are not clear of any value if there is only one', () => {
    expect(isClearOf(2, [1])).toBe(false);
  });
});
