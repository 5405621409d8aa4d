/**
 * Figures of the rule blocks of one month, for the statistics. They are read after the month is over: blocks are kept for
 * 90 days after their end.
 */
import type { RuleBlockMonth } from '../../shared/statistics/figures.ts';
import { quantilesOf } from '../storage/quantiles.ts';

/** Blocks of real numbers or sender IDs that were in force. */
const REAL = 'seq IS NOT NULL AND mock = 0 AND shadow = 0 AND campaign IS NULL';
const BEGAN = `${REAL} AND created_at >= ? AND created_at < ?`;
/** A person or an independent kind of partner has confirmed the block. */
const IS_CONFIRMED = `(by_person IS NOT NULL OR grounds LIKE '%"isConfirmed":true%')`;

/** @param from ms since 1970 @param to exclusive */
export function blockMonth(sql: SqlStorage, from: number, to: number): RuleBlockMonth {
  const { began } = sql
    .exec<{ began: number }>(`SELECT COUNT(*) AS began FROM blocks WHERE ${BEGAN}`, from, to)
    .one();
  const ended = { unconfirmed: 0, confirmed: 0, lifted: 0 };
  const ends = sql.exec<{ end: keyof typeof ended; n: number }>(
    `SELECT CASE WHEN state = 'lifted' THEN 'lifted' WHEN ${IS_CONFIRMED} THEN 'confirmed' ELSE 'unconfirmed' END AS end,
       COUNT(*) AS n
     FROM blocks WHERE ${REAL} AND closed_at >= ? AND closed_at < ? GROUP BY end`,
    ...[from, to],
  );
  for (const { end, n } of ends) ended[end] = n;
  const durations = quantilesOf(
    ...([sql, `SELECT created_at - json_extract(grounds, '$[0].firedAt') AS ms FROM blocks`, BEGAN] as const),
    ...[from, to],
  );
  return { began, ended, ...durations };
}
