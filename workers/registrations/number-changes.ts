/**
 * Updates registrations in force when their numbers change hands. The sender and the reviewers get an event, and a
 * registration is suspended if all its numbers are listed as terminated. A range with some such numbers stays in force,
 * because the lists block these numbers anyway, and the others are still the sender's.
 */

import { BLOCK_NUMBERS } from '../../shared/numbers/blocks.ts';
import type { AffectedRegistration, NumberChange } from '../../shared/senders/number-event.ts';
import type { RegistrationFacts, RegistrationReason } from '../../shared/senders/registration.ts';
import { isInForce } from '../../shared/senders/registration-states.ts';
import type { Author } from '../storage/audit-chain.ts';
import type { RegistrationChanges } from './changes.ts';
import type { DueWork } from './due-work.ts';
import type { PairsInForce } from './pairs-in-force.ts';
import type { StoredRegistration } from './registration-rows.ts';
import type { RegistrationWriter } from './writer.ts';

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
  readonly #pairs: PairsInForce;
  readonly #dueWork: DueWork;
  readonly #changes: RegistrationChanges;
  readonly #writer: RegistrationWriter;

  constructor(
    pairs: PairsInForce,
    dueWork: DueWork,
    changes: RegistrationChanges,
    writer: RegistrationWriter,
  ) {
    this.#pairs = pairs;
    this.#dueWork = dueWork;
    this.#changes = changes;
    this.#writer = writer;
  }

  /** Must run in a transaction. @returns the registrations in force that have one of the numbers */
  apply(
    author: Author,
    organisation: string,
    { event, at, numbers, listed, operation }: NumberChange,
  ): AffectedRegistration[] {
    const byRegistration = new Map<number, number[]>();
    for (const n of new Set(numbers)) {
      for (const id of this.#pairs.registrationsOf(n)) {
        const own = byRegistration.get(id) ?? [];
        own.push(n);
        byRegistration.set(id, own);
      }
    }
    const gone = event === 'terminated' ? new Set(listed) : new Set<number>();
    const affected: AffectedRegistration[] = [];
    for (const [id, own] of byRegistration) {
      const before = this.#dueWork.current(id, author.at);
      if (before === null || !isInForce(before)) continue;
      const isListed = own.every((n) => gone.has(n));
      const what = isListed ? `is listed as ${event}` : `was ${event} at ${new Date(at).toISOString()}`;
      const detail = `${nameOf(before, own)} ${what}`;
      const by = isListed && operation !== null ? { operation } : {};
      const reason = { field: 'number', ...REASONS[event], detail, ...by };
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
    // Somebody else or an earlier release may have reported the same event.
    const isKnown = before.reasons.some(
      ({ code, detail }) => code === reason.code && (isSuspended || detail === reason.detail),
    );
    const action = event === 'ported' ? 'numberPorted' : 'numberTerminated';
    // Keep the other reasons, because the changes that a reviewer requested are still needed.
    const others = before.reasons.filter(({ code }) => code !== reason.code);
    const marked = isKnown
      ? before
      : this.#writer.write(author, action, before, { ...before, reasons: [reason, ...others] }, organisation);
    if (!isSuspended) return marked;
    const facts: RegistrationFacts = { organisation, now: author.at, clients: [], protectedNumbers: [] };
    const act = { action: 'suspend', reasons: [reason], isRoot: true } as const;
    const suspended = this.#changes.act(author, facts, marked, act);
    return suspended.ok ? suspended.value : marked;
  }
}

/** Describes the numbers of an event for a reason, without a full number. */
function nameOf({ approved }: StoredRegistration, numbers: readonly number[]): string {
  const { from, to } = approved!.numbers;
  if (from === to) return 'the number';
  const end = String(numbers[0]! % BLOCK_NUMBERS).padStart(4, '0');
  return numbers.length === 1
    ? `the number that ends with ${end}`
    : `each of ${numbers.length} numbers, the first of which ends with ${end},`;
}

function isGone({ approved }: StoredRegistration, gone: ReadonlySet<number>): boolean {
  const { from, to } = approved!.numbers;
  if (gone.size < to - from + 1) return false;
  for (let n = from; n <= to; n++) if (!gone.has(n)) return false;
  return true;
}
