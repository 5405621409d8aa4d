/** Medians and quantiles of measurements. */

/** The median. For an even count, the upper of the two middle values. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >>> 1]!;
}

/**
 * The median of the means of all pairs of measurements, where each value is also paired with itself (Hodges and Lehmann 1963).
 * A few wrong values disturb it as little as the median, but it scatters less.
 */
export function middle(values: readonly number[]): number {
  return median(values.flatMap((a, index) => values.slice(index).map((b) => (a + b) / 2)));
}

/** Whether `middle` of the measurements is more than two standard errors above or below a value. */
export function isClearOf(value: number, values: readonly number[]): boolean {
  const mean = values.reduce((sum, each) => sum + each, 0) / values.length;
  const squares = values.reduce((sum, each) => sum + (each - mean) ** 2, 0);
  const standardError = Math.sqrt(squares / (values.length - 1) / values.length);
  return Math.abs(middle(values) - value) > 2 * standardError;
}

/** The ratios of measurements that were taken in turns. Each ratio compares two consecutive measurements. */
export function ratiosOf(figures: readonly number[], baselines: readonly number[]): number[] {
  return figures.map((value, round) => value / baselines[round]!);
}

/** The median of `ratiosOf`. */
export function medianRatio(figures: readonly number[], baselines: readonly number[]): number {
  return median(ratiosOf(figures, baselines));
}

/** @param share 0.5 for the median, 1 for the maximum */
export function quantile(values: readonly number[] | Float64Array, share: number): number {
  return Float64Array.from(values).sort()[Math.max(0, Math.ceil(values.length * share) - 1)]!;
}
