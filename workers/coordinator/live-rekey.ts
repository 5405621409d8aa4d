/**
 * Moves sources to another key: in the live layer, in the rows kept for undo, and in the places that the feed has not
 * read. A fingerprint cannot be inverted, so each is computed again from the text of its rows. After a restore, rows
 * have no text, so no other key can find those sources.
 * Numbers are stored in clear and do not change.
 */
import { REKEYED_AT_ONCE } from '../../shared/limits/control.ts';
import {
  fingerprintKey,
  fingerprintText,
  LIVE_KINDS,
  type LiveEntry,
  type LiveKey,
} from '../../shared/live/entry.ts';
import type { ListKeys } from '../../shared/set/keys.ts';
import { rekeyFingerprint } from '../../shared/sources/source.ts';
import type { LiveStore } from './live-store.ts';

const SOURCE_KIND = LIVE_KINDS.indexOf('source');
/** Temporary kind of the rows that are re-keyed, until all rows are. */
const REKEYED_KIND = -1;

type Print = Pick<LiveKey, 'high' | 'low'>;
/** Tables with sources by fingerprint. */
type Table = 'live' | 'undo_rows' | 'feed_unread';

export class LiveRekey {
  readonly #sql: SqlStorage;
  readonly #live: LiveStore;
  readonly #before: ListKeys;
  readonly #after: ListKeys;

  constructor(sql: SqlStorage, live: LiveStore, before: ListKeys, after: ListKeys) {
    this.#sql = sql;
    this.#live = live;
    this.#before = before;
    this.#after = after;
  }

  /** Like `LiveStore.entries`, but under the new key. Leaves out sources that have lost their text. */
  entries(from: number, to: number): LiveEntry[] {
    return this.#live.entries(from, to).flatMap((entry) => {
      if (entry.kind === 'number') return [entry];
      const key = this.#rekeyed(entry);
      return key === null ? [] : [{ ...entry, ...key }];
    });
  }

  /**
   * Re-keys the rows, and deletes sources that have lost their text. Must run in a transaction.
   * @returns the number of live sources that remain, and the fingerprints of the deleted ones
   */
  apply(): { sources: number; unknown: string[] } {
    const unknown: string[] = [];
    const sources = this.#rekey('live', (print) => {
      unknown.push(fingerprintText({ kind: 'source', ...print })!);
      this.#live.dropSource(print);
    });
    this.#rekey('undo_rows', (print) => this.#live.undo.dropSource(print));
    this.#rekey('feed_unread', ({ high, low }) =>
      this.#sql.exec(
        'DELETE FROM feed_unread WHERE kind = ? AND high = ? AND low = ?',
        SOURCE_KIND,
        high,
        low,
      ),
    );
    return { sources, unknown };
  }

  /** @param onUnknown deletes the rows of a source without text @returns the number of sources re-keyed */
  #rekey(table: Table, onUnknown: (print: Print) => unknown): number {
    let sources = 0;
    for (let prints = this.#next(table); prints.length > 0; prints = this.#next(table)) {
      for (const print of prints) {
        const key = this.#rekeyed(print, table);
        if (key === null) {
          onUnknown(print);
          continue;
        }
        sources++;
        this.#sql.exec(
          `UPDATE ${table} SET kind = ?, high = ?, low = ? WHERE kind = ? AND high = ? AND low = ?`,
          ...[REKEYED_KIND, key.high, key.low, SOURCE_KIND, print.high, print.low],
        );
      }
    }
    this.#sql.exec(`UPDATE ${table} SET kind = ? WHERE kind = ?`, SOURCE_KIND, REKEYED_KIND);
    return sources;
  }

  #next(table: Table): Print[] {
    return this.#sql
      .exec<{ high: number; low: number }>(
        `SELECT DISTINCT high, low FROM ${table} WHERE kind = ? LIMIT ?`,
        ...[SOURCE_KIND, REKEYED_AT_ONCE],
      )
      .toArray();
  }

  /** The new key of a source, from the first text of its rows that matches its fingerprint; null if no text does. */
  #rekeyed({ high, low }: Print, table: Table = 'live'): LiveKey | null {
    const print = (BigInt(high) << 32n) | BigInt(low);
    const texts = this.#sql.exec<{ source: string }>(
      `SELECT DISTINCT source FROM ${table} WHERE kind = ? AND high = ? AND low = ? AND source IS NOT NULL`,
      ...[SOURCE_KIND, high, low],
    );
    for (const { source } of texts.toArray()) {
      const rekeyed = rekeyFingerprint(print, source, this.#before.sourceSeed, this.#after.sourceSeed);
      if (rekeyed !== null) return fingerprintKey(rekeyed);
    }
    return null;
  }
}
