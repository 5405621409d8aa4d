/** RPC methods that read the registrations of one organisation. */
import { DurableObject } from 'cloudflare:workers';
import type { AuditRecord } from '../../shared/audit.ts';
import { EVIDENCE_ITEMS_MAX } from '../../shared/limits/evidence-files.ts';
import type { Span } from '../../shared/numbers/spans.ts';
import type {
  OtherRegistration,
  Registration,
  RegistrationEvent,
  RegistrationPage,
} from '../../shared/senders/registration.ts';
import type { ControlEnv } from '../env.ts';
import { chainPart } from '../storage/chain-part.ts';
import type { EvidencePeriod, RegistrationEvidenceSource } from '../storage/evidence-port.ts';
import type { PublishedPair, QueueChange } from '../storage/registry-port.ts';
import type { RegistrationFilter, StoredRegistration } from './registration-rows.ts';
import { other, shown } from './shown.ts';
import type { StoreParts } from './store-parts.ts';
import { queueChangeOf } from './writer.ts';

/** The property through which the methods reach the parts. It is a symbol so that RPC does not expose it. */
export const PARTS = Symbol('parts');

export abstract class RegistrationReads extends DurableObject<ControlEnv> {
  protected abstract get [PARTS](): StoreParts;

  async get(id: number): Promise<Registration | null> {
    const found = this[PARTS].rows.get(id);
    return found && this.#shown(found);
  }

  /** @param after ID of a registration */
  async page(filter: RegistrationFilter, after: number, limit: number): Promise<RegistrationPage> {
    const { found, isLast } = this[PARTS].rows.page(filter, after, limit);
    const registrations = found.map((each) => this.#shown(each));
    return { registrations, next: isLast ? null : String(found.at(-1)!.id) };
  }

  /** Registrations whose newest or approved version has one of the numbers. */
  async find(numbers: Span, limit: number): Promise<readonly Registration[]> {
    return this[PARTS].rows.overlapping(numbers, limit).map((each) => this.#shown(each));
  }

  /** @param after number of a record */
  async audit(after: number, limit: number): Promise<readonly AuditRecord[]> {
    return this[PARTS].audit.records(after, limit);
  }

  async history(id: number, after: number, limit: number): Promise<readonly AuditRecord[] | null> {
    return this[PARTS].rows.get(id) === null ? null : this[PARTS].audit.history(id, after, limit);
  }

  async events(after: number, limit: number): Promise<readonly RegistrationEvent[]> {
    return this[PARTS].events.page(after, limit);
  }

  /** Registrations that are not closed. */
  async openCount(): Promise<number> {
    return this[PARTS].rows.openCount;
  }

  async published(
    after: string | null,
    limit: number,
  ): Promise<{ readonly pairs: readonly PublishedPair[]; readonly next: string | null }> {
    return this[PARTS].pairs.page(this[PARTS].organisation, after, limit);
  }

  /** The part of the review queue that belongs to the organisation, by ID. For a repair of the registry. */
  async queued(after: number, limit: number): Promise<readonly QueueChange[]> {
    return this[PARTS].rows.queued(after, limit).map(queueChangeOf);
  }

  /** Numbers of registrations that are not closed. For a repair of the registry. */
  async numbers(after: number, limit: number) {
    return this[PARTS].rows.numbers(after, limit);
  }

  /** Registrations that a reviewer must know about before one of these numbers is approved. */
  async competing(numbers: Span, limit: number): Promise<readonly OtherRegistration[]> {
    return this[PARTS].rows.competing(numbers, limit).map((each) => other(each, this[PARTS].organisation));
  }

  /** @param numbers null for all registrations @throws if the coordinator does not respond */
  async registrationEvidence(
    numbers: Span | null,
    { to }: EvidencePeriod,
  ): ReturnType<RegistrationEvidenceSource['registrationEvidence']> {
    const { rows, audit, anchoring } = this[PARTS];
    const most = EVIDENCE_ITEMS_MAX + 1;
    const { found, isCut } =
      numbers === null ? { found: this.#all(most), isCut: false } : rows.overlappingPage(numbers, most);
    const own = found.slice(0, EVIDENCE_ITEMS_MAX).filter(({ createdAt }) => createdAt < to);
    const ids = own.map(({ id }) => id);
    const part = await chainPart(audit, anchoring, ids, to);
    return {
      registrations: own.map((each) => this.#shown(each)),
      records: part.records,
      isCut: part.isCut || isCut || found.length > EVIDENCE_ITEMS_MAX,
    };
  }

  /** The first registrations by ID. @param most maximum number of registrations */
  #all(most: number): StoredRegistration[] {
    const found: StoredRegistration[] = [];
    while (found.length < most) {
      const page = this[PARTS].rows.page({}, found.at(-1)?.id ?? 0, most - found.length);
      found.push(...page.found);
      if (page.isLast) break;
    }
    return found;
  }

  async usage() {
    return this[PARTS].pairs.usage;
  }

  #shown(registration: StoredRegistration): Registration {
    return shown(registration, this[PARTS].organisation);
  }
}
