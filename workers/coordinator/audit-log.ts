/**
 * The audit log in SQLite: a hash chain over every change (shared/audit.ts). The time, author and reason of
 * an operation are one row in `operations`, and each of its records refers to that row. So the size of a
 * record in a bulk operation does not depend on the length of the reason. Only `trim` shortens the log. It
 * keeps the hash of the last record it removes, and the chain continues from there.
 */
import {
  type AuditEntry,
  type AuditRecord,
  auditHash,
  CHAIN_START,
  type KnownRecord,
} from '../../shared/audit.ts';
import { fromHex, toHex } from '../../shared/bytes.ts';
import { AUDIT_KEPT_MS, AUDIT_PAGE_CHARS_MAX, AUDIT_REMOVED_AT_ONCE } from '../../shared/limits/control.ts';
import { type AppliedChange, applied, type ChangeResult, refuseField } from './change-request.ts';
import type { Meta } from './meta.ts';

/** The fields shared by all records of one operation. */
export interface Operation {
  readonly id: number;
  readonly seq: number;
  /** ms since 1970. */
  readonly at: number;
  readonly actor: string;
  readonly reason: string;
}

interface Row extends Record<string, SqlStorageValue> {
  n: number;
  at: number;
  seq: number;
  actor: string;
  action: string;
  subject: string;
  reason: string;
  before: string;
  after: string;
  hash: ArrayBuffer;
}

export interface NamedRecord {
  readonly n: number;
  readonly action: string;
  readonly subject: string;
}

export interface RecordRange {
  readonly after: number;
  readonly to: number;
  readonly since: number;
  readonly before: number;
}

/** The prefix of the subject of a record about a source. */
export const SOURCE_SUBJECT = 'source ';

export class AuditLog {
  readonly #sql: SqlStorage;
  readonly #meta: Meta;

  constructor(sql: SqlStorage, meta: Meta) {
    this.#sql = sql;
    this.#meta = meta;
  }

  /** The id of the next operation. */
  get nextOperation(): number {
    const { id } = this.#sql.exec<{ id: number | null }>('SELECT MAX(id) AS id FROM operations').one();
    return (id ?? 0) + 1;
  }

