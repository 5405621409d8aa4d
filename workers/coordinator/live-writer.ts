/**
 * Writes rows of the live layer. A new row replaces rows of its number and subject that expire no later, and covers rows
 * that last longer. So the rows of a number and subject always expire in the reverse order of their `seq`.
 */
import { LIVE_KINDS } from '../../shared/live/entry.ts';
import { type Growth, grow } from './live-room.ts';
import type { NamedKey } from './live-row.ts';

/** A row to write. */
export interface NewRow extends NamedKey {
  /** A value of SUBJECT_BIT. */
  readonly subject: number;
  readonly seq: number;
  /** Seconds since 1970, or FOREVER. */
  readonly until: number;
}

/** The fields that all entries of one change share. */
export interface SharedChange {
  readonly seq: number;
  readonly operation: number;
  readonly op: string;
  readonly code: string | null;
  readonly authority: string;
  readonly until: number;
  /** The rule that made the entries; null if no rule did. */
  readonly rule: string | null;
  readonly stage: string | null;
}

/** For changes that no rule made. */
export const NO_MARK = { rule: null, stage: null };

/** A row that another one replaced, with its change. */
export interface ReplacedRow extends SharedChange {
  readonly key: NamedKey;
  readonly subject: number;
}

/** One number or source, for one subject. */
export interface Place {
  readonly key: NamedKey;
  readonly subject: number;
}

/** A row to write, with the operation that it keeps; 0 for the operation that writes the row. */
export type PlannedRow = Omit<SharedChange, 'seq'> & { readonly source: string | null };

/** The rows to write for a place, by descending end. */
export interface PlannedPlace extends Place {
  readonly rows: readonly PlannedRow[];
}

export class LiveWriter {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  addChange({ seq, operation, op, code, authority, until, rule, stage }: SharedChange): void {
    this.#sql.exec(
      `INSERT OR IGNORE INTO live_changes (seq, operation, op, code, authority, until, rule, stage)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
      ...[seq, operation, op, code, authority, until, rule, stage],
    );
  }

  /**
   * Writes places again with new `seq`. Sealed segments still hold the replaced rows, so the new rows must be newer to
   * decide.
   * @param by operation that writes the rows @param fromSeq `seq` of the first row
   * @returns the rows replaced, the growth to count, and the `seq` of the last row
   */
  rewrite(
    places: readonly PlannedPlace[],
    by: number,
    fromSeq: number,
  ): { readonly replaced: readonly ReplacedRow[]; readonly growth: Growth; readonly toSeq: number } {
    const shared = new Map<string, PlannedRow>();
    for (const { rows } of places) for (const row of rows) shared.set(nameOf(row), row);
    // Within one place, a row that ends earlier gets a higher `seq`.
    const seqs = new Map<string, number>();
    for (const [name, change] of [...shared].sort(([, a], [, b]) => b.until - a.until)) {
      const seq = fromSeq + seqs.size;
      seqs.set(name, seq);
      this.addChange({ ...change, seq, operation: change.operation === 0 ? by : change.operation });
    }
    const growth: Growth = new Map();
    const replaced: ReplacedRow[] = [];
    for (const { key, subject, rows } of places) {
      for (const row of rows) {
        const put = { ...key, source: row.source, subject, seq: seqs.get(nameOf(row))!, until: row.until };
        replaced.push(...this.put(put, growth, Number.POSITIVE_INFINITY)!);
        grow(growth, row.authority, 1);
      }
    }
    this.dropEmpty(replaced.map(({ seq }) => seq));
    return { replaced, growth, toSeq: fromSeq + Math.max(1, seqs.size) - 1 };
  }

  /** Deletes the given changes that have no entries left. */
  dropEmpty(seqs: Iterable<number>): void {
    for (const seq of new Set(seqs)) {
      this.#sql.exec(
        'DELETE FROM live_changes WHERE seq = ? AND NOT EXISTS (SELECT 1 FROM live WHERE live.seq = ?)',
        ...[seq, seq],
      );
    }
  }

  /**
   * Inserts a row and deletes the rows that it replaces. Call `dropEmpty` with the changes of the deleted rows afterwards.
   * @param growth receives the loss of each deleted row, but not the gain of the new row
   * @param most maximum number of rows of one key and subject
   * @returns the replaced rows; null if the new row would exceed `most`
   */
  put(row: NewRow, growth: Growth, most: number): ReplacedRow[] | null {
    const { kind, high, low, subject, seq, until, source } = row;
    const place = [LIVE_KINDS.indexOf(kind), high, low, subject];
    const others = this.#sql
      .exec<SharedChange & { source: string | null } & Record<string, SqlStorageValue>>(
        `SELECT seq, operation, op, code, authority, until, rule, stage, source
         FROM live CROSS JOIN live_changes USING (seq)
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

/** The name of a row's change. Rows with the same name share a change. */
export function nameOf({ until, operation, op, code, authority, rule, stage }: PlannedRow): string {
  return [until, operation, op, code, authority, rule, stage].join(' ');
}
