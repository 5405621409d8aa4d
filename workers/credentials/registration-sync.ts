/**
 * Makes the stores of registrations follow the certificates: registers new certificates, and suspends registrations whose
 * certificate is suspended. The rows show what a store does not know yet, so nothing is lost when the object ends. An alarm
 * retries what failed.
 */
import {
  CERTIFIED_AT_ONCE,
  CERTIFIED_RETRY_MS,
  CERTIFIED_RETRY_MS_MAX,
} from '../../shared/limits/credential-store.ts';
import type { Organisation } from '../../shared/organisations.ts';
import type { RegistrationFacts } from '../../shared/senders/registration.ts';
import { warn, warnFailed } from '../log.ts';
import type { CertifiedRegistrations } from '../storage/certified-port.ts';
import { SharedWork } from '../storage/shared-work.ts';
import { systemRequest } from '../storage/store-request.ts';
import { type StoredCertificate, standingOf } from './certificate-rows.ts';
import { contentsOf } from './certificate-uploads.ts';
import type { Tables } from './tables.ts';

/** The methods of the coordinator that this file needs. */
export interface OrganisationSource {
  registrationFacts(organisation: string): Promise<RegistrationFacts | null>;
  organisation(id: string): Promise<Organisation | null>;
}

export class RegistrationSync {
  readonly #tables: Tables;
  readonly #registrations: (organisation: string) => CertifiedRegistrations;
  readonly #organisations: () => OrganisationSource;
  readonly #work = new SharedWork<void>();
  /** Organisations whose store failed: how often in a row, and when to retry. In memory, so a new object tries at once. */
  readonly #failed = new Map<string, { readonly failures: number; readonly retryAt: number }>();

  constructor(
    tables: Tables,
    registrations: (organisation: string) => CertifiedRegistrations,
    organisations: () => OrganisationSource,
  ) {
    this.#tables = tables;
    this.#registrations = registrations;
    this.#organisations = organisations;
  }

  /** When to call `run` again, in ms since 1970; null if there is nothing to do. */
  get dueAt(): number | null {
    const times = this.#tables.certificates.organisationsBehind.map((each) => this.#retryAt(each));
    return times.length === 0 ? null : Math.min(...times);
  }

  /** When to retry; 0 for at once. Each organisation has its own time, so none waits for the store of another. */
  #retryAt(organisation: string): number {
    return this.#failed.get(organisation)?.retryAt ?? 0;
  }

  /** Brings all organisations that are behind up to date. Never throws. */
  async run(): Promise<void> {
    const behind = this.#tables.certificates.organisationsBehind;
    const due = behind.filter((each) => this.#retryAt(each) <= Date.now());
    for (const organisation of due) await this.follow(organisation);
  }

  /** Brings one organisation up to date. Never throws. */
  follow(organisation: string): Promise<void> {
    return this.#work.run(organisation, async () => {
      try {
        while (await this.#step(organisation));
        this.#failed.delete(organisation);
      } catch (error) {
        warnFailed('certificateNotFollowed', error, { organisation });
        const failures = this.#failed.get(organisation)?.failures ?? 0;
        const pause = Math.min(CERTIFIED_RETRY_MS * 2 ** failures, CERTIFIED_RETRY_MS_MAX);
        this.#failed.set(organisation, { failures: Math.min(failures + 1, 20), retryAt: Date.now() + pause });
      }
    });
  }

  /** @returns whether there was something to do */
  async #step(organisation: string): Promise<boolean> {
    const behind = this.#tables.certificates.unreported(organisation, CERTIFIED_AT_ONCE);
    if (behind.length === 0) return false;
    const added = behind.filter(({ reported }) => reported === null);
    for (const certificate of added) await this.#register(certificate);
    const changed = behind.filter(({ reported }) => reported !== null);
    if (changed.length === 0) return true;
    const changes = changed.map((each) => ({ certificate: each.digest, standing: standingOf(each) }));
    const request = systemRequest('the status of the certificate changed');
    // A removed organisation gets facts without clients, so that no registration is resumed.
    const facts = (await this.#organisations().registrationFacts(organisation)) ?? {
      ...{ organisation, now: Date.now(), clients: [], protectedNumbers: [] },
    };
    const done = await this.#registrations(organisation).certificatesChanged(request, facts, changes);
    if (!done.ok) throw new Error(done.code);
    for (const { certificate, standing } of changes)
      this.#tables.certificates.setReported(certificate, standing);
    return true;
  }

  async #register(certificate: StoredCertificate): Promise<void> {
    const { organisation, digest } = certificate;
    const source = this.#organisations();
    const facts = await source.registrationFacts(organisation);
    const policy = (await source.organisation(organisation))?.certificateApproval;
    const { certificates } = this.#tables;
    // The organisation was removed.
    if (facts === null) return certificates.setRegistered(digest, 'valid', [], []);
    const done = await this.#registrations(organisation).registerCertified(
      systemRequest('a verified certificate'),
      facts,
      digest,
      contentsOf(certificate),
      policy === 'approve',
    );
    // The registrations were valid when the certificate was uploaded.
    if (!done.ok) {
      if (done.code !== 'REGISTRATION_INVALID' && done.code !== 'REGISTRATIONS_TOO_MANY')
        throw new Error(done.code);
      warn('certificateNotRegistered', { organisation, code: done.code });
      certificates.setRegistered(digest, 'valid', [], done.extras?.reasons ?? []);
      return;
    }
    certificates.setRegistered(digest, 'valid', done.value, []);
  }
}
