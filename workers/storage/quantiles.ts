/** Median and p90 of durations in a table, without reading all of its rows into memory. */

export interface Quantiles {
  /** Null if there are no rows. */
  readonly medianSeconds: number | null;
  readonly p90Seconds: number | null;
}

/** @param select query of one column `ms` @param where condition without the word @param values of its parameters */
export function quantilesOf(
  sql: SqlStorage,
  select: string,
  where: string,
  ...values: readonly number[]
): Quantiles {
  const { n } = sql
    .exec<{ n: number }>(`SELECT COUNT(*) AS n FROM (${select} WHERE ${where})`, ...values)
    .one();
  const quantile = (share: number): number | null => {
    if (n === 0) return null;
    const { ms } = sql
      .exec<{ ms: number }>(
        `${select} WHERE ${where} ORDER BY ms LIMIT 1 OFFSET ?`,
        ...values,
        Math.ceil(share * n) - 1,
      )
      .one();
    return Math.max(ms, 0) / 1000;
  };
  return { medianSeconds: quantile(0.5), p90Seconds: quantile(0.9) };
}
