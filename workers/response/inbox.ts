/** Decisions that the desk has received but not yet worked on, in order. Subjects are sealed. */
import type { KeyedDecision } from './grounds.ts';

export interface InboxRow {
  readonly id: number;
  readonly seal: string;
  readonly decision: KeyedDecision;
  /** ms since 1970. */
  readonly receivedAt: number;
}

type Row = { id: number; seal: string; decision: string; received_at: number };

export class Inbox {
  readonly #storage: DurableObjectStorage;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
  }

  get #sql(): SqlStorage {
    return this.#storage.sql;
  }

  /** Stores a batch, unless it or a later batch of the shard is already stored. @returns the number of the last stored batch */
  take(shard: string, n: number, batch: readonly Omit<InboxRow, 'id'>[]): number {
    return this.#storage.transactionSync(() => {
      const [known] = this.#sql
        .exec<{ last: number }>('SELECT last FROM shards WHERE shard = ?', shard)
        .toArray();
      if (known !== undefined && n <= known.last) return known.last;
      this.#sql.exec('INSERT OR REPLACE INTO shards VALUES (?, ?)', shard, n);
      for (const { seal, decision, receivedAt } of batch) {
        this.#sql.exec(
          'INSERT INTO inbox (subject, seal, decision, received_at) VALUES (?, ?, ?, ?)',
          ...[decision.subjectKey, seal, JSON.stringify(decision), receivedAt],
        );
      }
      return n;
    });
  }

  /** Decisions in order. @param after an ID */
  page(after: number, limit: number): InboxRow[] {
    return this.#sql
      .exec<Row>(
        'SELECT id, seal, decision, received_at FROM inbox WHERE id > ? ORDER BY id LIMIT ?',
        after,
        limit,
      )
      .toArray()
      .map(({ id, seal, decision, received_at: receivedAt }) => ({
        ...{ id, seal, decision: JSON.parse(decision) as KeyedDecision, receivedAt },
      }));
  }

  /** Must run in the transaction that applies the decision. */
  remove(id: number): void {
    this.#sql.exec('DELETE FROM inbox WHERE id = ?', id);
  }

  get isEmpty(): boolean {
    return this.#sql.exec('SELECT 1 FROM inbox LIMIT 1').toArray().length === 0;
  }

  get count(): number {
    return this.#sql.exec<{ n: number }>('SELECT COUNT(*) AS n FROM inbox').one().n;
  }
}
