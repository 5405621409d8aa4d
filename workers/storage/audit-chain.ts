/**
 * The audit chain of a Durable Object with its own volume, in the format of the audit log (shared/audit.ts). The log
 * records the end of the chain from time to time, so nobody can rewrite the chain unnoticed.
 */
import {
  type AuditEntry,
  type AuditRecord,
  auditHash,
  CHAIN_START,
  type KnownRecord,
} from '../../shared/audit.ts';
import { fromHex, toHex } from '../../shared/bytes.ts';
import { AUDIT_PAGE_CHARS_MAX } from '../../shared/limits/control.ts';

/** Who made a change, when and why. */
export interface Author {
  readonly actor: string;
  readonly reason: string;
  /** ms since 1970. */
  readonly at: number;
  /** Whether the actor may do what senders and reviewers may do. */
  readonly isRoot?: boolean;
}

/** How the table `audit` of the object stores subjects and actions. */
export interface ChainForm {
  /** The column of the subject. */
  readonly column: string;
  /** The subject of a record, from that column. */
  readonly subjectOf: (stored: string | number) => string;
  /** The prefix of actions in records. Rows leave it out. */
  readonly prefix: string;
}

interface Row extends Record<string, SqlStorageValue> {
  n: number;
  subject: string | number;
  at: number;
  actor: string;
  action: string;
  reason: string;
  before: string;
  after: string;
  hash: ArrayBuffer;
  previous: ArrayBuffer | null;
}

export class AuditChain {
  readonly #sql: SqlStorage;
  readonly #form: ChainForm;

  constructor(sql: SqlStorage, form: ChainForm) {
    this.#sql = sql;
    this.#form = form;
  }

  /** Must run in the transaction of the change. @param subject as the column stores it @param action without the prefix */
  append(
    { actor, reason: given, at }: Author,
    subject: string | number,
    { action, before, after }: Omit<AuditEntry, 'subject'>,
  ): void {
    const { n: last, hash: previous } = this.last;
    const { column, subjectOf, prefix } = this.#form;
    // SQLite stores UTF-8, which cannot hold half a surrogate pair.
    const reason = given.toWellFormed();
    const n = last + 1;
    const hash = auditHash({
      ...{ n, seq: 0, at: new Date(at).toISOString(), actor, action: prefix + action, reason },
      ...{ subject: subjectOf(subject), before, after, previous },
    });
    this.#sql.exec(
      `INSERT INTO audit (n, ${column}, at, actor, action, reason, before, after, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      ...[n, subject, at, actor, action, reason],
      ...[JSON.stringify(before), JSON.stringify(after), fromHex(hash)],
    );
  }

  /** Number and hash of the newest record. */
  get last(): KnownRecord {
    const [row] = this.#sql
      .exec<{ n: number; hash: ArrayBuffer }>('SELECT n, hash FROM audit ORDER BY n DESC LIMIT 1')
      .toArray();
    return row === undefined ? { n: 0, hash: CHAIN_START } : { n: row.n, hash: hexOf(row.hash) };
  }

  /** Records after a number, oldest first. */
  records(after: number, limit: number): AuditRecord[] {
    return this.#records('n > ? ORDER BY n LIMIT ?', after, limit);
  }

  /** Records of one subject after a number, oldest first. @param subject as the column stores it */
  history(subject: string | number, after: number, limit: number): AuditRecord[] {
    return this.#records(`${this.#form.column} = ? AND n > ? ORDER BY n LIMIT ?`, subject, after, limit);
  }

  /** As many records as AUDIT_PAGE_CHARS_MAX allows, but at least one if there is any. */
  #records(where: string, ...values: (string | number)[]): AuditRecord[] {
    const { column, subjectOf, prefix } = this.#form;
    const rows = this.#sql.exec<Row>(
      `SELECT *, ${column} AS subject, (SELECT hash FROM audit AS other WHERE other.n = audit.n - 1) AS previous
       FROM audit WHERE ${where}`,
      ...values,
    );
    const records: AuditRecord[] = [];
    let chars = 0;
    for (const row of rows) {
      chars += row.before.length + row.after.length + row.reason.length;
      if (chars > AUDIT_PAGE_CHARS_MAX && records.length > 0) break;
      records.push({
        ...{ n: row.n, seq: 0, actor: row.actor, action: prefix + row.action },
        ...{ subject: subjectOf(row.subject), reason: row.reason, at: new Date(row.at).toISOString() },
        ...{ before: JSON.parse(row.before) as unknown, after: JSON.parse(row.after) as unknown },
        ...{ previous: row.previous === null ? CHAIN_START : hexOf(row.previous), hash: hexOf(row.hash) },
      });
    }
    return records;
  }
}

function hexOf(bytes: ArrayBuffer): string {
  return toHex(new Uint8Array(bytes));
}
