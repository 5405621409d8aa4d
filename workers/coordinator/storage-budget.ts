/**
 * Decides whether there is room for a change, in the coordinator's storage and in the budget of the author.
 * Both are checked before any work. Freeing changes (those that undo or remove something, or that manage
 * clients and tokens) are still allowed where others are refused. So filling the storage cannot prevent the
 * revocation of a token.
 */
import { holderOf } from '../../shared/admin/actor.ts';
import {
  STORAGE_BYTES_MAX,
  STORAGE_FULL_SHARE,
  STORAGE_ROOT_SHARE,
  TOKEN_BYTES_PER_DAY_MAX,
  TOKEN_ENTRIES_PER_HOUR_MAX,
  TOKEN_FREEING_FACTOR,
} from '../../shared/limits/control.ts';
import { ok } from '../../shared/result.ts';
import { type StorageInfo, storageLevel } from '../../shared/storage-level.ts';
import { type ChangeRequest, type ChangeResult, refuse, SYSTEM_ACTOR } from './change-request.ts';

/** The cost of a change. */
export interface Cost {
  /** Number of things it changes. In the live layer, each number and subject counts as one. */
  readonly entries: number;
  /** Whether it is a freeing change; all others are growing changes. */
  readonly frees: boolean;
  /** Bytes by which the tables grow later, when the entries of the change expire. */
  readonly laterBytes?: number;
}

/** Cost of changing one thing. */
export const GROWING_CHANGE: Cost = { entries: 1, frees: false };
export const FREEING_CHANGE: Cost = { entries: 1, frees: true };

/** The remaining cost of a change that was counted when it began. */
export function counted(cost: Cost): Cost {
  return { ...cost, entries: 0 };
}

const BUDGETS = {
  entries: {
    max: TOKEN_ENTRIES_PER_HOUR_MAX,
    windowMs: 3_600_000,
    words: `${TOKEN_ENTRIES_PER_HOUR_MAX.toLocaleString('en')} entries an hour`,
  },
  bytes: {
    max: TOKEN_BYTES_PER_DAY_MAX,
    windowMs: 86_400_000,
    words: `${TOKEN_BYTES_PER_DAY_MAX / 1_048_576} MiB of storage a day`,
  },
} as const;
type Budget = keyof typeof BUDGETS;

const FREEING = 'unblock, clear, promote, rollback, audit trim, and changes of clients and tokens';

export class StorageBudget {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** Bytes in use, without free pages. Deleting rows frees their pages at once. */
  get bytes(): number {
    return this.#sql.databaseSize;
  }

  get info(): StorageInfo {
    const { bytes } = this;
    return {
      storageBytes: bytes,
      storageBytesMax: STORAGE_BYTES_MAX,
      storageLevel: storageLevel(bytes / STORAGE_BYTES_MAX),
    };
  }

  /**
   * Whether there is room for a change.
   * @param now ms since 1970
   */
  check({ actor, settles }: ChangeRequest, cost: Cost, now: number): ChangeResult<void> {
    if (actor.name === SYSTEM_ACTOR.name) return ok(undefined);
    const storage = this.#checkStorage(actor.root, cost);
    // The change of a proposal was counted when it was proposed.
    const isFree = actor.root || settles !== undefined;
    return storage.ok && !isFree ? this.#checkBudget(holderOf(actor), cost, now) : storage;
  }

  #checkStorage(isRoot: boolean, { frees }: Cost): ChangeResult<void> {
    const share = this.bytes / STORAGE_BYTES_MAX;
    const most = !frees ? STORAGE_FULL_SHARE : isRoot ? Number.POSITIVE_INFINITY : STORAGE_ROOT_SHARE;
    if (share < most) return ok(undefined);
    const megabytes = (bytes: number): string => Math.floor(bytes / 1_000_000).toLocaleString('en');
    const used = `${megabytes(this.bytes)} of ${megabytes(STORAGE_BYTES_MAX)} MB`;
    const accepted = frees ? 'it accepts only changes by the token root' : `it accepts only ${FREEING}`;
    const remedy = 'export the audit log and trim it with npx numgate audit trim';
    return refuse('STORAGE_FULL', `the coordinator stores ${used}, so ${accepted}; ${remedy}`);
  }

  #checkBudget(actor: string, { entries, frees }: Cost, now: number): ChangeResult<void> {
    const factor = frees ? TOKEN_FREEING_FACTOR : 1;
    // The size of a change is known only afterwards, so the last change may exceed the budget.
    const requested: Record<Budget, number> = { entries, bytes: 1 };
    const rows = this.#sql
      .exec<{ budget: Budget; used: number; ends: number }>(
        'SELECT budget, used, ends FROM budgets WHERE actor = ? AND ends > ?',
        ...[actor, now],
      )
      .toArray();
    const spent = rows.find(({ budget, used }) => used + requested[budget] > BUDGETS[budget].max * factor);
    if (spent === undefined) return ok(undefined);
    const { words } = BUDGETS[spent.budget];
    const resetsAt = new Date(spent.ends).toISOString();
    const others = frees ? '' : `; ${FREEING} have a budget ${TOKEN_FREEING_FACTOR} times as large`;
    const message = `the budget of ${words} of this token is used up until ${resetsAt}${others}`;
    return refuse('BUDGET_EXCEEDED', message, {
      extras: { budget: { name: spent.budget, resetsAt } },
      retryAfterSeconds: Math.ceil((spent.ends - now) / 1_000),
    });
  }

  /**
   * Counts a change, applied or refused.
   * @param bytes growth of the tables, now and later
   */
  charge({ actor, settles }: ChangeRequest, { entries }: Cost, bytes: number, now: number): void {
    if (actor.root || actor.name === SYSTEM_ACTOR.name || settles !== undefined) return;
    const used: Record<Budget, number> = { entries, bytes: Math.max(0, bytes) };
    this.#sql.exec('DELETE FROM budgets WHERE actor = ? AND ends <= ?', holderOf(actor), now);
    for (const budget of Object.keys(BUDGETS) as Budget[]) {
      this.#sql.exec(
        `INSERT INTO budgets VALUES (?, ?, ?, ?)
         ON CONFLICT (actor, budget) DO UPDATE SET used = used + excluded.used`,
        ...[holderOf(actor), budget, used[budget], now + BUDGETS[budget].windowMs],
      );
    }
  }

  /** Deletes expired budgets. */
  forget(now: number): void {
    this.#sql.exec('DELETE FROM budgets WHERE ends <= ?', now);
  }
}
