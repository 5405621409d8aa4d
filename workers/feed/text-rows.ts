/** The campaigns and hosts with an entry in the feed, each with the entry that the feed last published. */
import type { TextEntry } from '../../shared/feed/entry.ts';
import { FEED_CHANGES_MAX } from '../../shared/limits/feed.ts';
import type { CurrentEntry } from '../storage/feed-port.ts';

/** Maximum rows of one step. Tests lower this limit. */
export const textLimits = { page: FEED_CHANGES_MAX };

export type TextKind = TextEntry['subject'];

export interface TextRow {
  readonly kind: TextKind;
  /** Unique within its kind: the key ID and fingerprint of a campaign, or a list and one of its hosts. */
  readonly name: string;
  readonly reference: string;
  readonly entry: TextEntry;
  /** The ID of a campaign in the text store; 0 for a host. */
  readonly owner: number;
}

/** The change that a step makes to a row. */
export interface TextChange {
  /** Null for a new row. */
  readonly before: TextRow | null;
  /** Null to remove the row. */
  readonly after: TextRow | null;
}

interface Row extends Record<string, SqlStorageValue> {
  id: number;
  kind: string;
  name: string;
  reference: string;
  entry: string;
  position: number;
  owner: number;
}

export class TextRows {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  get(kind: TextKind, name: string): TextRow | null {
    const query = 'SELECT * FROM texts WHERE kind = ? AND name = ?';
    const [row] = this.#sql.exec<Row>(query, kind, name).toArray();
    return row === undefined ? null : rowOf(row);
  }

  /** @param position the position of its event @param pass the reading that found the row */
  put({ kind, name, reference, entry, owner }: TextRow, position: number, pass: number): void {
    this.#sql.exec(
      `INSERT INTO texts (kind, name, reference, entry, position, owner, pass) VALUES (?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (kind, name) DO UPDATE
       SET entry = excluded.entry, position = excluded.position, owner = excluded.owner, pass = excluded.pass`,
      ...[kind, name, reference, JSON.stringify(entry), position, owner, pass],
    );
  }

  /** Records that the reading of this pass found the row unchanged. */
  seen(kind: TextKind, name: string, owner: number, pass: number): void {
    this.#sql.exec(
      'UPDATE texts SET owner = ?, pass = ? WHERE kind = ? AND name = ? AND (owner <> ? OR pass <> ?)',
      ...[owner, pass, kind, name, owner, pass],
    );
  }

  delete(kind: TextKind, name: string): void {
    this.#sql.exec('DELETE FROM texts WHERE kind = ? AND name = ?', kind, name);
  }

  /** Rows after a name, in the order of names. */
  after(kind: TextKind, name: string, limit: number): TextRow[] {
    const query = 'SELECT * FROM texts WHERE kind = ? AND name > ? ORDER BY name LIMIT ?';
    return this.#sql.exec<Row>(query, kind, name, limit).toArray().map(rowOf);
  }

  /** Campaigns that the reading of this pass has not found. */
  before(pass: number, limit: number): TextRow[] {
    const query = "SELECT * FROM texts WHERE kind = 'campaign' AND pass < ? LIMIT ?";
    return this.#sql.exec<Row>(query, pass, limit).toArray().map(rowOf);
  }

  /** Entries in the order of IDs. @returns each with its ID */
  entries(after: number, limit: number): (CurrentEntry & { readonly id: number })[] {
    return this.#sql
      .exec<Row>('SELECT * FROM texts WHERE id > ? ORDER BY id LIMIT ?', after, limit)
      .toArray()
      .map(({ id, reference, position, entry }) => ({
        ...{ id, reference, position, entry: JSON.parse(entry) as TextEntry },
      }));
  }
}

function rowOf({ kind, name, reference, entry, owner }: Row): TextRow {
  return { kind: kind as TextKind, name, reference, entry: JSON.parse(entry) as TextEntry, owner };
}
