/** How the scores of a model move: counts by day, and the return to the model before if a canary labels too much. */
import type { StoreResult } from '../storage/store-request.ts';
import type { TextTables } from './tables.ts';

/** A step of the tables of the text store. */
export const DRIFT_TABLES = '';

/** What ends a canary: the store withdraws the candidate, if it is still this release. */
export type WithdrawCandidate = (release: string, reason: string) => StoreResult<object>;

export class Drift {
  readonly #tables: TextTables;
  readonly #withdraw: WithdrawCandidate;

  constructor(tables: TextTables, withdraw: WithdrawCandidate) {
    this.#tables = tables;
    this.#withdraw = withdraw;
  }

  /** When the alarm must come for this, in ms since 1970; null for never. @param _now ms since 1970 */
  dueAt(_now: number): number | null {
    void this.#tables;
    void this.#withdraw;
    return null;
  }

  /** Runs in the alarm; never throws. */
  async run(_now: number): Promise<void> {}
}
