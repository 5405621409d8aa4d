/**
 * The tables of a usage counter. One transaction changes the counts and the numbers of the flushes that they came with,
 * so each flush is counted once, whenever the object stops.
 *
 * Each row costs money, so a commit writes few rows: one for each hour that it changes, and one with the flush numbers of
 * all its flushes. After USAGE_COMMITS_MAX commits, only the last number of each isolate is kept.
 */
import {
  USAGE_COMMITS_MAX,
  USAGE_DAYS_KEPT,
  USAGE_FLUSHES_KEPT_MS,
  USAGE_FLUSHES_PER_ROW,
  USAGE_HOURS_KEPT_DAYS,
  USAGE_STORED_NAMES_MAX,
} from '../../shared/limits/control.ts';
import { DAY_MS, HOUR_MS, HOURS_PER_DAY } from '../../shared/time.ts';
import { NO_COUNTS, sumCounts, type UsageCounts } from '../../shared/usage/counts.ts';
import type { PeriodCounts, UsageFlush } from '../../shared/usage/flush.ts';
import type { Figures } from '../storage/metrics-port.ts';
import { DayScoreRows } from './day-scores.ts';
import { MobileTextStore, type TextBatch } from './mobile-texts.ts';
import { addCounts } from './running-figures.ts';

/** Periods start at `hour`, in hours since 1970, and last 1 or 24 `hours`. */
const TABLES = `
  CREATE TABLE IF NOT EXISTS periods (hour INTEGER, hours INTEGER, counts TEXT NOT NULL, PRIMARY KEY (hour, hours))
    WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS flushes (id INTEGER PRIMARY KEY, isolates TEXT NOT NULL, figures TEXT);
  CREATE TABLE IF NOT EXISTS shards (shards INTEGER NOT NULL);
`;

/** An isolate, the number of its last flush, and when the flush arrived, in ms since 1970. */
type LastFlush = readonly [isolate: string, flush: number, at: number];

