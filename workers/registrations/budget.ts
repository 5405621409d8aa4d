/**
 * What one organisation may cost: registrations that it changes, in an hour and in a day, and lines that are checked and
 * not stored, in a day. Hours and days begin in UTC.
 */
import {
  REGISTRATION_CHANGES_PER_DAY_MAX,
  REGISTRATION_CHANGES_PER_HOUR_MAX,
  REGISTRATION_CHECKS_PER_DAY_MAX,
} from '../../shared/limits/registrations.ts';
import type { Meta } from './meta.ts';
import { refuse, type StoreRefusal } from './store-request.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** The names are those of a refusal; `begun` and `used` are keys of Meta. */
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
export type BudgetName = keyof typeof BUDGETS;

export class Budget {
  readonly #meta: Meta;

  constructor(meta: Meta) {
    this.#meta = meta;
  }

  /** Charges all of these budgets, or none. Must run in a transaction. @returns the one that is used up */
  charge(names: readonly BudgetName[], count: number, now: number): StoreRefusal | null {
    const full = names.find((name) => this.#used(name, now) + count > BUDGETS[name].max);
    if (full !== undefined) return refusal(full, now);
    for (const name of names) this.add(name, count, now);
    return null;
  }

  /** Counts what has been done already, also beyond the budget. Must run in a transaction. */
  add(name: BudgetName, count: number, now: number): void {
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
