/** The positions of clients of the decision stream, whose protocol has no cursor. */
import { FEED_POLLER_KEPT_MS } from '../../shared/limits/feed.ts';

export interface Poller {
  /** Position up to which the answers before the last one covered events. The client has made a request since. */
  readonly covered: number;
  /** Position up to which the last answer covered events. */
  readonly offered: number;
}

export class Pollers {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  get(client: string): Poller | null {
    const query = 'SELECT covered, offered FROM pollers WHERE client = ?';
    return this.#sql.exec<{ covered: number; offered: number }>(query, client).toArray()[0] ?? null;
  }

  /** @param now ms since 1970 */
  put(client: string, { covered, offered }: Poller, now: number): void {
    this.#sql.exec('INSERT OR REPLACE INTO pollers VALUES (?, ?, ?, ?)', client, covered, offered, now);
  }

  /** Forgets clients that make no more requests. */
  forget(now: number): void {
    this.#sql.exec('DELETE FROM pollers WHERE at <= ?', now - FEED_POLLER_KEPT_MS);
  }
}
