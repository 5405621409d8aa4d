/**
 * The data that `status` reports for each organisation: the pairs and ranges that its registrations take in a release, and
 * whether the registry refuses its batches. Lost rows come back with its next batch, or when read-stores.ts reads its store.
 */
import type { PairsUsage } from '../../shared/senders/pairs.ts';
import type { RegistryStatus } from '../storage/registry-port.ts';

const TABLES = `
  CREATE TABLE IF NOT EXISTS pairs_used (
    organisation TEXT PRIMARY KEY,
    pairs INTEGER NOT NULL,
    ranges INTEGER NOT NULL
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS refused (organisation TEXT PRIMARY KEY, since INTEGER NOT NULL) WITHOUT ROWID;
`;

/** Number of organisations that are named as having the most pairs or ranges. */
const LARGEST_SHOWN = 5;

export class Reports {
  readonly #sql: SqlStorage;

  constructor({ sql }: DurableObjectStorage) {
    this.#sql = sql;
    this.#sql.exec(TABLES);
  }

  setUsage(organisation: string, { pairs, ranges }: PairsUsage): void {
    this.#sql.exec('INSERT OR REPLACE INTO pairs_used VALUES (?, ?, ?)', organisation, pairs, ranges);
  }

  /** Records that a batch of the organisation is invalid. Its store sends the batch again, and nothing after it. */
  setRefused(organisation: string, now: number): void {
    this.#sql.exec('INSERT OR IGNORE INTO refused VALUES (?, ?)', organisation, now);
  }

  clearRefused(organisation: string): void {
    this.#sql.exec('DELETE FROM refused WHERE organisation = ?', organisation);
  }

  get status(): Pick<RegistryStatus, 'used' | 'refused'> {
    const used = this.#sql
      .exec<{ pairs: number; ranges: number }>(
        'SELECT COALESCE(SUM(pairs), 0) AS pairs, COALESCE(SUM(ranges), 0) AS ranges FROM pairs_used',
      )
      .one();
    const largest = (unit: 'pairs' | 'ranges') =>
      this.#sql
        .exec<{ organisation: string; pairs: number; ranges: number }>(
          `SELECT * FROM pairs_used WHERE ${unit} > 0 ORDER BY ${unit} DESC, organisation LIMIT ?`,
          LARGEST_SHOWN,
        )
        .toArray();
    const refused = this.#sql
      .exec<{ organisation: string; since: number }>('SELECT * FROM refused ORDER BY since, organisation')
      .toArray();
    return { used: { ...used, mostPairs: largest('pairs'), mostRanges: largest('ranges') }, refused };
  }
}
