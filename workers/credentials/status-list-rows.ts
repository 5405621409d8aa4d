/** The accepted status lists as rows: their content, and when each is pulled again. */
import type { StatusBits, VerifiedStatusList } from '../../shared/credentials/status-list.ts';

/** Times of the list are in seconds, `pullAt` in ms since 1970. */
export interface StoredStatusList {
  readonly uri: string;
  readonly issuer: string;
  readonly iat: number;
  readonly exp: number;
  readonly ttl: number | null;
  readonly bits: StatusBits;
  /** Count of entries. */
  readonly size: number;
  readonly pullAt: number;
  /** Failed pulls since the last successful one, and why the last one failed. */
  readonly failures: number;
  readonly problem: string | null;
}

type Row = Omit<StoredStatusList, 'pullAt'> & { pull_at: number } & Record<string, SqlStorageValue>;

const COLUMNS = 'uri, issuer, iat, exp, ttl, bits, size, pull_at, failures, problem';

export class StatusListRows {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  get all(): StoredStatusList[] {
    return this.#select('1 ORDER BY uri');
  }

  get(uri: string): StoredStatusList | null {
    return this.#select('uri = ?', uri)[0] ?? null;
  }

  /** The list as its issuer deflated it. The list must exist. */
  deflated(uri: string): Uint8Array<ArrayBuffer> {
    const { deflated } = this.#sql
      .exec<{ deflated: ArrayBuffer }>('SELECT deflated FROM status_lists WHERE uri = ?', uri)
      .one();
    return new Uint8Array(deflated);
  }

  /** @param pullAt ms since 1970 */
  put({ uri, iat, exp, ttl, list, deflated }: VerifiedStatusList, issuer: string, pullAt: number): void {
    this.#sql.exec(
      'INSERT OR REPLACE INTO status_lists VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0, NULL)',
      ...[uri, issuer, iat, exp, ttl, list.bits, list.size, deflated.slice().buffer, pullAt],
    );
  }

  /** Records the result of a pull. @param problem null if the pull succeeded */
  setPulled(uri: string, pullAt: number, problem: string | null): void {
    this.#sql.exec(
      `UPDATE status_lists SET pull_at = ?, problem = ?,
       failures = CASE WHEN ? IS NULL THEN 0 ELSE failures + 1 END WHERE uri = ?`,
      ...[pullAt, problem, problem, uri],
    );
  }

  due(now: number, limit: number): StoredStatusList[] {
    return this.#select('pull_at <= ? ORDER BY pull_at LIMIT ?', now, limit);
  }

  /** When the next pull is due, in ms since 1970; null if there is no list. */
  get nextPullAt(): number | null {
    return this.#sql.exec<{ at: number | null }>('SELECT MIN(pull_at) AS at FROM status_lists').one().at;
  }

  /** The count of lists, and their inflated bytes. @param issuer null for all @param except the list to be replaced */
  usage(issuer: string | null, except: string): { readonly lists: number; readonly bytes: number } {
    return this.#sql
      .exec<{ lists: number; bytes: number }>(
        `SELECT COUNT(*) AS lists, COALESCE(SUM(size * bits / 8), 0) AS bytes FROM status_lists
         WHERE uri <> ? AND (? IS NULL OR issuer = ?)`,
        ...[except, issuer, issuer],
      )
      .one();
  }

  /** Removes all lists of an issuer. */
  removeOf(issuer: string): void {
    this.#sql.exec('DELETE FROM status_lists WHERE issuer = ?', issuer);
  }

  /** Makes all lists of an issuer due for a pull at once. */
  setDue(issuer: string): void {
    this.#sql.exec('UPDATE status_lists SET pull_at = 0 WHERE issuer = ?', issuer);
  }

  /** Removes stale lists that no stored certificate names. @param nowS seconds since 1970 */
  forget(nowS: number): boolean {
    const { rowsWritten } = this.#sql.exec(
      'DELETE FROM status_lists WHERE exp <= ? AND uri NOT IN (SELECT DISTINCT uri FROM certificates)',
      nowS,
    );
    return rowsWritten > 0;
  }

  #select(where: string, ...values: (string | number)[]): StoredStatusList[] {
    return this.#sql
      .exec<Row>(`SELECT ${COLUMNS} FROM status_lists WHERE ${where}`, ...values)
      .toArray()
      .map(({ pull_at: pullAt, ...row }) => ({ ...row, pullAt }) as StoredStatusList);
  }
}
