/**
 * What happens to registrations in force when their numbers change hands: the sender and the reviewers get an event,
 * and a registration whose numbers are all listed as terminated is suspended. A range with some such numbers stays in
 * force: the lists block those numbers anyway, and the others are still the sender's.
 */

import type { AffectedRegistration, NumberChange } from '../../shared/senders/number-event.ts';
import type { RegistrationFacts, RegistrationReason } from '../../shared/senders/registration.ts';
import { isInForce } from '../../shared/senders/registration-states.ts';
import type { Author } from './audit-chain.ts';
import type { RegistrationChanges } from './changes.ts';
import type { DueWork } from './due-work.ts';
import type { RegistrationRows, StoredRegistration } from './registration-rows.ts';
import type { RegistrationWriter } from './writer.ts';

/** Registrations that may have the same number: one for each client, with room. */
const SAME_NUMBER_MAX = 1_000;

const REASONS: Readonly<Record<NumberChange['event'], Pick<RegistrationReason, 'code' | 'help'>>> = {
  terminated: {
    code: 'NUMBER_TERMINATED',
    help: 'close the registration, or send a new certificate of service use for the line',
  },
  ported: {
    code: 'NUMBER_PORTED',
    help: 'edit the registration: it needs a certificate of service use from the new carrier',
  },
};

export class NumberChanges {
  readonly #rows: RegistrationRows;
  readonly #dueWork: DueWork;
  readonly #changes: RegistrationChanges;
  readonly #writer: RegistrationWriter;

  constructor(
    rows: RegistrationRows,
    dueWork: DueWork,
    changes: RegistrationChanges,
    writer: RegistrationWriter,
  ) {
    this.#rows = rows;
    this.#dueWork = dueWork;
    this.#changes = changes;
    this.#writer = writer;
  }

  /** Must run in a transaction. @returns the registrations in force that have one of the numbers */
  apply(
    author: Author,
    organisation: string,
    { event, at, numbers, listed }: NumberChange,
  ): AffectedRegistration[] {
    const ids = new Set<number>();
    for (const n of numbers) {
      const found = this.#rows.overlapping({ from: n, to: n }, SAME_NUMBER_MAX);
      for (const each of found) if (has(each, n)) ids.add(each.id);
    }
    const gone = event === 'terminated' ? new Set(listed) : new Set<number>();
    const reason: RegistrationReason = {
      ...{ field: 'number', ...REASONS[event] },
      detail: `the number was ${event} at ${new Date(at).toISOString()}`,
    };
    const affected: AffectedRegistration[] = [];
    for (const id of ids) {
      const before = this.#dueWork.current(id, author.at);
      if (before === null || !isInForce(before)) continue;
      const { state } = this.#applyOne(author, organisation, before, reason, event, isGone(before, gone));
      affected.push({ organisation, id: String(id), state });
    }
    return affected;
  }

  #applyOne(
    author: Author,
    organisation: string,
    before: StoredRegistration,
    reason: RegistrationReason,
    event: NumberChange['event'],
    isSuspended: boolean,
  ): StoredRegistration {
    const isKnown = before.reasons.some(({ code }) => code === reason.code);
    const action = event === 'ported' ? 'numberPorted' : 'numberTerminated';
    const marked = isKnown
      ? before
      : this.#writer.write(author, action, before, { ...before, reasons: [reason] }, organisation);
    if (!isSuspended) return marked;
    const facts: RegistrationFacts = { organisation, now: author.at, clients: [], protectedNumbers: [] };
    const act = { action: 'suspend', reasons: [reason], isRoot: true } as const;
    const suspended = this.#changes.act(author, facts, marked, act);
    return suspended.ok ? suspended.value : marked;
  }
}

/** Whether the number is in force by the registration. */
function has(registration: StoredRegistration, n: number): boolean {
  const { approved, isMock } = registration;
  if (approved === null || isMock || !isInForce(registration)) return false;
  return approved.numbers.from <= n && n <= approved.numbers.to;
}

function isGone({ approved }: StoredRegistration, gone: ReadonlySet<number>): boolean {
  const { from, to } = approved!.numbers;
  if (gone.size < to - from + 1) return false;
  for (let n = from; n <= to; n++) if (!gone.has(n)) return false;
  return true;
}
