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
  /** Of an entry that a rule made. */
  readonly rule: string | null;
  readonly stage: string | null;
}

/** Of changes that no rule made. */
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

/** A row as it will be written, with the operation that it keeps; 0 for the one that writes it. */
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
   * Writes places again with new `seq`, because sealed segments still hold the rows that these replace: there, the
   * newest decides.
   * @param by the operation that writes them @param fromSeq of the first row
   * @returns the rows replaced, the growth to count, and the `seq` of the last row
   */
  rewrite(
    places: readonly PlannedPlace[],
    by: number,
    fromSeq: number,
  ): { readonly replaced: readonly ReplacedRow[]; readonly growth: Growth; readonly toSeq: number } {
    const shared = new Map<string, PlannedRow>();
    for (const { rows } of places) for (const row of rows) shared.set(nameOf(row), row);
    // Of one place, a row that ends earlier gets a higher `seq`.
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

/** Rows of one name share a change. */
export function nameOf({ until, operation, op, code, authority, rule, stage }: PlannedRow): string {
  return [until, operation, op, code, authority, rule, stage].join(' ');
}
