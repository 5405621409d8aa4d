/**
 * Writes a registration with everything that follows from the write: pairs in force, the outbox, the audit chain,
 * events, and when work on the registration is due next. Runs in the transaction of the request.
 */
import { PUBLISHED_CHANGES_MAX } from '../../shared/limits/registrations.ts';
import type { RegistrationEventType } from '../../shared/senders/registration.ts';
import { isInForce } from '../../shared/senders/registration-states.ts';
import { DAY_MS } from '../../shared/time.ts';
import type { Author } from '../storage/audit-chain.ts';
import type { PublishedChange, QueueChange } from '../storage/registry-port.ts';
import type { Events } from './events.ts';
import type { Outbox } from './outbox.ts';
import type { PairsInForce } from './pairs-in-force.ts';
import type { RegistrationAudit } from './registration-audit.ts';
import type { RegistrationRows, StoredRegistration, StoredVersion } from './registration-rows.ts';

/** Days before the end of the approved version on which an event reminds the sender. */
const REMINDER_DAYS = [30, 7, 1];

/** Types of the events for moves that the sender does not make. */
const EVENTS: Readonly<Partial<Record<string, RegistrationEventType>>> = {
  ...{ approve: 'approved', reject: 'rejected', requestUpdate: 'needsUpdate' },
  ...{ suspend: 'suspended', resume: 'resumed', expire: 'expired' },
  ...{ numberTerminated: 'numberTerminated', numberPorted: 'numberPorted' },
};

/** The states in which a registration is in the queue of reviewers. */
const QUEUED: readonly string[] = ['submitted', 'inReview'];

export class RegistrationWriter {
  readonly #rows: RegistrationRows;
  readonly #pairs: PairsInForce;
  readonly #outbox: Outbox;
  readonly #audit: RegistrationAudit;
  readonly #events: Events;
  #changes: PublishedChange[] = [];
  #queue: QueueChange[] = [];

  constructor(
    rows: RegistrationRows,
    pairs: PairsInForce,
    outbox: Outbox,
    audit: RegistrationAudit,
    events: Events,
  ) {
    this.#rows = rows;
    this.#pairs = pairs;
    this.#outbox = outbox;
    this.#audit = audit;
    this.#events = events;
  }

  /** Begins a transaction. Forgets the changes of an earlier one that was rolled back, which must not be published. */
  begin(): void {
    this.#changes = [];
    this.#queue = [];
  }

  /** Ends a transaction: puts the changes of its writes into the outbox. */
  end(): void {
    this.#outbox.add(this.#changes, this.#queue);
    this.begin();
  }

  /** @param action the move, or `create` or `expire` @returns the registration as stored */
  write(
    author: Author,
    action: string,
    before: StoredRegistration | null,
    next: StoredRegistration,
    organisation: string,
  ): StoredRegistration {
    const { at: now } = author;
    const after = this.#published(
      before,
      { ...next, updatedAt: now, dueAt: dueAt(next, now) },
      organisation,
      now,
    );
    this.#rows.put(after, before);
    if (!after.isMock && isQueueChanged(before, after)) this.#queue.push(queueChangeOf(after));
    this.#audit.append(author, action, before, after);
    const event = EVENTS[action];
    if (event !== undefined) this.#events.add(event, after, now);
    return after;
  }

  /** Reminds of the end of the approved version, and sets the next due time. @param days null for no reminder */
  remind(before: StoredRegistration, days: number | null, now: number): void {
    if (days !== null) this.#events.add('expiring', before, now, days);
    const after = { ...before, reminded: days ?? before.reminded };
    this.#rows.put({ ...after, dueAt: dueAt(after, now) }, before);
  }

  /** The registration with its place in the outbox, if its numbers in force change. */
  #published(
    before: StoredRegistration | null,
    after: StoredRegistration,
    organisation: string,
    now: number,
  ): StoredRegistration {
    if (after.isMock || inForce(before) === inForce(after)) return after;
    const changes = this.#pairs.put(after, organisation);
    this.#changes.push(...changes);
    const { lastN } = this.#outbox;
    // A new version may have the same numbers. Then there is nothing to send.
    const isNew = this.#changes.length > 0;
    const publishN = isNew ? lastN + Math.ceil(this.#changes.length / PUBLISHED_CHANGES_MAX) : lastN;
    const isDone = !isNew && this.#outbox.isEmpty;
    return { ...after, publishN, publishedAt: isDone ? now : null, isWaiting: false };
  }
}

/** The version in force, or 0. */
function inForce(registration: StoredRegistration | null): number {
  return registration !== null && isInForce(registration) ? registration.approvedVersion! : 0;
}

function isQueueChanged(before: StoredRegistration | null, after: StoredRegistration): boolean {
  const [was, is] = [before, after].map((each) => each !== null && QUEUED.includes(each.state));
  if (!was && !is) return false;
  return before?.state !== after.state || before.claimedBy !== after.claimedBy;
}

export function queueChangeOf({
  id,
  state,
  submittedAt,
  claimedBy,
  newest,
}: StoredRegistration): QueueChange {
  const { content, numbers } = newest;
  return {
    ...{ id: String(id), state, submittedAt: submittedAt ?? 0, claimedBy, basis: content.basis },
    ...{ from: numbers.from, to: numbers.to },
  };
}

/** The latest reminder that was due at this time, in days before the end; null if none was due. */
export function reminderAt({ endsAt }: StoredVersion, now: number): number | null {
  if (endsAt === null) return null;
  const passed = REMINDER_DAYS.filter((days) => endsAt - days * DAY_MS <= now);
  return passed.length === 0 ? null : Math.min(...passed);
}

/** When work is due next: the end of a claim, a reminder, or the end of the approved version. */
function dueAt(registration: StoredRegistration, now: number): number | null {
  const { approved, claimedUntil, reminded } = registration;
  const times = claimedUntil === null ? [] : [claimedUntil];
  const endsAt = approved?.endsAt ?? null;
  if (endsAt !== null) {
    times.push(endsAt);
    const reminders = isInForce(registration) ? REMINDER_DAYS : [];
    times.push(
      ...reminders
        .filter((days) => reminded === null || days < reminded)
        .map((days) => endsAt - days * DAY_MS)
        .filter((time) => time > now),
    );
  }
  return times.length === 0 ? null : Math.min(...times);
}
