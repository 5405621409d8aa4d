/**
 * The data for undo: for each operation on live entries, the entries in force that it replaced. An undo writes them
 * again with a new `seq`. Sealed segments still hold the entries to reverse, and the newest entry decides. So an undo
 * does not depend on when segments are sealed.
 *
 * For each number and subject, the rows always expire in the reverse order of their `seq` (live-writer.ts). Let U be
 * the last end of the rows to reverse. An undo writes again the earlier rows that end before U and, of the other earlier
 * rows, the one that ends first. If no earlier row ends at U or later, an `undo` row until U takes its place and decides
 * as if there were no entry. The code, authority, end and author of a row stay as they were.
 */
import { LIVE_KINDS, type LiveKey } from '../../shared/live/entry.ts';
import type { Needs } from './change-request.ts';
import type { LiveRoom } from './live-room.ts';
import {
  type LiveWriter,
  NO_MARK,
  nameOf,
  type Place,
  type PlannedPlace,
  type ReplacedRow,
  type SharedChange,
} from './live-writer.ts';

/** An operation and what it replaced. */
export interface KeptOperation {
  readonly operation: number;
  /** The first and last `seq` of its rows. */
  readonly fromSeq: number;
  readonly toSeq: number;
  readonly authority: string;
  readonly needs: Needs;
  /** What an undo of the operation requires. An undo of an undo repeats the change, so it requires the same. */
  readonly undoNeeds: Needs;
  /** The count of numbers and subjects that the operation changed, by the last end of their rows. */
  readonly ends: ReadonlyMap<number, number>;
  readonly replaced: readonly ReplacedRow[];
  /** Seconds since 1970. */
  readonly now: number;
}

/** An operation that can be undone. */
export interface UndoableOperation extends Record<string, SqlStorageValue> {
  readonly operation: number;
  readonly from_seq: number;
  readonly to_seq: number;
  readonly authority: string;
  readonly undone_by: number | null;
  /** As in KeptOperation, encoded as JSON. */
  readonly needs: string;
  readonly undo_needs: string;
}

interface Restored extends PlannedPlace {
  readonly until: number;
}
type PlacedRow = SharedChange & { readonly source: string | null };

export interface UndoPlan {
  readonly restored: readonly Restored[];
  /** Number of places that another operation has changed since. */
  readonly changed: number;
  /** Maximum segment entries that the undo writes. Rows of both subjects of a number count as one. */
  readonly written: number;
}

export class UndoStore {
  readonly #sql: SqlStorage;
  readonly #room: LiveRoom;
  readonly #writer: LiveWriter;

  constructor(sql: SqlStorage, room: LiveRoom, writer: LiveWriter) {
    this.#sql = sql;
    this.#room = room;
    this.#writer = writer;
  }

