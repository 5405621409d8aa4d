/** Figures of the appeals of one month, for the statistics. Read once the month is over: appeals are kept for 90 days. */
import type { AppealMonth } from '../../shared/statistics/figures.ts';
import { quantilesOf } from '../storage/quantiles.ts';

/** @param from ms since 1970 @param to exclusive */
export function appealMonth(sql: SqlStorage, from: number, to: number): AppealMonth {
  const { filed } = sql
    .exec<{ filed: number }>(
      'SELECT COUNT(*) AS filed FROM appeals WHERE received_at >= ? AND received_at < ?',
      ...[from, to],
    )
    .one();
  const decided = { accepted: 0, rejected: 0, noLongerBlocked: 0 };
  const states = sql.exec<{ state: keyof typeof decided; n: number }>(
    'SELECT state, COUNT(*) AS n FROM appeals WHERE decided_at >= ? AND decided_at < ? GROUP BY state',
    ...[from, to],
  );
  for (const { state, n } of states) decided[state] = n;
  const durations = quantilesOf(
    ...([
      sql,
      'SELECT decided_at - received_at AS ms FROM appeals',
      'decided_at >= ? AND decided_at < ?',
    ] as const),
    ...[from, to],
  );
  return { filed, decided, ...durations };
}
