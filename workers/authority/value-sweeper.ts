/**
 * Removes from KV what nothing names any more, and finds what is named and not there. A value goes only
 * after it was seen unnamed for VALUES_KEPT_MS without a break, so that a reader that is behind, and a push
 * that is under way, find what they need.
 */
import { VALUES_KEPT_MS } from '../../shared/limits.ts';
import {
  CLIENTS_PREFIX,
  RELEASE_PREFIX,
  SEGMENT_PREFIX,
  SHARD_PREFIX,
} from '../../shared/release/kv-keys.ts';
import type { NamedValues } from './named-values.ts';

/** After it was removed, KV may show a value for a while from its caches. */
const SHOWN_AFTER_REMOVAL_MS = 90_000;
/** Values removed in one sweep, at most. */
const REMOVED_AT_ONCE = 500;
/** Pages of keys read in one sweep, of 1,000 keys each. */
const PAGES_MAX = 20;

const PREFIXES = [SHARD_PREFIX, RELEASE_PREFIX, SEGMENT_PREFIX, CLIENTS_PREFIX];

export class ValueSweeper {
  readonly #sql: SqlStorage;
  readonly #kv: KVNamespace;

  constructor(sql: SqlStorage, kv: KVNamespace) {
    this.#sql = sql;
    this.#kv = kv;
  }

  /** Whether a value was removed so lately that KV may still show it. */
  isRemoved(key: string): boolean {
    const [row] = this.#sql
      .exec(
        'SELECT 1 FROM unnamed_values WHERE key = ? AND removed_at > ?',
        key,
        Date.now() - SHOWN_AFTER_REMOVAL_MS,
      )
      .toArray();
    return row !== undefined;
  }

  /**
   * Note what is unnamed, and remove what has been for long enough; note what is named and missing.
   * @param isWanted whether a value is, at the time
   * @param own those of them that the authority can put again
   * @param operationsMax KV operations it may make; keys are listed in any case
   * @returns how many values were removed, and how many are to be put again
   */
  async sweep(
    isWanted: (key: string) => boolean,
    own: NamedValues,
    operationsMax: number,
  ): Promise<{ removed: number; missing: number }> {
    const expected = new Set(own.named);
    const { keys, pages } = await this.#keys();
    const there = new Set(keys);
    const missing = own.named.filter((key) => expected.has(key) && !there.has(key));
    for (const key of missing) own.miss(key);
    const now = Date.now();
    const unnamed = keys.filter((key) => !isWanted(key));
    this.#forget(new Set(unnamed), now);
    for (const key of unnamed) {
      // What was removed and is there again was uploaded anew: its time begins anew.
      this.#sql.exec(
        `INSERT INTO unnamed_values VALUES (?, ?, NULL) ON CONFLICT (key) DO UPDATE
         SET since = excluded.since, removed_at = NULL WHERE removed_at <= ?`,
        ...[key, now, now - SHOWN_AFTER_REMOVAL_MS],
      );
    }
    const removable = Math.max(0, Math.min(REMOVED_AT_ONCE, operationsMax - pages));
    const old = this.#sql
      .exec<{ key: string }>(
        'SELECT key FROM unnamed_values WHERE removed_at IS NULL AND since <= ? LIMIT ?',
        ...[now - VALUES_KEPT_MS, removable],
      )
      .toArray();
    let removed = 0;
    for (const { key } of old) {
      // Asked again each time: a release may have been staged since that names it.
      if (isWanted(key)) continue;
      // Noted first: a promotion that begins now is not to believe what KV still shows.
      this.#sql.exec('UPDATE unnamed_values SET removed_at = ? WHERE key = ?', Date.now(), key);
      await this.#kv.delete(key);
      removed++;
      if (!own.isNamed(key)) continue;
      // Made anew while it went.
      own.miss(key);
      missing.push(key);
    }
    return { removed, missing: missing.length };
  }

  async #keys(): Promise<{ keys: string[]; pages: number }> {
    const keys: string[] = [];
    let pages = 0;
    for (const prefix of PREFIXES) {
      let cursor: string | null = null;
      for (let page = 0; page < PAGES_MAX; page++) {
        const listed: KVNamespaceListResult<unknown, string> = await this.#kv.list({ prefix, cursor });
        pages++;
        keys.push(...listed.keys.map(({ name }) => name));
        if (listed.list_complete) break;
        cursor = listed.cursor;
      }
    }
    return { keys, pages };
  }

  /** Forget the names of values that are named again, or that were removed long ago. */
  #forget(unnamed: ReadonlySet<string>, now: number): void {
    const rows = this.#sql.exec<{ key: string }>('SELECT key FROM unnamed_values').toArray();
    for (const { key } of rows) {
      if (!unnamed.has(key)) {
        this.#sql.exec(
          'DELETE FROM unnamed_values WHERE key = ? AND (removed_at IS NULL OR removed_at <= ?)',
          ...[key, now - SHOWN_AFTER_REMOVAL_MS],
        );
      }
    }
  }
}
