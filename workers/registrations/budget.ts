/**
 * Limits what one organisation may cost: storage, registrations that it changes in an hour and in a day, and lines that are
 * checked but not stored in a day. Hours and days begin in UTC.
 */
import { STORAGE_BYTES_MAX, STORAGE_FULL_SHARE } from '../../shared/limits/control.ts';
import {
  REGISTRATION_CHANGES_PER_DAY_MAX,
  REGISTRATION_CHANGES_PER_HOUR_MAX,
  REGISTRATION_CHECKS_PER_DAY_MAX,
} from '../../shared/limits/registrations.ts';
import { DAY_MS, HOUR_MS } from '../../shared/time.ts';
import { refuse, type StoreRefusal } from '../storage/store-request.ts';
import type { ChangeBudget } from '../storage/transactions.ts';
import type { Meta } from './meta.ts';

/** The names appear in refusals. `begun` and `used` are keys of Meta. */
const BUDGETS = {
  registrations: {
    max: REGISTRATION_CHANGES_PER_HOUR_MAX,
    ms: HOUR_MS,
    what: (max: string) => `change ${max} registrations an hour`,
    begun: 'budgetHour',
    used: 'budgetUsed',
  },
  registrationsPerDay: {
    max: REGISTRATION_CHANGES_PER_DAY_MAX,
    ms: DAY_MS,
    what: (max: string) => `change ${max} registrations a day`,
    begun: 'budgetDay',
    used: 'budgetDayUsed',
  },
  registrationChecks: {
    max: REGISTRATION_CHECKS_PER_DAY_MAX,
    ms: DAY_MS,
    what: (max: string) => `check ${max} registrations a day without storing them`,
    begun: 'checksDay',
    used: 'checksUsed',
  },
} as const;
type BudgetName = keyof typeof BUDGETS;

export class RegistrationBudget implements ChangeBudget {
  readonly #sql: SqlStorage;
  readonly #meta: Meta;

  constructor(sql: SqlStorage, meta: Meta) {
    this.#sql = sql;
    this.#meta = meta;
  }

  /** @param changes maximum number of registrations that are created or edited */
  charge(changes: number, now: number): StoreRefusal | null {
    if (this.#sql.databaseSize >= STORAGE_BYTES_MAX * STORAGE_FULL_SHARE) {
      return refuse(
        'STORAGE_FULL',
        'the storage for registrations of this organisation is full: close registrations that you do not need',
      );
    }
    // Refuse changes while the budget for checks is exceeded, because refused changes were work too.
    return (
      this.#charge(['registrationChecks'], 0, now) ??
      this.#charge(['registrations', 'registrationsPerDay'], changes, now)
    );
  }

  chargeChecks(checks: number, now: number): StoreRefusal | null {
    return this.#charge(['registrationChecks'], checks, now);
  }

  addChecks(checks: number, now: number): void {
    this.#add('registrationChecks', checks, now);
  }

  /** Charges all of these budgets, or none. @returns a refusal for a budget that is used up, or null */
  #charge(names: readonly BudgetName[], count: number, now: number): StoreRefusal | null {
    const full = names.find((name) => this.#used(name, now) + count > BUDGETS[name].max);
    if (full !== undefined) return refusal(full, now);
    for (const name of names) this.#add(name, count, now);
    return null;
  }

  #add(name: BudgetName, count: number, now: number): void {
    const { ms, begun, used } = BUDGETS[name];
    this.#meta.set(used, this.#used(name, now) + count);
    this.#meta.set(begun, Math.floor(now / ms));
  }

  #used(name: BudgetName, now: number): number {
    const { ms, begun, used } = BUDGETS[name];
    return this.#meta.number(begun) === Math.floor(now / ms) ? this.#meta.number(used) : 0;
  }
}

function refusal(name: BudgetName, now: number): StoreRefusal {
  const { max, ms, what } = BUDGETS[name];
  const ends = (Math.floor(now / ms) + 1) * ms;
  const resetsAt = new Date(ends).toISOString();
  const message = `an organisation may ${what(max.toLocaleString('en'))}: try again after ${resetsAt}`;
  const retryAfterSeconds = Math.ceil((ends - now) / 1_000);
  return { ...refuse('BUDGET_EXCEEDED', message, { budget: { name, resetsAt } }), retryAfterSeconds };
}
