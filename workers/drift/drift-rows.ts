/**
 * The tables of drift: the counts of each object of a client by day, and the totals of all. In one transaction, a report
 * raises each count to the reported count, if that is higher, and raises the totals by the difference. So reports that
 * come twice, late or in another order add up to the same.
 */
import { DRIFT_BASE_DAYS, DRIFT_DAY_ROWS_MAX, DRIFT_DAYS_KEPT } from '../../shared/limits/drift.ts';
import { addScores, TEXT_COUNTS_SIZE, type TextCounts } from '../../shared/usage/text-counts.ts';
import type { DayScores, DaySpan } from '../storage/drift-port.ts';
import { applySteps } from '../storage/schema-steps.ts';

/** docs/storage.md describes the tables. Every change appends a step; old steps never change. */
const STEPS = [
  `CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

   CREATE TABLE scores (
     day INTEGER NOT NULL,
     source TEXT NOT NULL,
     release TEXT NOT NULL,
     model TEXT NOT NULL,
     counts TEXT NOT NULL,
     PRIMARY KEY (day, source, release, model)
   ) WITHOUT ROWID;
   CREATE INDEX scores_release ON scores (release, day);

   CREATE TABLE totals (
     day INTEGER NOT NULL,
     release TEXT NOT NULL,
     model TEXT NOT NULL,
     counts TEXT NOT NULL,
     PRIMARY KEY (day, release, model)
   ) WITHOUT ROWID;

   CREATE TABLE alarms (
     day INTEGER NOT NULL,
     client TEXT NOT NULL,
     model TEXT NOT NULL,
     psi REAL NOT NULL,
     PRIMARY KEY (day, client, model)
   ) WITHOUT ROWID;`,
];

/** Counts of one model on one day. */
export interface DayCounts {
  readonly day: number;
  readonly release: string;
  readonly model: string;
  readonly counts: readonly number[];
}

/** Counts of one object of a client. */
export interface SourceCounts extends DayCounts {
  readonly source: string;
}

type Stored<Counts> = {
  [Name in keyof Counts]: Counts[Name] extends readonly number[] ? string : Counts[Name];
};

/** A day on which scores have drifted. `client` is `''` for all clients. */
export interface DriftAlarm extends Record<string, SqlStorageValue> {
  readonly day: number;
  readonly client: string;
  readonly model: string;
  readonly psi: number;
}

/** Tests make the limit smaller. */
export const driftLimits = { dayRows: DRIFT_DAY_ROWS_MAX };

/** Days for which rows are kept: the days that a report can show, and the days before them as a base. */
const DAYS = DRIFT_DAYS_KEPT + DRIFT_BASE_DAYS;

