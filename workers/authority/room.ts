/**
 * Whether there is room for a change: in the storage of the coordinator, and in the budget of its author. Both are
 * looked at before any work. Changes that relieve (they undo or remove something, or are about clients and tokens) go
 * on where others have to stop, so that nobody who fills the storage can keep a token from being revoked.
 */
import {
  STORAGE_BYTES_MAX,
  STORAGE_FULL_SHARE,
  STORAGE_ROOT_SHARE,
  TOKEN_BYTES_PER_DAY_MAX,
  TOKEN_ENTRIES_PER_HOUR_MAX,
  TOKEN_RELIEF_FACTOR,
} from '../../shared/limits.ts';
import { type StorageInfo, storageLevel } from '../../shared/storage-level.ts';
import { ITSELF, type Order, type Refusal, refuse } from './order.ts';

/** What a change takes. */
export interface Cost {
  /** Things it changes; of the live layer, one for each number and subject. */
  readonly entries: number;
  readonly relieves: boolean;
  /** Bytes that the change makes the tables grow by later, when its entries end. */
  readonly laterBytes?: number;
}

/** Of one thing. */
export const GROWTH: Cost = { entries: 1, relieves: false };
export const RELIEF: Cost = { entries: 1, relieves: true };

/** What is left to count of a change that was counted when it began. */
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

const RELIEVING = 'unblock, clear, promote, rollback, audit trim, and changes of clients and tokens';

export class Room {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** Bytes of SQLite without its free pages: those of removed rows are free at once. */
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

  /** Why there is no room for a change, or null. @param now ms since 1970 */
  refusal({ actor }: Order, cost: Cost, now: number): Refusal | null {
    if (actor.name === ITSELF.name) return null;
    const full = this.#full(actor.root, cost);
    return full ?? (actor.root ? null : this.#spent(actor.name, cost, now));
  }

  #full(isRoot: boolean, { relieves }: Cost): Refusal | null {
    const share = this.bytes / STORAGE_BYTES_MAX;
    const most = !relieves ? STORAGE_FULL_SHARE : isRoot ? Number.POSITIVE_INFINITY : STORAGE_ROOT_SHARE;
    if (share < most) return null;
    const megabytes = (bytes: number): string => Math.floor(bytes / 1_000_000).toLocaleString('en');
    const taken = relieves
      ? `the token root alone may still order ${RELIEVING}`
      : `it still takes ${RELIEVING}`;
    return refuse(
      'STORAGE_FULL',
      `the coordinator stores ${megabytes(this.bytes)} of ${megabytes(STORAGE_BYTES_MAX)} MB: ${taken}. ` +
        'Export the audit log and trim it: npm run lists -- audit trim',
    );
  }

  #spent(actor: string, { entries, relieves }: Cost, now: number): Refusal | null {
    const factor = relieves ? TOKEN_RELIEF_FACTOR : 1;
    // How many bytes a change takes is known once it is made: the last one may go over the budget.
    const asked: Record<Budget, number> = { entries, bytes: 1 };
    const rows = this.#sql
      .exec<{ budget: Budget; used: number; ends: number }>(
        'SELECT budget, used, ends FROM budgets WHERE actor = ? AND ends > ?',
        ...[actor, now],
      )
      .toArray();
    const spent = rows.find(({ budget, used }) => used + asked[budget] > BUDGETS[budget].max * factor);
    if (spent === undefined) return null;
    const { words } = BUDGETS[spent.budget];
    const resetsAt = new Date(spent.ends).toISOString();
    const others = relieves ? '' : `; ${RELIEVING} have a budget ${TOKEN_RELIEF_FACTOR} times as large`;
    const message = `the budget of ${words} of this token is used up: it is full again at ${resetsAt}${others}`;
    return {
      ...refuse('BUDGET_EXCEEDED', message, { budget: { name: spent.budget, resetsAt } }),
      retryAfterSeconds: Math.ceil((spent.ends - now) / 1_000),
    };
  }

  /** Count a change that was made, or tried. @param bytes by which it makes the tables grow, now and later */
  charge({ actor }: Order, { entries }: Cost, bytes: number, now: number): void {
    if (actor.root || actor.name === ITSELF.name) return;
    const used: Record<Budget, number> = { entries, bytes: Math.max(0, bytes) };
    for (const budget of Object.keys(BUDGETS) as Budget[]) {
      this.#sql.exec(
        'DELETE FROM budgets WHERE actor = ? AND budget = ? AND ends <= ?',
        actor.name,
        budget,
        now,
      );
      this.#sql.exec(
        `INSERT INTO budgets VALUES (?, ?, ?, ?)
         ON CONFLICT (actor, budget) DO UPDATE SET used = used + excluded.used`,
        ...[actor.name, budget, used[budget], now + BUDGETS[budget].windowMs],
      );
    }
  }

  /** Forget budgets whose window is over. */
  forget(now: number): void {
    this.#sql.exec('DELETE FROM budgets WHERE ends <= ?', now);
  }
}