  /** Writes an operation and its records. Must run in the transaction of the change. */
  append({ id, seq, at, actor, reason: given }: Operation, entries: readonly AuditEntry[]): void {
    // SQLite stores UTF-8, which cannot hold half a surrogate pair: the chain would not verify when read
    // back.
    const reason = given.toWellFormed();
    this.#sql.exec('INSERT INTO operations VALUES (?, ?, ?, ?, ?)', id, seq, at, actor, reason);
    const time = new Date(at).toISOString();
    let { n, hash: previous } = this.last;
    for (const { action, subject: named, before, after } of entries) {
      const subject = named.toWellFormed();
      n++;
      const hash = auditHash({ n, at: time, seq, actor, action, subject, reason, before, after, previous });
      this.#sql.exec(
        'INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?)',
        ...[n, id, action, subject, JSON.stringify(before), JSON.stringify(after), fromHex(hash)],
      );
      previous = hash;
    }
  }

  /** Number and hash of the newest record. */
  get last(): KnownRecord {
    const [row] = this.#sql
      .exec<{ n: number; hash: ArrayBuffer }>('SELECT n, hash FROM audit ORDER BY n DESC LIMIT 1')
      .toArray();
    return row === undefined ? this.trimmed : { n: row.n, hash: hexOf(row.hash) };
  }

  /** The last trimmed record. The log begins after it. */
  get trimmed(): KnownRecord {
    return this.#meta.json<KnownRecord>('auditTrimmed') ?? { n: 0, hash: CHAIN_START };
  }

  /**
   * Records after a number, oldest first: at most `limit`, and at most what fits in one response. Their fields are in
   * the order of `auditLine`, because the exact bytes of a line define the record.
   */
  records(behind: number, limit: number): AuditRecord[] {
    const after = Math.max(behind, this.trimmed.n);
    const rows = this.#sql.exec<Row>(
      `SELECT n, at, seq, actor, action, subject, reason, before, after, hash
       FROM audit CROSS JOIN operations ON operations.id = audit.operation WHERE n > ? ORDER BY n LIMIT ?`,
      ...[after, limit],
    );
    const records: AuditRecord[] = [];
    let previous = this.#hashAt(after);
    let chars = 0;
    for (const { hash: bytes, at, before, after: state, ...row } of rows) {
      chars += before.length + state.length + row.reason.length;
      if (chars > AUDIT_PAGE_CHARS_MAX && records.length > 0) break;
      const hash = hexOf(bytes);
      records.push({
        ...{ ...row, at: new Date(at).toISOString(), before: JSON.parse(before), after: JSON.parse(state) },
        ...{ previous, hash },
      });
      previous = hash;
    }
    return records;
  }

  /** The records with these numbers, in ascending order. Omits trimmed records. @param numbers in ascending order */
  recordsOf(numbers: readonly number[]): AuditRecord[] {
    return numbers.flatMap((n) => this.records(n - 1, 1)).filter(({ n }) => numbers.includes(n));
  }

  /**
   * The number of the first kept record at this time or later; one past the last record if there is none. Clocks may
   * have gone back a little, so callers must allow for some slack. @param at ms since 1970
   */
  firstSince(at: number): number {
    let [low, high] = [this.trimmed.n + 1, this.last.n + 1];
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if (this.#timeOf(middle) < at) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** ms since 1970 */
  #timeOf(n: number): number {
    return this.#sql
      .exec<{ at: number }>(
        'SELECT at FROM audit CROSS JOIN operations ON operations.id = audit.operation WHERE n = ?',
        n,
      )
      .one().at;
  }

  /**
   * The records about these subjects with a number above `after`, up to `to`, and a time (ms) from `since` until before
   * `before`. Scans all records in that range.
   * @param withSources also return the records about any source
   */
  named(
    subjects: readonly string[],
    withSources: boolean,
    { after, to, since, before }: RecordRange,
  ): NamedRecord[] {
    const sources = withSources ? `OR subject LIKE '${SOURCE_SUBJECT}%'` : '';
    return this.#sql
      .exec<NamedRecord & Record<string, SqlStorageValue>>(
        `SELECT n, action, subject FROM audit CROSS JOIN operations ON operations.id = audit.operation
         WHERE n > ? AND n <= ? AND (subject IN (SELECT value FROM json_each(?)) ${sources})
         AND at >= ? AND at < ? ORDER BY n`,
        ...[after, to, JSON.stringify(subjects), since, before],
      )
      .toArray();
  }

  /** Whether a record after `n` has this action on this subject, by this actor if one is given. */
  hasChange(
    n: number,
    change: { readonly actor?: string; readonly action: string; readonly subject: string },
  ): boolean {
    const { actor = null, action, subject } = change;
    const found = this.#sql.exec(
      `SELECT 1 FROM audit CROSS JOIN operations ON operations.id = audit.operation
       WHERE n > ? AND action = ? AND subject = ? AND actor = COALESCE(?, actor) LIMIT 1`,
      ...[n, action, subject, actor],
    );
    return found.toArray().length > 0;
  }

  /** @param n number of a record, or of the last trimmed one */
  #hashAt(n: number): string {
    const { trimmed } = this;
    if (n === trimmed.n) return trimmed.hash;
    const [row] = this.#sql.exec<{ hash: ArrayBuffer }>('SELECT hash FROM audit WHERE n = ?', n).toArray();
    return row === undefined ? CHAIN_START : hexOf(row.hash);
  }

  /**
   * Removes the records up to and including this one. The hash proves that the caller has read the log that far.
   * @param now ms since 1970
   */
  trim({ n, hash }: KnownRecord, now: number): ChangeResult<AppliedChange<{ trimmedTo: number }>> {
    const before = this.trimmed.n;
    if (n <= before) {
      return refuseField(
        'n',
        `must be above ${recordName(before)}: the log is already trimmed up to this record`,
      );
    }
    const [record] = this.#sql
      .exec<{ at: number; hash: ArrayBuffer }>(
        'SELECT at, hash FROM audit CROSS JOIN operations ON operations.id = audit.operation WHERE n = ?',
        n,
      )
      .toArray();
    if (record === undefined) {
      return refuseField('n', `must be at most ${recordName(this.last.n)}, the last record of the log`);
    }
    if (hexOf(record.hash) !== hash) {
      return refuseField('hash', `is not the hash of record ${recordName(n)}: verify your export`);
    }
    if (record.at > now - AUDIT_KEPT_MS) {
      const days = AUDIT_KEPT_MS / 86_400_000;
      return refuseField('n', `must be the number of a record that is older than ${days} days`);
    }
    this.#meta.set('auditTrimmed', { n, hash });
    const after = { trimmedTo: n, hash };
    return applied({ trimmedTo: n }, [
      { action: 'audit.trim', subject: 'audit', before: { trimmedTo: before }, after },
    ]);
  }

  /** Deletes some of the trimmed rows, oldest first. */
  removeTrimmed(): void {
    const { n } = this.trimmed;
    const { first } = this.#sql.exec<{ first: number | null }>('SELECT MIN(n) AS first FROM audit').one();
    if (first === null || first > n) return;
    this.#sql.exec('DELETE FROM audit WHERE n <= ?', Math.min(n, first + AUDIT_REMOVED_AT_ONCE - 1));
    this.#sql.exec(
      `DELETE FROM operations WHERE id < (SELECT operation FROM audit ORDER BY n LIMIT 1)
       AND id NOT IN (SELECT operation FROM live_changes) AND id NOT IN (SELECT made_by FROM undo_changes)`,
    );
  }
}

function hexOf(bytes: ArrayBuffer): string {
  return toHex(new Uint8Array(bytes));
}

/** With commas, so a record number in an error does not look like a phone number. */
function recordName(n: number): string {
  return n.toLocaleString('en');
}
