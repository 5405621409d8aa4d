/** Medians and quantiles of measurements. */

/** The median. For an even count, the upper of the two middle values. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >>> 1]!;
}

/** The median of the ratios. Each ratio compares two consecutive measurements. */
export function medianRatio(figures: readonly number[], baselines: readonly number[]): number {
  return median(figures.map((value, round) => value / baselines[round]!));
}

/** @param share 0.5 for the median, 1 for the maximum */
export function quantile(values: readonly number[] | Float64Array, share: number): number {
  return Float64Array.from(values).sort()[Math.max(0, Math.ceil(values.length * share) - 1)]!;
}