  /** Must run in the transaction of the operation. */
  keep({ operation, fromSeq, toSeq, authority, ends, replaced, now, ...kept }: KeptOperation): void {
    this.#sql.exec(
      'INSERT INTO undo_operations VALUES (?, ?, ?, ?, ?, NULL, ?, ?)',
      ...[operation, fromSeq, toSeq, authority, now * 1000],
      ...[JSON.stringify(kept.needs), JSON.stringify(kept.undoNeeds)],
    );
    for (const [until, entries] of ends) {
      this.#sql.exec('INSERT INTO undo_ends VALUES (?, ?, ?)', operation, until, entries);
    }
    for (const { key, subject, seq, ...change } of replaced) {
      const { operation: madeBy, op, code, authority: of, until, rule, stage } = change;
      this.#sql.exec(
        'INSERT OR IGNORE INTO undo_changes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
        ...[operation, seq, madeBy, op, code, of, until, rule, stage],
      );
      this.#sql.exec(
        'INSERT INTO undo_rows VALUES (?, ?, ?, ?, ?, ?, ?)',
        ...[operation, ...valuesOf({ key, subject }), seq, key.source],
      );
    }
  }

  get(operation: number): UndoableOperation | null {
    const query = 'SELECT * FROM undo_operations WHERE operation = ?';
    return this.#sql.exec<UndoableOperation>(query, operation).toArray()[0] ?? null;
  }

  /** The count of numbers and subjects that an operation changed and whose rows have not ended. */
  entries({ operation }: UndoableOperation, now: number): number {
    const query =
      'SELECT COALESCE(SUM(entries), 0) AS entries FROM undo_ends WHERE operation = ? AND until > ?';
    return this.#sql.exec<{ entries: number }>(query, operation, now).one().entries;
  }

  /** Plans what an undo would write. Changes nothing. @param now seconds since 1970 */
  plan(undoable: UndoableOperation, now: number): UndoPlan {
    const restored = this.#places(undoable).flatMap((place) => this.#restored(undoable, place, now) ?? []);
    const written = new Set<string>();
    for (const { key, rows } of restored) {
      for (const row of rows) written.add(`${key.kind} ${key.high} ${key.low} ${nameOf(row)}`);
    }
    return { restored, changed: this.entries(undoable, now) - restored.length, written: written.size };
  }

  #places({ operation, from_seq, to_seq }: UndoableOperation): Place[] {
    type Row = { kind: number; high: number; low: number; subject: number; source: string | null };
    return this.#sql
      .exec<Row & Record<string, SqlStorageValue>>(
        `SELECT kind, high, low, subject, MAX(source) AS source FROM live_changes CROSS JOIN live USING (seq)
         WHERE seq BETWEEN ? AND ? OR operation = ? GROUP BY kind, high, low, subject`,
        ...[from_seq, to_seq, operation],
      )
      .toArray()
      .map(({ kind, high, low, subject, source }) => ({
        key: { kind: LIVE_KINDS[kind]!, high, low, source },
        subject,
      }));
  }

  /** The rows to restore at a place; null if another operation has changed it since, or all its rows have ended. */
  #restored(undoable: UndoableOperation, place: Place, now: number): Restored | null {
    const { operation, from_seq, to_seq, authority } = undoable;
    // An undo of a later operation gives rows a new `seq`, but keeps their operation.
    const isOwn = (row: PlacedRow): boolean =>
      row.operation === operation || (row.seq >= from_seq && row.seq <= to_seq);
    const present = this.#rowsAt(place, now);
    const last = present.at(-1);
    if (last === undefined || !isOwn(last)) return null;
    const { until } = present.find(isOwn)!;
    const before = [...present.filter((row) => !isOwn(row)), ...this.#replacedAt(operation, place, now)];
    before.sort((a, b) => b.until - a.until);
    const first = before.findLastIndex((row) => row.until >= until);
    const none: PlacedRow = {
      ...{ seq: 0, operation: 0, op: 'undo', code: null, authority, until, source: place.key.source },
      ...NO_MARK,
    };
    const rows = first < 0 ? [none, ...before] : before.slice(first);
    return { ...place, until: rows[0]!.until, rows };
  }

  /** The rows in force, by descending end. */
  #rowsAt(place: Place, now: number): PlacedRow[] {
    return this.#sql
      .exec<PlacedRow & Record<string, SqlStorageValue>>(
        `SELECT seq, operation, op, code, authority, until, rule, stage, source
         FROM live CROSS JOIN live_changes USING (seq)
         WHERE kind = ? AND high = ? AND low = ? AND subject = ? AND until > ? ORDER BY until DESC`,
        ...[...valuesOf(place), now],
      )
      .toArray();
  }

  #replacedAt(operation: number, place: Place, now: number): PlacedRow[] {
    return this.#sql
      .exec<PlacedRow & Record<string, SqlStorageValue>>(
        `SELECT seq, made_by AS operation, op, code, authority, until, rule, stage, source
         FROM undo_rows CROSS JOIN undo_changes USING (operation, seq)
         WHERE operation = ? AND kind = ? AND high = ? AND low = ? AND subject = ? AND until > ?`,
        ...[operation, ...valuesOf(place), now],
      )
      .toArray();
  }

  /**
   * Writes what an undo restores. Must run in the transaction of the undo.
   * @param by the operation of the undo
   * @param fromSeq `seq` of the first row that it writes
   * @returns the `seq` of the last row that it writes
   */
  apply(
    undoable: UndoableOperation,
    { restored }: UndoPlan,
    by: number,
    fromSeq: number,
    now: number,
  ): number {
    const { replaced, growth, toSeq } = this.#writer.rewrite(restored, by, fromSeq);
    this.#room.add(growth);
    const ends = new Map<number, number>();
    for (const { until } of restored) ends.set(until, (ends.get(until) ?? 0) + 1);
    const { operation, from_seq, authority } = undoable;
    const inForce = replaced.filter((row) => row.until > now);
    const { needs: undoNeeds, undoNeeds: needs } = needsOf(undoable);
    const made = { operation: by, fromSeq, toSeq, authority, needs, undoNeeds };
    this.keep({ ...made, ends, replaced: inForce, now });
    // If this reverses an undo, the operation that the undo reversed is in force again.
    this.#sql.exec('UPDATE undo_operations SET undone_by = NULL WHERE undone_by = ?', operation);
    this.#sql.exec('DELETE FROM undone_spans WHERE undone_by = ?', operation);
    this.#sql.exec('UPDATE undo_operations SET undone_by = ? WHERE operation = ?', by, operation);
    this.#sql.exec('INSERT OR REPLACE INTO undone_spans VALUES (?, ?, ?, ?)', operation, by, from_seq, toSeq);
    return toSeq;
  }

  /** Whether a release that folds entries up to this `seq` contains an operation that was undone after it was built. */
  isUndoneIn(foldedSeq: number): boolean {
    const query = 'SELECT 1 FROM undone_spans WHERE from_seq <= ? AND to_seq > ? LIMIT 1';
    return this.#sql.exec(query, foldedSeq, foldedSeq).toArray().length > 0;
  }

  /** Forgets operations that every readable release has folded in, because they can no longer be undone. */
  dropFolded(foldedSeq: number): void {
    this.#forget('from_seq <= ?', foldedSeq);
    this.#sql.exec('DELETE FROM undone_spans WHERE to_seq <= ?', foldedSeq);
  }

  /** Forgets operations up to a time. @param at ms since 1970 */
  forget(at: number): void {
    this.#forget('at <= ?', at);
  }

  /** Forgets the operations that replaced entries of a source, because its fingerprint has become useless. */
  dropSource({ high, low }: Pick<LiveKey, 'high' | 'low'>): void {
    const query = 'SELECT DISTINCT operation FROM undo_rows WHERE kind = ? AND high = ? AND low = ?';
    const operations = this.#sql.exec<{ operation: number }>(query, LIVE_KINDS.indexOf('source'), high, low);
    for (const { operation } of operations.toArray()) this.#forget('operation = ?', operation);
  }

  /**
   * Forgets the entries of an authority that operations replaced at a number or source. These entries were lifted
   * since, so no undo may revive them.
   */
  dropReplaced(key: LiveKey, authority: string): void {
    const place = [LIVE_KINDS.indexOf(key.kind), key.high, key.low];
    // Use one lookup per operation, because there are fewer operations than changes.
    this.#sql.exec(
      `DELETE FROM undo_rows WHERE operation IN (SELECT operation FROM undo_operations)
       AND kind = ? AND high = ? AND low = ? AND EXISTS (
         SELECT 1 FROM undo_changes AS changed WHERE changed.operation = undo_rows.operation
         AND changed.seq = undo_rows.seq AND authority = ?)`,
      ...[...place, authority],
    );
  }

  #forget(where: string, value: number): void {
    const old = `(SELECT operation FROM undo_operations WHERE ${where})`;
    for (const table of ['undo_rows', 'undo_changes', 'undo_ends', 'undo_operations']) {
      this.#sql.exec(`DELETE FROM ${table} WHERE operation IN ${old}`, value);
    }
  }
}

export function needsOf({
  needs,
  undo_needs,
}: UndoableOperation): Pick<KeptOperation, 'needs' | 'undoNeeds'> {
  return { needs: JSON.parse(needs) as Needs, undoNeeds: JSON.parse(undo_needs) as Needs };
}

function valuesOf({ key: { kind, high, low }, subject }: Place): [number, number, number, number] {
  return [LIVE_KINDS.indexOf(kind), high, low, subject];
}
