/**
 * Jobs: each reads the sources of a month, and then makes figures or a version from the readings. Sources are read a few
 * at a time. A reading and its removal from the queue are one transaction, so a stopped job continues where it stopped.
 */
import type { Actor } from '../../shared/admin/actor.ts';
import { type Counts, type Reading, sumOfCounts } from '../../shared/statistics/counts.ts';

/**
 * `open`: the figures of a month that is not over. `checks`: the checks of clients in a month that is over. `close`: all
 * other sources, and the first version. `correct`: the reports again, and a further version.
 */
export type JobKind = 'open' | 'checks' | 'close' | 'correct';

export interface Job {
  readonly month: string;
  readonly kind: JobKind;
  /** Version of the readings; 0 for a month that is not over. */
  readonly version: number;
  /** Whether its sources are in the queue. */
  readonly isPlanned: boolean;
  /** The actor who requested the job; null for the service. */
  readonly actor: Actor | null;
  readonly reason: string | null;
}

export interface SourceReading extends Reading {
  readonly source: string;
}

type JobRow = {
  month: string;
  kind: string;
  version: number;
  planned: number;
  actor: string | null;
  reason: string | null;
};

export class JobRows {
  readonly #storage: DurableObjectStorage;
  readonly #sql: SqlStorage;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
    this.#sql = storage.sql;
  }

  /** Adds a job, unless it exists. Must run in a transaction. */
  add({ month, kind, version, actor, reason }: Omit<Job, 'isPlanned'>): void {
    this.#sql.exec(
      'INSERT OR IGNORE INTO jobs VALUES (?, ?, ?, 0, ?, ?)',
      ...[month, kind, version, actor && JSON.stringify(actor), reason],
    );
  }

  get(month: string, kind: JobKind): Job | null {
    const [row] = this.#sql
      .exec<JobRow>('SELECT * FROM jobs WHERE month = ? AND kind = ?', month, kind)
      .toArray();
    return row === undefined ? null : jobOf(row);
  }

  /** The next job. The checks of a month are read before it is closed, and months are closed in order. */
  next(): Job | null {
    const [row] = this.#sql.exec<JobRow>('SELECT * FROM jobs ORDER BY month, kind LIMIT 1').toArray();
    return row === undefined ? null : jobOf(row);
  }

  /** Puts the sources of a job into the queue. */
  plan({ month, kind, version }: Job, sources: readonly string[]): void {
    this.#storage.transactionSync(() => {
      this.#sql.exec('UPDATE jobs SET planned = 1 WHERE month = ? AND kind = ?', month, kind);
      // Removes the readings of an earlier day, because their intakes may be gone.
      if (kind === 'open')
        this.#sql.exec('DELETE FROM readings WHERE month = ? AND version = ?', month, version);
      for (const source of sources)
        this.#sql.exec('INSERT OR IGNORE INTO queue VALUES (?, ?, ?)', month, kind, source);
    });
  }

  waiting({ month, kind }: Job, limit: number): string[] {
    return this.#sql
      .exec<{ source: string }>(
        'SELECT source FROM queue WHERE month = ? AND kind = ? ORDER BY source LIMIT ?',
        ...[month, kind, limit],
      )
      .toArray()
      .map(({ source }) => source);
  }

  get waitingCount(): number {
    return this.#sql.exec<{ n: number }>('SELECT COUNT(*) AS n FROM queue').one().n;
  }

  read({ month, kind, version }: Job, source: string, reading: Reading, now: number): void {
    this.#storage.transactionSync(() => {
      this.#sql.exec(
        'INSERT OR REPLACE INTO readings VALUES (?, ?, ?, ?, ?)',
        ...[month, version, source, JSON.stringify(reading), now],
      );
      this.#sql.exec('DELETE FROM queue WHERE month = ? AND kind = ? AND source = ?', month, kind, source);
    });
  }

  readings(month: string, version: number): SourceReading[] {
    return this.#sql
      .exec<{ source: string; reading: string }>(
        'SELECT source, reading FROM readings WHERE month = ? AND version = ? ORDER BY source',
        ...[month, version],
      )
      .toArray()
      .map(({ source, reading }) => ({ source, ...(JSON.parse(reading) as Reading) }));
  }

  /** Copies readings of an earlier version that a correction does not read again. Must run in a transaction. */
  copy(month: string, from: number, to: number, except: string): void {
    this.#sql.exec(
      `INSERT OR IGNORE INTO readings SELECT month, ?, source, reading, read_at FROM readings
       WHERE month = ? AND version = ? AND source NOT LIKE ?`,
      ...[to, month, from, `${except}%`],
    );
  }

  removeReadings(month: string, version: number): void {
    this.#sql.exec('DELETE FROM readings WHERE month = ? AND version = ?', month, version);
  }

  /** Must run in the transaction that stores the result of the job. */
  finish({ month, kind }: Job): void {
    this.#sql.exec('DELETE FROM jobs WHERE month = ? AND kind = ?', month, kind);
    this.#sql.exec('DELETE FROM queue WHERE month = ? AND kind = ?', month, kind);
  }
}

export function sumOfReadings(readings: readonly SourceReading[]): Counts {
  return sumOfCounts(readings.map(({ counts }) => counts));
}

function jobOf({ month, kind, version, planned, actor, reason }: JobRow): Job {
  return {
    ...{ month, kind: kind as JobKind, version, isPlanned: planned === 1 },
    actor: actor === null ? null : (JSON.parse(actor) as Actor),
    reason,
  };
}
