/**
 * The state of tokens that no admin sets: the generation and the last use. A token that is removed and created again
 * gets another generation, so its holder inherits nothing from the earlier holder. The hour of the last use is neither
 * a change of the token nor an audit record, and is written at most once an hour.
 */
import { LAST_USE_MS } from '../../shared/limits/control.ts';

export interface HolderState {
  /** The operation that created the token; 0 for tokens that predate generations. */
  readonly generation: number;
  /** Start of the hour in which the token was last used, in ms since 1970; null if it was never used. */
  readonly usedAt: number | null;
}

export class TokenHolders {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  get(id: string): HolderState {
    const [known] = this.#sql
      .exec<{ generation: number; usedAt: number | null }>(
        'SELECT generation, used_at AS usedAt FROM token_holders WHERE id = ?',
        id,
      )
      .toArray();
    return known ?? { generation: 0, usedAt: null };
  }

  /** Must run in the transaction that creates the token. */
  add(id: string, operation: number): void {
    this.#sql.exec('INSERT OR REPLACE INTO token_holders VALUES (?, ?, NULL)', id, operation);
  }

  remove(id: string): void {
    this.#sql.exec('DELETE FROM token_holders WHERE id = ?', id);
  }

  /** @param now ms since 1970 */
  use(id: string, generation: number, now: number): void {
    this.#sql.exec(
      `UPDATE token_holders SET used_at = ?1
       WHERE id = ?2 AND generation = ?3 AND (used_at IS NULL OR used_at < ?1)`,
      ...[hourOf(now), id, generation],
    );
  }
}

/** Start of the hour, in ms since 1970. */
export function hourOf(now: number): number {
  return now - (now % LAST_USE_MS);
}
