/**
 * Work on registrations that is due at a time: claims end, senders are reminded, approved versions end. The alarm runs
 * this work. A change that comes before the alarm first runs the due work of its registration.
 */
import { DUE_AT_ONCE } from '../../shared/limits/registrations.ts';
import { expired, isInForce, moved } from '../../shared/senders/registration-states.ts';
import type { Author } from '../storage/audit-chain.ts';
import type { NoticeOutbox } from '../storage/notice-outbox.ts';
import { addExpiryNotice } from './expiry-notices.ts';
import type { Meta } from './meta.ts';
import type { RegistrationRows, StoredRegistration } from './registration-rows.ts';
import { type RegistrationWriter, reminderAt } from './writer.ts';

/** The author of this work. */
const ACTOR = 'numgate';

/** A part that deletes data that need not be kept. */
interface Forgetful {
  forget(now: number): void;
}

export class DueWork {
  readonly #storage: DurableObjectStorage;
  readonly #meta: Meta;
  readonly #rows: RegistrationRows;
  readonly #writer: RegistrationWriter;
  readonly #notices: NoticeOutbox;
  readonly #forgetful: readonly Forgetful[];

  constructor(
    storage: DurableObjectStorage,
    meta: Meta,
    rows: RegistrationRows,
    writer: RegistrationWriter,
    notices: NoticeOutbox,
    forgetful: readonly Forgetful[],
  ) {
    this.#storage = storage;
    this.#meta = meta;
    this.#rows = rows;
    this.#writer = writer;
    this.#notices = notices;
    this.#forgetful = forgetful;
  }

  /** Does the work that is due, earliest first, for at most DUE_AT_ONCE registrations. */
  run(now: number): void {
    this.#storage.transactionSync(() => {
      this.#writer.begin();
      for (const registration of this.#rows.due(now, DUE_AT_ONCE)) this.#handle(registration, now);
      this.#writer.end();
      for (const each of this.#forgetful) each.forget(now);
    });
  }

  /** Does the due work of a registration, and returns the registration. Must run in a transaction of changes. */
  current(id: number, now: number): StoredRegistration | null {
    const found = this.#rows.get(id);
    if (found === null || found.dueAt === null || found.dueAt > now) return found;
    this.#handle(found, now);
    return this.#rows.get(id);
  }

  #handle(found: StoredRegistration, now: number): void {
    let registration = found;
    const author = (reason: string): Author => ({ actor: ACTOR, reason, at: now });
    const organisation = this.#meta.text('organisation')!;
    if (registration.claimedUntil !== null && registration.claimedUntil <= now) {
      const next = moved(registration, 'release');
      const state = next.ok ? next.value : registration;
      const after = { ...registration, ...state, claimedBy: null, claimedUntil: null };
      registration = this.#writer.write(
        author('the claim has ended'),
        'release',
        registration,
        after,
        organisation,
      );
    }
    const { approved } = registration;
    if (approved?.endsAt != null && approved.endsAt <= now) {
      const after = { ...registration, ...expired(registration), approved: null, reminded: null };
      this.#writer.write(
        author('the approved version has ended'),
        'expire',
        registration,
        after,
        organisation,
      );
      return;
    }
    const days = approved === null ? null : reminderAt(approved, now);
    const isNew = days !== null && (registration.reminded === null || days < registration.reminded);
    const reminds = isNew && isInForce(registration) ? days : null;
    if (reminds !== null) addExpiryNotice(this.#notices, organisation, registration, reminds, now);
    this.#writer.remind(registration, reminds, now);
  }
}
