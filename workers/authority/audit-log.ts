/**
 * The audit log in SQLite: a hash chain over every change (shared/audit.ts). The time, author and reason of an
 * operation are one row in `operations`; each of its records refers to that row, so that a record of a bulk
 * operation costs the same however long the reason is.
 */
import { type AuditEntry, type AuditRecord, auditHash, CHAIN_START } from '../../shared/audit.ts';
import { fromHex, toHex } from '../../shared/bytes.ts';
import { AUDIT_PAGE_CHARS_MAX } from '../../shared/limits.ts';

/** What all records of one operation share. */
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

export class AuditLog {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** The id of the operation that is to be written next. */
  get nextOperation(): number {
    const { id } = this.#sql.exec<{ id: number | null }>('SELECT MAX(id) AS id FROM operations').one();
    return (id ?? 0) + 1;
  }

  /** Write an operation and its records. Call it in the transaction of the change. */
  append({ id, seq, at, actor, reason: given }: Operation, entries: readonly AuditEntry[]): void {
    // SQLite stores UTF-8, which has no half surrogate pair: the chain would break when it is read back.
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

  /** Place and hash of the newest record. */
  get last(): { n: number; hash: string } {
    const [row] = this.#sql
      .exec<{ n: number; hash: ArrayBuffer }>('SELECT n, hash FROM audit ORDER BY n DESC LIMIT 1')
      .toArray();
    return row === undefined ? { n: 0, hash: CHAIN_START } : { n: row.n, hash: hexOf(row.hash) };
  }

  /** Records behind a place, oldest first: at most `limit`, and no more than one answer can carry. */
  records(after: number, limit: number): AuditRecord[] {
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

  #hashAt(n: number): string {
    const [row] = this.#sql.exec<{ hash: ArrayBuffer }>('SELECT hash FROM audit WHERE n = ?', n).toArray();
    return row === undefined ? CHAIN_START : hexOf(row.hash);
  }
}

function hexOf(bytes: ArrayBuffer): string {
  return toHex(new Uint8Array(bytes));
}
