/**
 * The Durable Object that records which subjects each reporter of its shard has reported today. A person who reports
 * everybody is not a credible witness, so each reporter has a budget of subjects for each partner.
 */
import { DurableObject } from 'cloudflare:workers';
import { REPORTER_DAYS_KEPT, REPORTER_SUBJECTS_PER_DAY_MAX } from '../../shared/limits/intake.ts';
import type { ControlEnv } from '../env.ts';
import type { BudgetObject, ReportedPair } from '../storage/reports-port.ts';
import { createBudgetTables } from './schema.ts';

export class ReporterBudget extends DurableObject<ControlEnv> implements BudgetObject {
  /** The newest day for which a pair was sent, in days since 1970. In memory only. */
  #newestDay = 0;

  constructor(ctx: DurableObjectState, env: ControlEnv) {
    super(ctx, env);
    createBudgetTables(ctx.storage);
  }

  async admit(partner: string, day: number, pairs: readonly ReportedPair[]): Promise<readonly number[]> {
    const { storage } = this.ctx;
    return storage.transactionSync(() => {
      if (day > this.#newestDay) {
        this.#newestDay = day;
        storage.sql.exec('DELETE FROM pairs WHERE day <= ?', day - REPORTER_DAYS_KEPT);
      }
      return pairs.flatMap(([reporter, subject], index) =>
        this.#admit(partner, day, reporter, subject) ? [] : index,
      );
    });
  }

  #admit(partner: string, day: number, reporter: string, subject: string): boolean {
    const { sql } = this.ctx.storage;
    const known = sql
      .exec<{ subject: string }>(
        'SELECT subject FROM pairs WHERE day = ? AND partner = ? AND reporter = ?',
        ...[day, partner, reporter],
      )
      .toArray();
    if (known.some((pair) => pair.subject === subject)) return true;
    if (known.length >= REPORTER_SUBJECTS_PER_DAY_MAX) return false;
    sql.exec('INSERT INTO pairs VALUES (?, ?, ?, ?)', day, partner, reporter, subject);
    return true;
  }
}
