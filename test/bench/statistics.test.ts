/** The middle of measurements, worked out by hand. */
import { describe, expect, it } from 'vitest';
import { middle } from '../../bench/lib/statistics.ts';

describe('the middle of measurements', () => {
  it('is the only value', () => {
    expect(middle([3])).toBe(3);
  });

  it('is the median of the means of all pairs', () => {
    // The means: 1, 2, 3, 3, 4, 5.
    expect(middle([5, 1, 3])).toBe(3);
    // The means: 0, 1, 2, 5, 2, 3, 6, 4, 7, 10. For an even count, the upper of the two in the middle.
    expect(middle([0, 2, 4, 10])).toBe(4);
  });

  it('is not moved by one wrong value', () => {
    expect(middle([1, 1.02, 0.98, 1.01, 0.99, 40])).toBeLessThan(1.03);
  });
});
