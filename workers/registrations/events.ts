/** Events of registrations that the sender did not cause: decisions, reminders, ends. */
import { REGISTRATION_EVENTS_KEPT_MS } from '../../shared/limits/registrations.ts';
import type {
  RegistrationEvent,
  RegistrationEventType,
  RegistrationState,
} from '../../shared/senders/registration.ts';
import type { StoredRegistration } from './registration-rows.ts';

interface Row extends Record<string, SqlStorageValue> {
  id: number;
  at: number;
  type: string;
  registration: number;
  version: number;
  state: string;
  days: number | null;
  mock: number;
}

export class Events {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** @param now ms since 1970 @param days until the end, for `expiring` */
  add(
    type: RegistrationEventType,
    registration: StoredRegistration,
    now: number,
    days: number | null = null,
  ): void {
    const { id, version, state, isMock } = registration;
    this.#sql.exec(
      'INSERT INTO events (at, type, registration, version, state, days, mock) VALUES (?, ?, ?, ?, ?, ?, ?)',
      ...[now, type, id, version, state, days, isMock ? 1 : 0],
    );
  }

  /** @param after ID of an event */
  page(after: number, limit: number): RegistrationEvent[] {
    return this.#sql
      .exec<Row>('SELECT * FROM events WHERE id > ? ORDER BY id LIMIT ?', after, limit)
      .toArray()
      .map(({ id, at, type, registration, version, state, days, mock }) => ({
        ...{ id, type: type as RegistrationEventType, at: new Date(at).toISOString() },
        ...{ registration: String(registration), version, state: state as RegistrationState },
        ...(days === null ? {} : { days }),
        ...(mock === 1 ? { mock: true as const } : {}),
      }));
  }

  forget(now: number): void {
    this.#sql.exec('DELETE FROM events WHERE at <= ?', now - REGISTRATION_EVENTS_KEPT_MS);
  }
}
