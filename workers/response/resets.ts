/**
 * Subjects whose old reports must no longer count, because a block of the subject has ended. The counts are called until
 * they have each reset.
 */
import { LOAD_WAIT_MS } from '../../shared/limits/edge.ts';
import { RESPONSE_CALLS_MAX } from '../../shared/limits/response.ts';
import { warnFailed } from '../log.ts';
import { type SubjectObject, shardOf } from '../storage/reports-port.ts';
import { within } from '../storage/single-flight.ts';
import { Retry } from './retry.ts';

export class Resets {
  readonly #sql: SqlStorage;
  readonly #counts: (shard: string) => Pick<SubjectObject, 'reset'>;
  readonly #retry = new Retry();

  constructor(sql: SqlStorage, counts: (shard: string) => Pick<SubjectObject, 'reset'>) {
    this.#sql = sql;
    this.#counts = counts;
  }

  /** Must run in the transaction that ends the block. @param subject keyed @param at ms since 1970 */
  add(subject: string, at: number): void {
    this.#sql.exec('INSERT OR REPLACE INTO resets VALUES (?, ?)', subject, at);
  }

  get dueAt(): number | null {
    const isEmpty = this.#sql.exec('SELECT 1 FROM resets LIMIT 1').toArray().length === 0;
    return isEmpty ? null : this.#retry.at;
  }

  /** Never throws. */
  async run(): Promise<void> {
    while (this.dueAt !== null && this.#retry.isDue) {
      const some = this.#sql
        .exec<{ subject: string; at: number }>('SELECT * FROM resets LIMIT ?', RESPONSE_CALLS_MAX)
        .toArray();
      const done = await Promise.allSettled(
        some.map(async ({ subject, at }) => {
          await within(this.#counts(shardOf(subject)).reset(subject, at), LOAD_WAIT_MS);
          // A later reset of the subject may have been added meanwhile.
          this.#sql.exec('DELETE FROM resets WHERE subject = ? AND at = ?', subject, at);
        }),
      );
      const failed = done.find((each) => each.status === 'rejected');
      this.#retry.set(failed === undefined);
      if (failed !== undefined) warnFailed('reportsNotReset', failed.reason);
    }
  }
}
