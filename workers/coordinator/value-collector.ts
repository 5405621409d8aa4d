/**
 * Removes values from KV that nothing names any more, and finds named values that are missing. A value is
 * removed only after it was unnamed for VALUES_KEPT_MS without interruption, so readers that lag behind and
 * pushes in progress still find the values that they need.
 */
import { SHOWN_AFTER_REMOVAL_MS, VALUES_KEPT_MS, WAITING_KEPT_MS } from '../../shared/limits/control.ts';
import {
  CLIENTS_PREFIX,
  CREDENTIALS_PREFIX,
  REGISTRATIONS_PREFIX,
  RELEASE_PREFIX,
  SEGMENT_PREFIX,
  SHARD_PREFIX,
  TEXT_PREFIX,
} from '../../shared/release/kv-keys.ts';
import type { ReleaseStore } from './release-store.ts';
import type { ValueStore } from './value-store.ts';

/** Maximum values removed per sweep. */
const REMOVED_AT_ONCE = 500;
/** Maximum pages of 1,000 keys read per prefix and sweep. */
const PAGES_MAX = 20;

const PREFIXES = [
  ...[SHARD_PREFIX, RELEASE_PREFIX, SEGMENT_PREFIX, CLIENTS_PREFIX],
  ...[REGISTRATIONS_PREFIX, CREDENTIALS_PREFIX, TEXT_PREFIX],
];

export class ValueCollector {
  readonly #sql: SqlStorage;
  readonly #releases: ReleaseStore;
  readonly #values: ValueStore;
  readonly #kv: KVNamespace;

  constructor(sql: SqlStorage, releases: ReleaseStore, values: ValueStore, kv: KVNamespace) {
    this.#sql = sql;
    this.#releases = releases;
    this.#values = values;
    this.#kv = kv;
  }

  /** Whether a value was removed so recently that KV may still return it. */
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
   * Records unnamed values, removes those unnamed for long enough, and records named values that are missing.
   * @param operationsMax KV operations that this may use; keys are always listed
   * @returns how many values were removed, and how many must be written again
   */
  async sweep(operationsMax: number): Promise<{ removed: number; missing: number }> {
    const expected = this.#values.named;
    const { keys, pages } = await this.#keys();
    const found = new Set(keys);
    const isWanted = this.#wanted();
    const missing = expected.filter((key) => !found.has(key) && this.#values.isNamed(key));
    for (const key of missing) this.#values.markMissing(key);
    const now = Date.now();
    const unnamed = keys.filter((key) => !isWanted(key));
    this.#forget(new Set(unnamed), now);
    for (const key of unnamed) {
      // A removed value that reappears was uploaded again: its period starts over.
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
      // Check again each time, because a release staged in the meantime may name the value.
      if (isWanted(key)) continue;
      // Record the removal first, so a promotion that starts now does not trust what KV still returns.
      this.#sql.exec('UPDATE unnamed_values SET removed_at = ? WHERE key = ?', Date.now(), key);
      await this.#kv.delete(key);
      removed++;
      if (!this.#values.isNamed(key)) continue;
      // The value became named again during the removal.
      this.#values.markMissing(key);
      missing.push(key);
    }
    return { removed, missing: missing.length };
  }

  /**
   * Returns a predicate: whether a reader or a waiting release may need the value under a key at that moment.
   * It reads manifests again only after the releases have changed.
   */
  #wanted(): (key: string) => boolean {
    const since = Date.now() - WAITING_KEPT_MS;
    let { version } = this.#releases;
    let keys = this.#releases.keysWanted(since);
    return (key) => {
      if (version !== this.#releases.version) {
        version = this.#releases.version;
        keys = this.#releases.keysWanted(since);
      }
      return keys.has(key) || this.#values.isWanted(key);
    };
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

  /** Deletes the records of values that are named again, or were removed long ago. */
  #forget(unnamed: ReadonlySet<string>, now: number): void {
    const rows = this.#sql.exec<{ key: string }>('SELECT key FROM unnamed_values').toArray();
    for (const { key } of rows) {
      if (unnamed.has(key)) continue;
      this.#sql.exec(
        'DELETE FROM unnamed_values WHERE key = ? AND (removed_at IS NULL OR removed_at <= ?)',
        ...[key, now - SHOWN_AFTER_REMOVAL_MS],
      );
    }
  }
}
