/**
 * The changes that the registry does not have yet: batches in the order of their numbers, each written in the
 * transaction of its change. Additions for which the registry has no room wait, as numbers of a client. When there is
 * room again, the additions that are still in force are published.
 */
import { PUBLISHED_CHANGES_MAX } from '../../shared/limits/registrations.ts';
import type { PairsUsage } from '../../shared/senders/pairs.ts';
import type { PublishedChange, QueueChange } from '../storage/registry-port.ts';
import type { Meta } from './meta.ts';
import type { PairsInForce } from './pairs-in-force.ts';

export interface Batch {
  readonly n: number;
  readonly changes: readonly PublishedChange[];
  readonly queue: readonly QueueChange[];
  readonly usage: PairsUsage;
}

export class Outbox {
  readonly #sql: SqlStorage;
  readonly #meta: Meta;
  readonly #pairs: PairsInForce;

  constructor(sql: SqlStorage, meta: Meta, pairs: PairsInForce) {
    this.#sql = sql;
    this.#meta = meta;
    this.#pairs = pairs;
  }

  /** Number of the newest batch, sent or not. */
  get lastN(): number {
    const { n } = this.#sql.exec<{ n: number | null }>('SELECT MAX(n) AS n FROM outbox').one();
    return n ?? this.#meta.number('acknowledged');
  }

  get isEmpty(): boolean {
    return this.#sql.exec('SELECT 1 FROM outbox LIMIT 1').toArray().length === 0;
  }

  /** The count of batches that the registry does not have. */
  get count(): number {
    return this.#sql.exec<{ many: number }>('SELECT COUNT(*) AS many FROM outbox').one().many;
  }

  get hasWaiting(): boolean {
    return this.#sql.exec('SELECT 1 FROM waiting LIMIT 1').toArray().length > 0;
  }

  /**
   * The next batch to send. Merges as many stored batches as fit into one, under the number of the last, because the
   * registry takes one batch of an organisation a second. Must run in a transaction.
   */
  next(): Batch | null {
    const rows = this.#sql.exec<{ n: number; changes: string; queue: string }>(
      'SELECT * FROM outbox ORDER BY n',
    );
    let n = 0;
    const changes: PublishedChange[] = [];
    const queue: QueueChange[] = [];
    for (const row of rows) {
      const [more, moreQueue] = [JSON.parse(row.changes), JSON.parse(row.queue)] as [
        PublishedChange[],
        QueueChange[],
      ];
      const isFull =
        changes.length + more.length > PUBLISHED_CHANGES_MAX ||
        queue.length + moreQueue.length > PUBLISHED_CHANGES_MAX;
      if (n > 0 && isFull) break;
      n = row.n;
      changes.push(...more);
      queue.push(...moreQueue);
    }
    if (n === 0) return null;
    this.#sql.exec('DELETE FROM outbox WHERE n <= ?', n);
    this.#sql.exec('INSERT INTO outbox VALUES (?, ?, ?)', n, JSON.stringify(changes), JSON.stringify(queue));
    return { n, changes, queue, usage: this.#pairs.usage };
  }

  /** Must run in the transaction of the change. */
  add(changes: readonly PublishedChange[], queue: readonly QueueChange[]): void {
    let n = this.lastN;
    const pieces = Math.max(
      Math.ceil(changes.length / PUBLISHED_CHANGES_MAX),
      Math.ceil(queue.length / PUBLISHED_CHANGES_MAX),
    );
    for (let piece = 0; piece < pieces; piece++) {
      const [from, to] = [piece * PUBLISHED_CHANGES_MAX, (piece + 1) * PUBLISHED_CHANGES_MAX];
      const rows = [JSON.stringify(changes.slice(from, to)), JSON.stringify(queue.slice(from, to))];
      this.#sql.exec('INSERT INTO outbox VALUES (?, ?, ?)', ++n, ...rows);
    }
  }

  /** Records that the registry has the batches up to this one. */
  acknowledge(n: number, now: number): void {
    this.#sql.exec('DELETE FROM outbox WHERE n <= ?', n);
    this.#meta.set('acknowledged', n);
    this.#sql.exec(
      'UPDATE registrations SET published_at = ? WHERE published_at IS NULL AND publish_n <= ? AND waiting = 0',
      ...[now, n],
    );
  }

  /** Renumbers the batches to follow the last one in the registry, after this store was set back to an earlier state. */
  renumber(last: number): void {
    const rows = this.#sql
      .exec<{ n: number; changes: string; queue: string }>('SELECT * FROM outbox ORDER BY n')
      .toArray();
    const by = last + 1 - (rows[0]?.n ?? 0);
    this.#sql.exec('DELETE FROM outbox');
    for (const { n, changes, queue } of rows)
      this.#sql.exec('INSERT INTO outbox VALUES (?, ?, ?)', n + by, changes, queue);
    this.#sql.exec('UPDATE registrations SET publish_n = publish_n + ? WHERE published_at IS NULL', by);
  }

  /** Makes the additions of a batch wait, because the registry has no room for them. The rest keeps the batch number. */
  holdBack({ n, changes }: Batch): void {
    const left = changes.filter((change, index) => !isHeldBack(change, changes[index - 1]));
    this.#sql.exec('UPDATE outbox SET changes = ? WHERE n = ?', JSON.stringify(left), n);
    for (const [index, change] of changes.entries()) {
      if (!isHeldBack(change, changes[index - 1])) continue;
      const { client, from, to } = change;
      this.#sql.exec('INSERT OR REPLACE INTO waiting VALUES (?, ?, ?)', client, from, to);
    }
    this.#sql.exec(
      `UPDATE registrations SET waiting = 1 WHERE published_at IS NULL AND publish_n <= ?
       AND id IN (SELECT registration FROM pairs)`,
      n,
    );
  }

  /**
   * Puts some of the waiting additions that are still in force into a new batch. The others follow once the registry has
   * this batch. So a removal never queues behind all waiting additions, and one refusal ends an attempt.
   */
  retryWaiting(): void {
    const spans = this.#sql
      .exec<{ client: string; number_from: number; number_to: number }>(
        'SELECT * FROM waiting ORDER BY client, number_from, number_to LIMIT ?',
        PUBLISHED_CHANGES_MAX,
      )
      .toArray();
    const changes: PublishedChange[] = [];
    for (const { client, number_from: from, number_to: to } of spans) {
      if (changes.length >= PUBLISHED_CHANGES_MAX) break;
      this.#sql.exec(
        'DELETE FROM waiting WHERE client = ? AND number_from = ? AND number_to = ?',
        ...[client, from, to],
      );
      const now = this.#pairs.changes(client.slice(client.indexOf('/') + 1), [{ from, to }]);
      // Skip removals, because they never wait.
      for (const change of now) if (change.op !== 'remove') changes.push({ client, ...change });
    }
    this.add(changes, []);
    if (this.hasWaiting) return;
    this.#sql.exec(
      'UPDATE registrations SET waiting = 0, publish_n = ? WHERE published_at IS NULL AND waiting = 1',
      this.lastN,
    );
  }
}

/** Whether the change needs room for additions. An addition that follows the removal of its own pair does not. */
export function isHeldBack(
  { client, from, to, op }: PublishedChange,
  before: PublishedChange | undefined,
): boolean {
  const isPair = before?.client === client && before.from === from && before.to === to;
  return op !== 'remove' && !(isPair && before.op === 'remove');
}
