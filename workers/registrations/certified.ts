/**
 * Registrations that rest on a certificate, one for each of its numbers. All are created or none. They are approved
 * without a person if the organisation is allowed that, and follow the standing of the certificate.
 */
import { ok } from '../../shared/result.ts';
import type {
  RegistrationContent,
  RegistrationFacts,
  RegistrationReason,
} from '../../shared/senders/registration.ts';
import { isInForce } from '../../shared/senders/registration-states.ts';
import type { Author } from '../storage/audit-chain.ts';
import type { CertificateChange } from '../storage/certified-port.ts';
import type { StoreResult } from '../storage/store-request.ts';
import { type CertificateStandings, isSuspendedByCertificate } from './certificate-standings.ts';
import type { RegistrationChanges } from './changes.ts';
import type { DueWork } from './due-work.ts';
import type { RegistrationRows, StoredRegistration } from './registration-rows.ts';

export class Certified {
  readonly #rows: RegistrationRows;
  readonly #changes: RegistrationChanges;
  readonly #dueWork: DueWork;
  readonly #standings: CertificateStandings;

  constructor(
    rows: RegistrationRows,
    changes: RegistrationChanges,
    dueWork: DueWork,
    standings: CertificateStandings,
  ) {
    this.#rows = rows;
    this.#changes = changes;
    this.#dueWork = dueWork;
    this.#standings = standings;
  }

  /** Registers the numbers of a certificate, all or none. Must run in a transaction. @returns IDs of the registrations */
  register(
    author: Author,
    facts: RegistrationFacts,
    certificate: string,
    contents: readonly RegistrationContent[],
    isApproved: boolean,
  ): StoreResult<readonly string[]> {
    const known = this.#rows.certified(certificate);
    // The answer to an earlier request was lost.
    if (known.length > 0) return ok(known.map(({ id }) => String(id)));
    const ids: string[] = [];
    for (const content of contents) {
      const created = this.#changes.create(author, facts, content, true, certificate);
      if (!created.ok) return created;
      ids.push(String(created.value.id));
      if (isApproved) this.#changes.certify(author, facts, created.value);
    }
    return ok(ids);
  }

  /** Must run in a transaction. @returns how many registrations changed */
  follow(author: Author, facts: RegistrationFacts, changes: readonly CertificateChange[]): number {
    let changed = 0;
    for (const { certificate, standing } of changes) {
      this.#standings.set(certificate, standing);
      for (const { id } of this.#rows.certified(certificate)) {
        const before = this.#dueWork.current(id, author.at);
        if (before !== null && this.#followOne(author, facts, before)) changed++;
      }
    }
    return changed;
  }

  #followOne(author: Author, facts: RegistrationFacts, before: StoredRegistration): boolean {
    const reasons = this.#standings.reasonsFor(before);
    const isOurs = isSuspendedByCertificate(before);
    if (reasons.length > 0 && (isInForce(before) || isOurs))
      return this.#suspend(author, facts, before, reasons);
    // Only a person resumes a registration that a person has suspended.
    if (reasons.length > 0 || !isOurs) return false;
    this.#changes.resumeCertified(author, facts, before);
    return true;
  }

  #suspend(
    author: Author,
    facts: RegistrationFacts,
    before: StoredRegistration,
    reasons: readonly RegistrationReason[],
  ): boolean {
    if (before.reasons[0]?.code === reasons[0]!.code && before.state === 'suspended') return false;
    // The certificate was suspended before it was revoked, so only the reason changes.
    if (before.state === 'suspended') this.#changes.explain(author, facts, before, reasons);
    else this.#changes.act(author, facts, before, { action: 'suspend', reasons, isRoot: true });
    return true;
  }
}
