/**
 * Writes rows of the live layer. A new row replaces those of its number and subject that expire no later, and covers
 * those that last longer: so the rows of a number and subject always expire in the reverse order of their `seq`.
 */
import { LIVE_KINDS } from '../../shared/live/entry.ts';
import { type Growth, grow } from './live-room.ts';
import type { NamedKey } from './live-row.ts';

/** A row to write. */
export interface NewRow extends NamedKey {
  /** Of SUBJECT_BIT. */
  readonly subject: number;
  readonly seq: number;
  /** Seconds since 1970, or FOREVER. */
  readonly until: number;
}

/** What all entries of one change share. */
export interface SharedChange {
  readonly seq: number;
  readonly operation: number;
  readonly op: string;
  readonly code: string | null;
  readonly authority: string;
  readonly until: number;
}

/** A row that another one replaced, with its change. */
export interface ReplacedRow extends SharedChange {
  readonly key: NamedKey;
  readonly subject: number;
}

export class LiveWriter {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  addChange({ seq, operation, op, code, authority, until }: SharedChange): void {
    const values = [seq, operation, op, code, authority, until];
    this.#sql.exec('INSERT OR IGNORE INTO live_changes VALUES (?, ?, ?, ?, ?, ?)', ...values);
  }

  /** Deletes those of these changes that have no entries left. */
  dropEmpty(seqs: Iterable<number>): void {
    for (const seq of new Set(seqs)) {
      this.#sql.exec(
        'DELETE FROM live_changes WHERE seq = ? AND NOT EXISTS (SELECT 1 FROM live WHERE live.seq = ?)',
        ...[seq, seq],
      );
    }
  }

  /**
   * Inserts a row and deletes those that it replaces. Call `dropEmpty` with their changes afterwards.
   * @param growth gets the loss of their authorities, not the gain of this one
   * @param most rows of one key and subject
   * @returns the replaced rows; null if too many would lie beneath it
   */
  put(row: NewRow, growth: Growth, most: number): ReplacedRow[] | null {
    const { kind, high, low, subject, seq, until, source } = row;
    const place = [LIVE_KINDS.indexOf(kind), high, low, subject];
    const others = this.#sql
      .exec<SharedChange & { source: string | null } & Record<string, SqlStorageValue>>(
        `SELECT seq, operation, op, code, authority, until, source FROM live CROSS JOIN live_changes USING (seq)
         WHERE kind = ? AND high = ? AND low = ? AND subject = ?`,
        ...place,
      )
      .toArray();
    const ended = others.filter((other) => other.until <= until);
    if (others.length - ended.length >= most) return null;
    for (const other of ended) {
      this.#sql.exec(
        'DELETE FROM live WHERE kind = ? AND high = ? AND low = ? AND subject = ? AND seq = ?',
        ...[...place, other.seq],
      );
      grow(growth, other.authority, -1);
    }
    this.#sql.exec('INSERT INTO live VALUES (?, ?, ?, ?, ?, ?)', ...place, seq, source);
    return ended.map(({ source: text, ...change }) => ({
      ...change,
      key: { kind, high, low, source: text },
      subject,
    }));
  }
}
