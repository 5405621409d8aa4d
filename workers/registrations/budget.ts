/** The room for registrations: storage, and changes an hour. */
import { STORAGE_BYTES_MAX, STORAGE_FULL_SHARE } from '../../shared/limits/control.ts';
import { REGISTRATION_CHANGES_PER_HOUR_MAX } from '../../shared/limits/registrations.ts';
import { refuse, type StoreRefusal } from '../storage/store-request.ts';
import type { ChangeBudget } from '../storage/transactions.ts';
import type { Meta } from './meta.ts';

const HOUR_MS = 3_600_000;

export class RegistrationBudget implements ChangeBudget {
  readonly #sql: SqlStorage;
  readonly #meta: Meta;

  constructor(sql: SqlStorage, meta: Meta) {
    this.#sql = sql;
    this.#meta = meta;
  }

  /** @param changes registrations that are created or edited at most */
  charge(changes: number, now: number): StoreRefusal | null {
    if (this.#sql.databaseSize >= STORAGE_BYTES_MAX * STORAGE_FULL_SHARE) {
      return refuse(
        'STORAGE_FULL',
        'the registrations of this organisation fill their storage: close what you do not need',
      );
    }
    const hour = Math.floor(now / HOUR_MS);
    const used = this.#meta.number('budgetHour') === hour ? this.#meta.number('budgetUsed') : 0;
    if (used + changes > REGISTRATION_CHANGES_PER_HOUR_MAX) {
      const resetsAt = new Date((hour + 1) * HOUR_MS).toISOString();
      const limit = REGISTRATION_CHANGES_PER_HOUR_MAX.toLocaleString('en');
      return refuse(
        'BUDGET_EXCEEDED',
        `an organisation may change ${limit} registrations an hour: try again after ${resetsAt}`,
        {
          budget: { name: 'registrations', resetsAt },
        },
      );
    }
    this.#meta.set('budgetHour', hour);
    this.#meta.set('budgetUsed', used + changes);
    return null;
  }
}