export class UsageStore {
  readonly #storage: DurableObjectStorage;
  readonly #sql: SqlStorage;
  readonly texts: MobileTextStore;
  readonly scores: DayScoreRows;
  /** The last flush of each isolate, as stored: its number, and when it arrived. */
  #last: Map<string, readonly [flush: number, at: number]>;
  #shards: number;
  /** Block records on `#day`, in days since 1970, in bytes. */
  #day = -1;
  #recordBytes = 0;
  /** Rows in `flushes`. Most objects end after a few commits, and the next object continues the count. */
  #commits = 0;
  /** Stored in the row of the newest commit, so that they need no row of their own. */
  #figures: Figures;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
    this.#sql = storage.sql;
    this.#sql.exec(TABLES);
    this.#addColumn();
    this.texts = new MobileTextStore(storage.sql);
    this.scores = new DayScoreRows(storage.sql);
    this.#last = this.#storedFlushes();
    this.#figures = this.#storedFigures();
    this.#shards = this.#storedShards();
  }

  get shards(): number {
    return this.#shards;
  }

  /** Sums since the object was created, or since the oldest counts that it had when it began to keep figures. */
  get figures(): Figures {
    return this.#figures;
  }

  setShards(shards: number): void {
    if (shards <= this.#shards) return;
    this.#storage.transactionSync(() => {
      this.#sql.exec('DELETE FROM shards');
      this.#sql.exec('INSERT INTO shards VALUES (?)', shards);
    });
    this.#shards = shards;
  }

  /**
   * Counts the flushes that were not counted before. Either all of them are stored, or none.
   * @returns the flushes that were counted now
   */
  commit(flushes: readonly UsageFlush[], now: number): readonly UsageFlush[] {
    const last = new Map<string, number>();
    const fresh = flushes.filter(({ isolate, flush }) => {
      const isFresh = flush > (last.get(isolate) ?? this.#last.get(isolate)?.[0] ?? 0);
      if (isFresh) last.set(isolate, flush);
      return isFresh;
    });
    if (fresh.length === 0) return fresh;
    try {
      this.#storage.transactionSync(() => this.#write(fresh, last, now));
      return fresh;
    } catch (error) {
      // Memory may differ from the tables.
      this.texts.reset();
      this.#last = this.#storedFlushes();
      this.#figures = this.#storedFigures();
      this.#day = -1;
      throw error;
    }
  }

  #write(fresh: readonly UsageFlush[], last: ReadonlyMap<string, number>, now: number): void {
    const uncounted = this.texts.addFlushes(fresh, now);
    this.scores.addFlushes(fresh, now);
    const byHour = Map.groupBy(fresh, ({ hour }) => hour);
    for (const [hour, flushes] of byHour) {
      const counts = flushes.map((flush) => flush.counts);
      // If the flushes are of several hours, uncounted texts count for the hour of the first flush.
      const hasUncounted = uncounted > 0 && hour === fresh[0]!.hour;
      this.#add(hour, 1, hasUncounted ? [...counts, uncountedOf(uncounted)] : counts);
    }
    for (const [isolate, flush] of last) this.#last.set(isolate, [flush, now]);
    const lasts = [...last].map(([isolate, flush]): LastFlush => [isolate, flush, now]);
    this.#figures = addCounts(
      this.#figures,
      fresh.map(({ counts }) => counts),
    );
    this.#insertFlushes(lasts);
    this.#commits++;
    if (this.#commits >= USAGE_COMMITS_MAX) this.#mergeFlushes(now);
    const day = Math.floor(now / DAY_MS);
    if (day !== this.#day) this.#beginDay(day);
    else this.#recordBytes += recordBytesOf(fresh.filter(({ hour }) => dayOf(hour) === day));
  }

  /** See UsageObject. @returns the newest batch of this shard that is counted */
  addTexts(client: string, shard: number, batch: TextBatch, now: number): number {
    return this.#withTexts(() => {
      const { last, uncounted } = this.texts.addBatch(client, shard, batch, now);
      if (uncounted > 0) this.#add(Math.floor(now / HOUR_MS), 1, [uncountedOf(uncounted)]);
      return last;
    });
  }

  /** Makes facts from the numbers over the limit. */
  makeFacts(limit: number, now: number): void {
    this.#withTexts(() => this.texts.makeFacts(limit, now));
  }

  #withTexts<Value>(change: () => Value): Value {
    try {
      return this.#storage.transactionSync(change);
    } catch (error) {
      this.texts.reset();
      throw error;
    }
  }

  /** Block records of the current day, in bytes. */
  recordBytes(now: number): number {
    const day = Math.floor(now / DAY_MS);
    if (day !== this.#day) this.#storage.transactionSync(() => this.#beginDay(day));
    return this.#recordBytes;
  }

  /** Periods that begin in these hours, oldest first. @param to exclusive */
  periods(from: number, to: number): PeriodCounts[] {
    return this.#sql
      .exec<PeriodRow>('SELECT * FROM periods WHERE hour >= ? AND hour < ? ORDER BY hour, hours', from, to)
      .toArray()
      .map(({ hour, hours, counts }) => ({ hour, hours, counts: JSON.parse(counts) as UsageCounts }));
  }

  /** Start of the newest period. */
  lastHour(): number | null {
    return this.#sql.exec<{ hour: number | null }>('SELECT MAX(hour) AS hour FROM periods').one().hour;
  }

  #add(hour: number, hours: number, counts: readonly UsageCounts[]): void {
    const found = this.#sql
      .exec<{ counts: string }>('SELECT counts FROM periods WHERE hour = ? AND hours = ?', hour, hours)
      .toArray();
    const before = found.length === 0 ? NO_COUNTS : (JSON.parse(found[0]!.counts) as UsageCounts);
    const sum = JSON.stringify(sumCounts([before, ...counts], USAGE_STORED_NAMES_MAX));
    this.#sql.exec('INSERT OR REPLACE INTO periods VALUES (?, ?, ?)', hour, hours, sum);
  }

  /** Merges old hours into days, removes old days, and recounts the block records of the day. */
  #beginDay(day: number): void {
    const oldest = (day - USAGE_HOURS_KEPT_DAYS) * HOURS_PER_DAY;
    const old = this.periods(0, oldest).filter(({ hours }) => hours === 1);
    for (const [start, periods] of Map.groupBy(old, ({ hour }) => dayOf(hour) * HOURS_PER_DAY)) {
      this.#add(
        start,
        HOURS_PER_DAY,
        periods.map(({ counts }) => counts),
      );
    }
    this.#sql.exec('DELETE FROM periods WHERE hour < ? AND hours = 1', oldest);
    this.#sql.exec('DELETE FROM periods WHERE hour < ?', (day - USAGE_DAYS_KEPT) * HOURS_PER_DAY);
    this.#day = day;
    this.#recordBytes = recordBytesOf(this.periods(day * HOURS_PER_DAY, (day + 1) * HOURS_PER_DAY));
  }

  #mergeFlushes(now: number): void {
    for (const [isolate, [, at]] of this.#last)
      if (at < now - USAGE_FLUSHES_KEPT_MS) this.#last.delete(isolate);
    const all = [...this.#last].map(([isolate, [flush, at]]): LastFlush => [isolate, flush, at]);
    this.#sql.exec('DELETE FROM flushes');
    for (let from = 0; from < all.length; from += USAGE_FLUSHES_PER_ROW) {
      this.#insertFlushes(all.slice(from, from + USAGE_FLUSHES_PER_ROW));
    }
    this.#commits = 0;
  }

  #insertFlushes(lasts: readonly LastFlush[]): void {
    this.#sql.exec(
      'INSERT INTO flushes (isolates, figures) VALUES (?, ?)',
      ...[JSON.stringify(lasts), JSON.stringify(this.#figures)],
    );
  }

  /** Adds the column that objects of earlier versions lack. */
  #addColumn(): void {
    const { columns } = this.#sql
      .exec<{ columns: number }>("SELECT COUNT(*) AS columns FROM pragma_table_info('flushes')")
      .one();
    if (columns === 2) this.#sql.exec('ALTER TABLE flushes ADD COLUMN figures TEXT');
  }

  #storedFigures(): Figures {
    const [row] = this.#sql
      .exec<{ figures: string }>(
        'SELECT figures FROM flushes WHERE figures IS NOT NULL ORDER BY id DESC LIMIT 1',
      )
      .toArray();
    if (row !== undefined) return JSON.parse(row.figures) as Figures;
    // No figures are stored yet: sum the counts of all periods.
    const all = this.periods(0, Number.MAX_SAFE_INTEGER).map(({ counts }) => counts);
    return addCounts({}, all);
  }

  #storedFlushes(): Map<string, readonly [flush: number, at: number]> {
    const rows = this.#sql.exec<{ isolates: string }>('SELECT isolates FROM flushes ORDER BY id').toArray();
    this.#commits = rows.length;
    const all = rows.flatMap(({ isolates }) => JSON.parse(isolates) as LastFlush[]);
    return new Map(all.map(([isolate, flush, at]) => [isolate, [flush, at]]));
  }

  #storedShards(): number {
    return this.#sql.exec<{ shards: number }>('SELECT shards FROM shards').toArray()[0]?.shards ?? 1;
  }
}

type PeriodRow = { hour: number; hours: number; counts: string };

function uncountedOf(uncountedTexts: number): UsageCounts {
  return { totals: { uncountedTexts }, by: {} };
}

function dayOf(hour: number): number {
  return Math.floor(hour / HOURS_PER_DAY);
}

function recordBytesOf(all: readonly { readonly counts: UsageCounts }[]): number {
  return all.reduce((sum, { counts }) => sum + (counts.totals.recordBytes ?? 0), 0);
}
