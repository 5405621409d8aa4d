/**
 * Organisations, their qualifications, clients or admin tokens in SQLite, as JSON by ID. Only digests of secrets are
 * stored.
 */
import type { AuditEntry } from '../../shared/audit.ts';
import type { Client } from '../../shared/clients.ts';
import { EXPIRING_SHOWN_MAX } from '../../shared/limits/control.ts';
import type { Organisation } from '../../shared/organisations.ts';
import type { Qualification } from '../../shared/senders/qualification.ts';
import type { Token } from '../../shared/tokens.ts';

type Stored = Client | Token | Organisation | Qualification;
type Column = 'client' | 'token' | 'organisation' | 'qualification';

export class DocumentStore<Document extends Stored> {
  readonly #sql: SqlStorage;
  readonly #table: `${Column}s`;
  readonly #column: Column;
  /** Rises with each change, even if the change is rolled back. */
  generation = 0;

  constructor(sql: SqlStorage, column: Column) {
    this.#sql = sql;
    this.#table = `${column}s`;
    this.#column = column;
  }

  /** All documents, sorted by ID. */
  get all(): Document[] {
    return this.#select('ORDER BY id');
  }

  get count(): number {
    return this.#sql.exec<{ count: number }>(`SELECT COUNT(*) AS count FROM ${this.#table}`).one().count;
  }

  get(id: string): Document | null {
    return this.#select('WHERE id = ?', id)[0] ?? null;
  }

  /**
   * Keys that end between these times (ISO 8601), at most EXPIRING_SHOWN_MAX. Keys that have not ended `now` come first,
   * the next to end at the top, so that many ended keys do not hide them.
   */
  expiring(from: string, now: string, to: string): { id: string; expires: string }[] {
    const expires = `json_extract(${this.#column}, '$.expires')`;
    return this.#sql
      .exec<{ id: string; expires: string }>(
        `SELECT id, ${expires} AS expires FROM ${this.#table} WHERE ${expires} BETWEEN ? AND ?
         ORDER BY expires <= ?, ABS(julianday(expires) - julianday(?)) LIMIT ?`,
        ...[from, to, now, now, EXPIRING_SHOWN_MAX],
      )
      .toArray();
  }

  #select(where: string, ...values: string[]): Document[] {
    return this.#sql
      .exec<{ json: string }>(`SELECT ${this.#column} AS json FROM ${this.#table} ${where}`, ...values)
      .toArray()
      .map(({ json }) => JSON.parse(json) as Document);
  }

  /** @param after null to remove it */
  put(id: string, after: Document | null): AuditEntry {
    const before = this.get(id);
    this.generation++;
    if (after === null) this.#sql.exec(`DELETE FROM ${this.#table} WHERE id = ?`, id);
    else this.#sql.exec(`INSERT OR REPLACE INTO ${this.#table} VALUES (?, ?)`, id, JSON.stringify(after));
    return { action: `${this.#table}.${after === null ? 'remove' : 'put'}`, subject: id, before, after };
  }
}
