/**
 * The moves of registrations: create, edit, and the actions of senders and reviewers. Each checks everything before it
 * writes anything, so a refused row of a bulk upload leaves nothing behind.
 */
import {
  CLAIM_MS,
  REGISTERED_PAIRS_PER_ORGANISATION_MAX,
  REGISTERED_RANGE_EXPANDED_MAX,
  REGISTERED_RANGES_PER_ORGANISATION_MAX,
  REGISTRATIONS_MAX,
} from '../../shared/limits/registrations.ts';
import { ok } from '../../shared/result.ts';
import { MOCK_REASONS, mockDecision } from '../../shared/senders/mock.ts';
import type {
  RegistrationAction,
  RegistrationContent,
  RegistrationFacts,
  RegistrationReason,
} from '../../shared/senders/registration.ts';
import { type Move, moved, NEW_REGISTRATION } from '../../shared/senders/registration-states.ts';
import { reasonOf, type ValidRegistration, validateRegistration } from '../../shared/senders/validation.ts';
import type { Author } from '../storage/audit-chain.ts';
import { refuse, type StoreResult } from '../storage/store-request.ts';
import { type CertificateStandings, fixedFields } from './certificate-standings.ts';
import type { PairsInForce } from './pairs-in-force.ts';
import { CLAIMANT, claimed, impossible, invalid } from './refusals.ts';
import type { RegistrationRows, StoredRegistration, StoredVersion } from './registration-rows.ts';
import { type RegistrationWriter, reminderAt } from './writer.ts';

/** The author of decisions on mock registrations. */
const SYSTEM_NAME = 'numgate';

/** Moves after which the newest version must still be valid. */
const CHECKED: readonly Move[] = ['submit', 'approve', 'resume'];

export interface Act {
  readonly action: RegistrationAction;
  readonly reasons: readonly RegistrationReason[];
  /** Whether the actor may end the claim of another reviewer. */
  readonly isRoot: boolean;
}

export class RegistrationChanges {
  readonly #rows: RegistrationRows;
  readonly #pairs: PairsInForce;
  readonly #writer: RegistrationWriter;
  readonly #certificates: CertificateStandings;

  constructor(
    rows: RegistrationRows,
    pairs: PairsInForce,
    writer: RegistrationWriter,
    certificates: CertificateStandings,
  ) {
    this.#rows = rows;
    this.#pairs = pairs;
    this.#writer = writer;
    this.#certificates = certificates;
  }

