/**
 * The rows of the live layer that are in force, as the feed has read them. A place is a number in E.164 form,
 * or the text behind a fingerprint of the live layer. So places stay the same under every LIST_KEY.
 */
import { FEED_DELETED_AT_ONCE } from '../../shared/limits/feed.ts';
import {
  fingerprintKey,
  type LiveEntry,
  type LiveKey,
  numberKey,
  SUBJECT_BIT,
} from '../../shared/live/entry.ts';
import type { ListKeys } from '../../shared/set/keys.ts';
import { fingerprint } from '../../shared/set/xxhash.ts';
import type { Code } from '../../shared/verdict.ts';
import type { LivePlaceRow } from '../storage/feed-port.ts';

/** Whether a place is a number. The text of a source always has a character that is not a digit. */
export function isNumber(place: string): boolean {
  return /^\+\d+$/.test(place);
}

export function numberOf(place: string): number {
  return Number(place.slice(1));
}

export class PlaceRows {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** Must run in a transaction. @param pass the reading that found the place */
  put(place: string, rows: readonly LivePlaceRow[], pass: number): void {
    if (rows.length === 0) {
      this.delete(place);
      return;
    }
    const seq = Math.max(...rows.map((row) => row.seq));
    const ends = Math.max(...rows.map(({ until }) => until));
    this.#sql.exec(
      'INSERT OR REPLACE INTO places VALUES (?, ?, ?, ?, ?)',
      ...[place, JSON.stringify(rows), seq, ends, pass],
    );
  }

  delete(place: string): void {
    this.#sql.exec('DELETE FROM places WHERE place = ?', place);
  }

  /** The rows of a place that were neither dropped nor have ended. @param now seconds since 1970 */
  get(place: string, droppedSeq: number, now: number): LivePlaceRow[] {
    const [found] = this.#sql
      .exec<{ rows: string }>('SELECT rows FROM places WHERE place = ?', place)
      .toArray();
    const rows = found === undefined ? [] : (JSON.parse(found.rows) as LivePlaceRow[]);
    return rows.filter(({ seq, until }) => seq > droppedSeq && until > now);
  }

  /** Places that the reading of this pass has not found, at most FEED_DELETED_AT_ONCE. */
  before(pass: number): string[] {
    const query = 'SELECT place FROM places WHERE pass < ? LIMIT ?';
    return this.#sql
      .exec<{ place: string }>(query, pass, FEED_DELETED_AT_ONCE)
      .toArray()
      .map(({ place }) => place);
  }

  /** Deletes places whose rows no longer decide anything. @returns whether there may be more */
  prune(droppedSeq: number, now: number): boolean {
    const deleted = ['seq', 'ends'].map((column) => {
      const old = `SELECT place FROM places WHERE ${column} <= ? ORDER BY ${column} LIMIT ?`;
      const most = column === 'seq' ? droppedSeq : now;
      return this.#sql.exec(`DELETE FROM places WHERE place IN (${old})`, most, FEED_DELETED_AT_ONCE)
        .rowsWritten;
    });
    return deleted.some((rows) => rows >= FEED_DELETED_AT_ONCE);
  }

  /** All texts of sources, to find texts that the coordinator has lost. */
  get texts(): string[] {
    return this.#sql
      .exec<{ place: string }>("SELECT place FROM places WHERE place GLOB '*[^+0-9]*'")
      .toArray()
      .map(({ place }) => place);
  }
}

/** The key of a place in a layer with these keys. */
export function keyOf(place: string, keys: ListKeys): LiveKey {
  return isNumber(place) ? numberKey(numberOf(place)) : fingerprintKey(fingerprint(place, keys.sourceSeed));
}

/** Rows as entries of a layer with these keys. */
export function entriesOf(place: string, rows: readonly LivePlaceRow[], keys: ListKeys): LiveEntry[] {
  const key = keyOf(place, keys);
  return rows.map(({ seq, op, subjects, code, authority, until, rule, stage }) => ({
    ...key,
    ...{ seq, op, authority, until, code: code as Code | null },
    subjects: subjects.reduce((mask, subject) => mask | SUBJECT_BIT[subject], 0),
    ...(rule === null || stage === null ? {} : { rule, stage }),
  }));
}
