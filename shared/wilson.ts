/** The confidence interval of a share in a sample (Wilson 1927). */

export interface Interval {
  readonly low: number;
  readonly high: number;
}

/**
 * @param share 0 to 1 @param count size of the sample, above 0; need not be whole
 * @param deviations standard deviations of the normal distribution: 1.96 for 95 %
 */
export function wilson(share: number, count: number, deviations: number): Interval {
  const square = deviations ** 2 / count;
  const middle = (share + square / 2) / (1 + square);
  const half = (deviations * Math.sqrt((share * (1 - share)) / count + square / (4 * count))) / (1 + square);
  return { low: Math.max(0, middle - half), high: Math.min(1, middle + half) };
}
