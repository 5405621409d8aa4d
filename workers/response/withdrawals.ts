/**
 * Withdrawals of all reports of a partner, for example after its key leaked. The desk calls each intake of the partner
 * until it has begun. The intakes then withdraw in steps, and the counts report the decisions that no longer hold.
 */
import type { PartnerReports, WithdrawalInfo } from '../../shared/admin/rule-blocks.ts';
import { LOAD_WAIT_MS } from '../../shared/limits/edge.ts';
import { RESPONSE_CALLS_MAX } from '../../shared/limits/response.ts';
import { ok } from '../../shared/result.ts';
import { warnFailed } from '../log.ts';
import type { AuditChain, Author } from '../storage/audit-chain.ts';
import { type IntakeObject, type IntakeStatus, intakesOf, type Partner } from '../storage/reports-port.ts';
import { within } from '../storage/single-flight.ts';
import type { StoreResult } from '../storage/store-request.ts';
import { Retry } from './retry.ts';

export type Intakes = (name: string) => Pick<IntakeObject, 'withdrawSince' | 'status'>;

interface StoredWithdrawal {
  readonly partner: string;
  /** ms since 1970; 0 for all reports. */
  readonly since: number;
  readonly requestedAt: number;
  readonly actor: string;
  readonly reason: string;
  /** Names of the intakes that have not received the withdrawal yet. */
  readonly waiting: readonly string[];
}

interface Row extends Record<string, SqlStorageValue> {
  partner: string;
  since: number;
  requested_at: number;
  actor: string;
  reason: string;
  waiting: string;
}

export class Withdrawals {
  readonly #sql: SqlStorage;
  readonly #audit: AuditChain;
  readonly #intakes: Intakes;
  readonly #retry = new Retry();

  constructor(sql: SqlStorage, audit: AuditChain, intakes: Intakes) {
    this.#sql = sql;
    this.#audit = audit;
    this.#intakes = intakes;
  }

  get dueAt(): number | null {
    return this.#waiting.length === 0 ? null : this.#retry.at;
  }

  /** Must run in a transaction. @param since ms since 1970; 0 for all reports that are kept */
  begin(author: Author, partner: Partner, since: number): StoreResult<object> {
    const before = this.#of(partner.id);
    this.#sql.exec(
      'INSERT OR REPLACE INTO withdrawals VALUES (?, ?, ?, ?, ?, ?)',
      ...[partner.id, since, author.at, author.actor, author.reason, JSON.stringify(intakesOf(partner))],
    );
    this.#audit.append(author, `partner ${partner.id}`, {
      action: 'partners.withdraw',
      before: before && { since: sinceOf(before.since), requestedAt: timeOf(before.requestedAt) },
      after: { since: sinceOf(since) },
    });
    return ok({});
  }

  /** Calls the intakes that have not received a withdrawal yet. Never throws. */
  async run(): Promise<void> {
    if (!this.#retry.isDue) return;
    let isDone = true;
    for (const { partner, since, requestedAt, waiting } of this.#waiting) {
      for (let first = 0; first < waiting.length; first += RESPONSE_CALLS_MAX) {
        const some = waiting.slice(first, first + RESPONSE_CALLS_MAX).map(async (name) => {
          await within(this.#intakes(name).withdrawSince(since), LOAD_WAIT_MS);
          this.#begun(partner, requestedAt, name);
        });
        const failed = (await Promise.allSettled(some)).find((each) => each.status === 'rejected');
        if (failed === undefined) continue;
        isDone = false;
        warnFailed('withdrawalNotBegun', failed.reason, { partner });
      }
    }
    this.#retry.set(isDone);
  }

  /** The last withdrawal of a partner; null if there was none. @param intakes for its progress; null to leave that out */
  async info(partner: string, intakes: readonly IntakeStatus[] | null): Promise<WithdrawalInfo | null> {
    const stored = this.#of(partner);
    if (stored === null) return null;
    const { since, requestedAt, actor: by, reason, waiting } = stored;
    const found = intakes?.map(({ withdrawal }) => withdrawal) ?? null;
    const isDone =
      waiting.length === 0 && (found === null || found.every((each) => each === null || each.isDone));
    return {
      ...{ since: sinceOf(since), requestedAt: timeOf(requestedAt), by, reason },
      state: isDone ? 'done' : 'running',
      withdrawn: found === null ? null : found.reduce((sum, each) => sum + (each?.withdrawn ?? 0), 0),
    };
  }

  /** The status of each intake of a partner; null if an intake does not respond. */
  async statusOf(partner: Partner): Promise<IntakeStatus[] | null> {
    const all: IntakeStatus[] = [];
    const names = intakesOf(partner);
    try {
      for (let first = 0; first < names.length; first += RESPONSE_CALLS_MAX) {
        const some = names.slice(first, first + RESPONSE_CALLS_MAX);
        all.push(
          ...(await Promise.all(some.map((name) => within(this.#intakes(name).status(), LOAD_WAIT_MS)))),
        );
      }
      return all;
    } catch (error) {
      warnFailed('intakeFailed', error, { partner: partner.id });
      return null;
    }
  }

  get #waiting(): StoredWithdrawal[] {
    return this.#select(`waiting <> '[]'`);
  }

  #of(partner: string): StoredWithdrawal | null {
    return this.#select('partner = ?', partner)[0] ?? null;
  }

  #begun(partner: string, requestedAt: number, name: string): void {
    const now = this.#of(partner);
    // A newer withdrawal may have begun meanwhile.
    if (now === null || now.requestedAt !== requestedAt) return;
    const waiting = now.waiting.filter((each) => each !== name);
    this.#sql.exec('UPDATE withdrawals SET waiting = ? WHERE partner = ?', JSON.stringify(waiting), partner);
  }

  #select(where: string, ...values: string[]): StoredWithdrawal[] {
    return this.#sql
      .exec<Row>(`SELECT * FROM withdrawals WHERE ${where} ORDER BY partner`, ...values)
      .toArray()
      .map(({ requested_at: requestedAt, waiting, ...rest }) => ({
        ...{ ...rest, requestedAt, waiting: JSON.parse(waiting) as string[] },
      }));
  }
}

export function reportsOf(intakes: readonly IntakeStatus[] | null): PartnerReports | null {
  if (intakes === null) return null;
  const sum = (count: (each: IntakeStatus) => number): number =>
    intakes.reduce((total, each) => total + count(each), 0);
  return {
    acknowledged: sum(({ acknowledged }) => acknowledged),
    waiting: sum(({ waiting }) => waiting),
    withdrawn: sum(({ withdrawn }) => withdrawn),
    overBudget: sum(({ overBudget }) => overBudget),
  };
}

/** Null for all reports. */
function sinceOf(since: number): string | null {
  return since === 0 ? null : timeOf(since);
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString();
}
