/**
 * Text scores by day in Korea, as one object of a client counted them. They change in the transaction of the flush, so a
 * crash at any time neither loses nor repeats a score. drift-reporter.ts reports the totals of each day.
 */
import { DRIFT_DAY_MODELS_MAX, DRIFT_DAYS_KEPT, DRIFT_LATE_DAYS } from '../../shared/limits/drift.ts';
import { koreanDayOf, koreanDayOfHour } from '../../shared/time.ts';
import { type UsageFlush, usageObjectName } from '../../shared/usage/flush.ts';
import { addScores, type TextCounts } from '../../shared/usage/text-counts.ts';
import type { DayScores } from '../storage/drift-port.ts';

const TABLES = `
  CREATE TABLE IF NOT EXISTS day_scores (
    day INTEGER, release TEXT, model TEXT, source TEXT NOT NULL, counts TEXT NOT NULL,
    PRIMARY KEY (day, release, model)
  ) WITHOUT ROWID;
`;

interface Row extends Record<string, SqlStorageValue> {
  day: number;
  release: string;
  model: string;
  source: string;
  counts: string;
}

export class DayScoreRows {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    sql.exec(TABLES);
    this.#sql = sql;
  }

  /** Counts the scores of flushes. Must run in the transaction of the flushes. */
  addFlushes(flushes: readonly UsageFlush[], now: number): void {
    const scored = flushes.filter(({ scores = [] }) => scores.length > 0);
    const [first] = scored;
    if (first === undefined) return;
    const source = usageObjectName(first.client, first.shard);
    const today = koreanDayOf(now);
    for (const [day, group] of Map.groupBy(scored, ({ hour }) => koreanDayOfHour(hour))) {
      // Scores of older days may already be deleted, because they were reported.
      if (day >= today - DRIFT_LATE_DAYS)
        this.#add(
          day,
          source,
          group.flatMap(({ scores = [] }) => scores),
        );
    }
    this.#sql.exec('DELETE FROM day_scores WHERE day < ?', today - DRIFT_DAYS_KEPT);
  }

  #add(day: number, source: string, scores: readonly TextCounts[]): void {
    let rows = this.#sql
      .exec<{ rows: number }>('SELECT COUNT(*) AS rows FROM day_scores WHERE day = ?', day)
      .one().rows;
    for (const group of Map.groupBy(scores, ([release, model]) =>
      JSON.stringify([release, model]),
    ).values()) {
      const [release, model] = group[0]!;
      const query = 'SELECT counts FROM day_scores WHERE day = ? AND release = ? AND model = ?';
      const [row] = this.#sql.exec<{ counts: string }>(query, day, release, model).toArray();
      if (row === undefined && rows++ >= DRIFT_DAY_MODELS_MAX) continue;
      let counts = row === undefined ? [] : (JSON.parse(row.counts) as number[]);
      for (const [, , ...added] of group) counts = addScores(counts, added);
      this.#sql.exec(
        'INSERT OR REPLACE INTO day_scores VALUES (?, ?, ?, ?, ?)',
        ...[day, release, model, source, JSON.stringify(counts)],
      );
    }
  }

  /** All kept scores, and the name of the object; null if there are none. */
  all(): { readonly source: string; readonly days: readonly DayScores[] } | null {
    const rows = this.#sql.exec<Row>('SELECT * FROM day_scores ORDER BY day, release, model').toArray();
    const [first] = rows;
    if (first === undefined) return null;
    const days = [...Map.groupBy(rows, ({ day }) => day)].map(([day, own]) => ({
      day,
      scores: own.map(
        ({ release, model, counts }): TextCounts => [release, model, ...(JSON.parse(counts) as number[])],
      ),
    }));
    return { source: first.source, days };
  }

  /** Deletes days that were reported and can no longer change. */
  forgetReported(today: number): void {
    this.#sql.exec('DELETE FROM day_scores WHERE day < ?', today - DRIFT_LATE_DAYS);
  }
}
