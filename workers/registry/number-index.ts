/**
 * An index for reviewers of the organisations that have registered a number: one row for each organisation and span that
 * was ever in force or in the queue of reviewers. Only the store of the organisation has the current state.
 */
import { BLOCK_NUMBERS } from '../../shared/numbers/blocks.ts';
import type { Span } from '../../shared/numbers/spans.ts';
import type { PublishedChange, QueueChange } from '../storage/registry-port.ts';

const TABLES = `
  CREATE TABLE IF NOT EXISTS numbers (
    "from" INTEGER NOT NULL,
    "to" INTEGER NOT NULL,
    organisation TEXT NOT NULL,
    PRIMARY KEY ("from", "to", organisation)
  ) WITHOUT ROWID;
`;

export class NumberIndex {
  readonly #sql: SqlStorage;

  constructor({ sql }: DurableObjectStorage) {
    this.#sql = sql;
    sql.exec(TABLES);
  }

  apply(organisation: string, changes: readonly PublishedChange[], queue: readonly QueueChange[]): void {
    this.add(
      organisation,
      changes.filter(({ op }) => op !== 'remove'),
    );
    this.add(organisation, queue);
  }

  add(organisation: string, spans: readonly Span[]): void {
    for (const { from, to } of spans)
      this.#sql.exec('INSERT OR IGNORE INTO numbers VALUES (?, ?, ?)', from, to, organisation);
  }

  /** Organisations that have or had one of the numbers. A span never crosses the end of its block. */
  organisationsOf({ from, to }: Span, limit: number): string[] {
    return this.#sql
      .exec<{ organisation: string }>(
        `SELECT DISTINCT organisation FROM numbers WHERE "from" BETWEEN ? AND ? AND "to" >= ? LIMIT ?`,
        ...[from - (from % BLOCK_NUMBERS), to, from, limit],
      )
      .toArray()
      .map(({ organisation }) => organisation);
  }
}
