/**
 * An index of the registrations of all organisations that wait for a review, in the order of their submission. Only
 * the store of the organisation has the current state.
 */
import type { QueueChange, QueuedRegistration } from '../storage/registry-port.ts';

const TABLES = `
  CREATE TABLE IF NOT EXISTS queue (
    organisation TEXT NOT NULL,
    id TEXT NOT NULL,
    state TEXT NOT NULL,
    submitted_at INTEGER NOT NULL,
    claimed_by TEXT,
    basis TEXT NOT NULL,
    PRIMARY KEY (organisation, id)
  ) WITHOUT ROWID;
  DROP INDEX IF EXISTS queue_submitted;
  DROP INDEX IF EXISTS queue_organisation;
  CREATE INDEX IF NOT EXISTS queue_by_time ON queue (submitted_at, organisation, CAST(id AS INTEGER));
  CREATE INDEX IF NOT EXISTS queue_by_organisation ON queue (organisation, submitted_at, CAST(id AS INTEGER));
`;

/** States in which a reviewer has something to do. */
const WAITING = ['submitted', 'inReview'];

type Row = QueuedRegistration & Record<string, SqlStorageValue>;

export class QueueIndex {
  readonly #sql: SqlStorage;

  constructor({ sql }: DurableObjectStorage) {
    this.#sql = sql;
    sql.exec(TABLES);
  }

  apply(organisation: string, changes: readonly QueueChange[]): void {
    for (const { id, state, submittedAt, claimedBy, basis } of changes) {
      if (WAITING.includes(state)) {
        this.#sql.exec(
          'INSERT OR REPLACE INTO queue VALUES (?, ?, ?, ?, ?, ?)',
          ...[organisation, id, state, submittedAt, claimedBy, basis],
        );
      } else this.#sql.exec('DELETE FROM queue WHERE organisation = ? AND id = ?', organisation, id);
    }
  }

  /** Adds the registrations of an organisation that are not in the index. */
  fill(organisation: string, entries: readonly QueueChange[]): void {
    const known = new Set(
      this.#sql
        .exec<{ id: string }>('SELECT id FROM queue WHERE organisation = ?', organisation)
        .toArray()
        .map(({ id }) => id),
    );
    this.apply(
      organisation,
      entries.filter(({ id }) => !known.has(id)),
    );
  }

  /** @param after `next` of the previous page; null or no valid cursor for the first page @param only organisation to list */
  page(
    after: string | null,
    limit: number,
    only: string | null,
  ): { readonly queue: QueuedRegistration[]; readonly next: string | null } {
    const where = only === null ? '' : 'organisation = ? AND ';
    const [at = '0', organisation = '', id = ''] = (after ?? '').split(' ');
    const queue = this.#sql
      .exec<Row>(
        `SELECT organisation, id, state, submitted_at AS submittedAt, claimed_by AS claimedBy, basis FROM queue
         WHERE ${where}(submitted_at, organisation, CAST(id AS INTEGER)) > (?, ?, ?)
         ORDER BY submitted_at, organisation, CAST(id AS INTEGER) LIMIT ?`,
        ...[...(only === null ? [] : [only]), Number(at) || 0, organisation, Number(id) || 0, limit],
      )
      .toArray();
    const last = queue.at(-1);
    const isFull = last !== undefined && queue.length === limit;
    return { queue, next: isFull ? `${last.submittedAt} ${last.organisation} ${last.id}` : null };
  }
}