  /** Validates the content. Its reference must be free. @param id registration that has the content; null for a new one */
  validate(
    content: RegistrationContent,
    facts: RegistrationFacts,
    id: number | null,
  ): StoreResult<ValidRegistration> {
    const checked = validateRegistration(content, facts);
    const { reference } = content;
    const holder = reference === null ? null : this.#rows.byReference(reference);
    const isTaken = holder !== null && holder.id !== id;
    const taken = isTaken
      ? [reasonOf('reference', 'REFERENCE_TAKEN', '"reference" belongs to another registration')]
      : [];
    if (checked.ok && !isTaken) {
      const missing = [...checked.value.missing, ...this.#withoutRoom(checked.value, id)];
      return ok({ ...checked.value, missing });
    }
    return invalid([...(checked.ok ? checked.value.missing : checked.reasons), ...taken]);
  }

  /** Why a release has no room for the registration. One that takes no more room than before always fits. */
  #withoutRoom(
    { numbers, content: { clients }, isMock }: ValidRegistration,
    id: number | null,
  ): RegistrationReason[] {
    if (isMock) return [];
    const [before, after] = [this.#pairs.usage, this.#pairs.usageWith(id, { numbers, clients })];
    const reasons: RegistrationReason[] = [];
    const [pairsMax, rangesMax] = [
      REGISTERED_PAIRS_PER_ORGANISATION_MAX,
      REGISTERED_RANGES_PER_ORGANISATION_MAX,
    ];
    if (after.pairs > Math.max(pairsMax, before.pairs)) {
      const what = `pairs of a number and a client, in ranges of at most ${REGISTERED_RANGE_EXPANDED_MAX} numbers`;
      const detail = `"number" and "clients": an organisation may have ${pairsMax.toLocaleString('en')} ${what}`;
      reasons.push(reasonOf('number', 'PAIRS_TOO_MANY', detail));
    }
    if (after.ranges > Math.max(rangesMax, before.ranges)) {
      const what = `pairs of a client and a range of more than ${REGISTERED_RANGE_EXPANDED_MAX} numbers`;
      const detail = `"number" and "clients": an organisation may have ${rangesMax.toLocaleString('en')} ${what}`;
      reasons.push(reasonOf('number', 'RANGES_TOO_MANY', detail));
    }
    return reasons;
  }

  create(
    author: Author,
    facts: RegistrationFacts,
    content: RegistrationContent,
    submit: boolean,
    certificate: string | null = null,
  ): StoreResult<StoredRegistration> {
    const id = this.#rows.nextId;
    if (id > REGISTRATIONS_MAX) {
      const limit = REGISTRATIONS_MAX.toLocaleString('en');
      return refuse(
        'REGISTRATIONS_TOO_MANY',
        `an organisation may have ${limit} registrations, closed ones included`,
      );
    }
    const valid = this.validate(content, facts, null);
    if (!valid.ok) return valid;
    if (submit && valid.value.missing.length > 0) return invalid(valid.value.missing);
    const created: StoredRegistration = {
      ...{ id, ...NEW_REGISTRATION, newest: versionOf(valid.value, 1), approved: null },
      ...{
        isMock: valid.value.isMock,
        certificate,
        claimedBy: null,
        claimedUntil: null,
        reasons: [],
        reminded: null,
      },
      ...{ dueAt: null, publishN: null, publishedAt: null, isWaiting: false },
      ...{ createdAt: author.at, updatedAt: author.at, submittedAt: null },
    };
    const stored = this.#writer.write(author, 'create', null, created, facts.organisation);
    return ok(submit ? this.#submit(author, facts, stored) : stored);
  }

  /** @param patch the fields to replace */
  edit(
    author: Author,
    facts: RegistrationFacts,
    before: StoredRegistration,
    patch: Partial<RegistrationContent>,
    submit = false,
  ): StoreResult<StoredRegistration> {
    const given = { ...before.newest.content, ...patch };
    const isDrafted = submit && before.state === 'draft';
    // Accept unchanged content even if it is no longer valid, such as an exported line of an expired registration.
    if (!isDrafted && isSame(given, before.newest.content)) return ok(before);
    const valid = this.validate(given, facts, before.id);
    if (!valid.ok) return valid;
    const { content, isMock, missing } = valid.value;
    const fixed = before.certificate === null ? [] : fixedFields(before.newest.content, content);
    if (fixed.length > 0) return invalid(fixed);
    if (isMock !== before.isMock) {
      return invalid([reasonOf('clients', 'CLIENT_MOCK', '"clients" cannot change between mock and real')]);
    }
    if (submit && missing.length > 0) return invalid(missing);
    if (isSame(content, before.newest.content))
      return ok(isDrafted ? this.#submit(author, facts, before) : before);
    const next = moved(before, 'edit');
    if (!next.ok) return impossible('edit', next.message, before, author);
    const after = { ...before, ...next.value, newest: versionOf(valid.value, next.value.version) };
    const stored = this.#writer.write(author, 'edit', before, after, facts.organisation);
    return ok(submit ? this.#submit(author, facts, stored) : stored);
  }

  act(
    author: Author,
    facts: RegistrationFacts,
    before: StoredRegistration,
    { action, reasons, isRoot }: Act,
  ): StoreResult<StoredRegistration> {
    const next = moved(before, action);
    if (!next.ok) return impossible(action, next.message, before, author);
    const isOwnClaim = before.claimedBy === author.actor || (action === 'release' && isRoot);
    if (CLAIMANT.includes(action) && !isOwnClaim) return claimed(before);
    if (action === 'claim' && before.claimedBy !== null && before.claimedBy !== author.actor)
      return claimed(before);
    if (CHECKED.includes(action)) {
      // The reference of an older version may belong to another registration by now.
      const content =
        action === 'resume' ? { ...before.approved!.content, reference: null } : before.newest.content;
      const valid = this.validate(content, facts, before.id);
      if (!valid.ok) return valid;
      const missing = [...valid.value.missing, ...this.#certificates.reasonsFor(before)];
      if (missing.length > 0) return invalid(missing);
    }
    if (action === 'submit') return ok(this.#submit(author, facts, before));
    return ok(this.#move(author, facts, before, action, reasons));
  }

  /** Approves a submitted registration without a reviewer, because a verified certificate proves it. */
  certify(author: Author, facts: RegistrationFacts, submitted: StoredRegistration): StoredRegistration {
    if (submitted.isMock) return submitted;
    const inReview = this.#move(author, facts, submitted, 'claim', []);
    return this.#move(author, facts, inReview, 'approve', []);
  }

  /** Resumes a registration that its certificate supports again. If it is no longer valid, it stays suspended and shows why. */
  resumeCertified(author: Author, facts: RegistrationFacts, before: StoredRegistration): void {
    const resumed = this.act(author, facts, before, { action: 'resume', reasons: [], isRoot: true });
    if (!resumed.ok) this.explain(author, facts, before, resumed.extras?.reasons ?? before.reasons);
  }

  /** Replaces the reasons for the current state. */
  explain(
    author: Author,
    { organisation }: RegistrationFacts,
    before: StoredRegistration,
    reasons: readonly RegistrationReason[],
  ): void {
    this.#writer.write(author, 'explain', before, { ...before, reasons }, organisation);
  }

  /** Submits a valid and complete registration. Mock registrations are decided on at once. */
  #submit(author: Author, facts: RegistrationFacts, draft: StoredRegistration): StoredRegistration {
    const submitted = this.#move(author, facts, draft, 'submit', []);
    if (!draft.isMock) return submitted;
    const system = { actor: SYSTEM_NAME, reason: 'the decision on a mock registration', at: author.at };
    const inReview = this.#move(system, facts, submitted, 'claim', []);
    const decision = mockDecision(draft.newest.numbers.from);
    if (decision === null) return inReview;
    const reasons = decision === 'approve' ? [] : MOCK_REASONS[decision];
    return this.#move(system, facts, inReview, decision, reasons);
  }

  /** Makes a move. Throws if the move is impossible. */
  #move(
    author: Author,
    facts: RegistrationFacts,
    before: StoredRegistration,
    action: RegistrationAction,
    reasons: readonly RegistrationReason[],
  ): StoredRegistration {
    const next = moved(before, action);
    if (!next.ok) throw new Error(next.message);
    const isClaimed = action === 'claim' && author.actor !== SYSTEM_NAME;
    const approved = approvedAfter(before, action);
    const after: StoredRegistration = {
      ...{ ...before, ...next.value, approved },
      claimedBy: isClaimed ? author.actor : null,
      claimedUntil: isClaimed ? author.at + CLAIM_MS : null,
      // The reasons of a decision are shown until the next decision, or until the registration is submitted again.
      reasons: action === 'submit' || isDecision(action) ? reasons : before.reasons,
      submittedAt: action === 'submit' ? author.at : before.submittedAt,
      reminded: action === 'approve' ? reminderAt(before.newest, author.at) : before.reminded,
    };
    return this.#writer.write(author, action, before, after, facts.organisation);
  }
}

function isSame(one: RegistrationContent, other: RegistrationContent): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

function versionOf({ content, numbers, endsAt }: ValidRegistration, version: number): StoredVersion {
  return { version, content, numbers, endsAt };
}

function approvedAfter(before: StoredRegistration, action: RegistrationAction): StoredVersion | null {
  if (action === 'approve') return before.newest;
  return action === 'close' ? null : before.approved;
}

function isDecision(action: RegistrationAction): boolean {
  return ['approve', 'reject', 'requestUpdate', 'suspend', 'resume'].includes(action);
}