export class DriftRows {
  readonly #storage: DurableObjectStorage;
  readonly #sql: SqlStorage;
  /** Rows of each day, counted when first needed. */
  readonly #rows = new Map<number, number>();

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
    this.#sql = storage.sql;
    applySteps(storage, STEPS);
  }

  /** @param today the current day @returns how many rows found no room */
  merge(source: string, days: readonly DayScores[], today: number): number {
    try {
      return this.#storage.transactionSync(() =>
        days
          .filter(({ day }) => day > today - DAYS && day <= today + 1)
          .flatMap(({ day, scores }) => scores.map((each) => this.#raise(day, source, each)))
          .reduce((refused, isKept) => refused + (isKept ? 0 : 1), 0),
      );
    } catch (error) {
      // The counts in memory may be ahead of the tables.
      this.#rows.clear();
      throw error;
    }
  }

  /** @returns whether there was room */
  #raise(day: number, source: string, [release, model, ...reported]: TextCounts): boolean {
    const [row] = this.#sql
      .exec<{ counts: string }>(
        'SELECT counts FROM scores WHERE day = ? AND source = ? AND release = ? AND model = ?',
        ...[day, source, release, model],
      )
      .toArray();
    const before = row === undefined ? [] : (JSON.parse(row.counts) as number[]);
    const rise = Array.from({ length: TEXT_COUNTS_SIZE }, (_, at) =>
      Math.max(0, (reported[at] ?? 0) - (before[at] ?? 0)),
    );
    if (row === undefined) {
      const rows = this.#rowsOf(day);
      if (rows >= driftLimits.dayRows) return false;
      this.#rows.set(day, rows + 1);
    }
    if (rise.every((count) => count === 0)) return true;
    this.#sql.exec(
      `INSERT INTO scores VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (day, source, release, model) DO UPDATE SET counts = excluded.counts`,
      ...[day, source, release, model, JSON.stringify(addScores(before, rise))],
    );
    const [total] = this.#sql
      .exec<{ counts: string }>(
        'SELECT counts FROM totals WHERE day = ? AND release = ? AND model = ?',
        ...[day, release, model],
      )
      .toArray();
    const sum = addScores(total === undefined ? [] : (JSON.parse(total.counts) as number[]), rise);
    this.#sql.exec(
      'INSERT OR REPLACE INTO totals VALUES (?, ?, ?, ?)',
      ...[day, release, model, JSON.stringify(sum)],
    );
    return true;
  }

  #rowsOf(day: number): number {
    const known = this.#rows.get(day);
    if (known !== undefined) return known;
    const query = 'SELECT COUNT(*) AS rows FROM scores WHERE day = ?';
    const { rows } = this.#sql.exec<{ rows: number }>(query, day).one();
    this.#rows.set(day, rows);
    return rows;
  }

  totals({ from, to }: DaySpan): DayCounts[] {
    return this.#sql
      .exec<Stored<DayCounts>>(
        'SELECT * FROM totals WHERE day BETWEEN ? AND ? ORDER BY day, release',
        from,
        to,
      )
      .toArray()
      .map((row) => ({ ...row, counts: JSON.parse(row.counts) as number[] }));
  }

  /** Counts of all clients. */
  *counts({ from, to }: DaySpan): Generator<SourceCounts> {
    yield* this.#select('day BETWEEN ? AND ?', from, to);
  }

  /** Runs a query for each day, so that only rows of this client are read. */
  *countsOf(client: string, { from, to }: DaySpan): Generator<SourceCounts> {
    for (let day = from; day <= to; day++) {
      yield* this.#select('day = ? AND source = ?', day, client);
      // Finds `client/1` and so on, because `0` is the character after the slash.
      yield* this.#select('day = ? AND source > ? AND source < ?', day, `${client}/`, `${client}0`);
    }
  }

  /** Counts of all clients under one release. */
  *countsUnder(release: string, { from, to }: DaySpan): Generator<SourceCounts> {
    yield* this.#select('release = ? AND day BETWEEN ? AND ?', release, from, to);
  }

  *#select(where: string, ...values: readonly (string | number)[]): Generator<SourceCounts> {
    const rows = this.#sql.exec<Stored<SourceCounts>>(`SELECT * FROM scores WHERE ${where}`, ...values);
    for (const row of rows) yield { ...row, counts: JSON.parse(row.counts) as number[] };
  }

  /** Records that the texts of one day have drifted. @returns whether this is new */
  addAlarm({ day, client, model, psi }: DriftAlarm): boolean {
    const query = 'SELECT psi FROM alarms WHERE day = ? AND client = ? AND model = ?';
    const isNew = this.#sql.exec(query, day, client, model).toArray().length === 0;
    this.#sql.exec('INSERT OR REPLACE INTO alarms VALUES (?, ?, ?, ?)', day, client, model, psi);
    return isNew;
  }

  /** Deletes rows that are too old. */
  forget(today: number): void {
    const oldest = today - DAYS;
    for (const table of ['scores', 'totals', 'alarms'])
      this.#sql.exec(`DELETE FROM ${table} WHERE day <= ?`, oldest);
    for (const day of this.#rows.keys()) if (day <= oldest) this.#rows.delete(day);
  }
}

/** The client of an object. Client IDs have no slash. */
export function clientOf(source: string): string {
  return source.split('/', 1)[0]!;
}
