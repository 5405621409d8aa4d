/**
 * What the credential store needs from the stores of registrations: registrations that rest on a certificate, and
 * follow it.
 */
import type {
  RegistrationContent,
  RegistrationFacts,
  RegistrationReason,
} from '../../shared/senders/registration.ts';
import type { StoreRequest, StoreResult } from './store-request.ts';

/** Whether a certificate supports its registrations: they are suspended unless it is `valid`. */
export type CertificateStanding = 'valid' | 'suspended' | 'revoked';

export interface CertificateChange {
  /** Digest of the certificate. */
  readonly certificate: string;
  readonly standing: CertificateStanding;
}

export interface CertifiedRegistrations {
  /** What is wrong or missing; empty if they could be registered. Stores nothing. */
  checkCertified(
    facts: RegistrationFacts,
    contents: readonly RegistrationContent[],
  ): Promise<readonly RegistrationReason[]>;
  /**
   * Registers the numbers of a certificate, all or none. Idempotent by certificate.
   * @param isApproved approve them at once; otherwise they are submitted for review
   * @returns their IDs
   */
  registerCertified(
    request: StoreRequest,
    facts: RegistrationFacts,
    certificate: string,
    contents: readonly RegistrationContent[],
    isApproved: boolean,
  ): Promise<StoreResult<readonly string[]>>;
  /**
   * Suspends what rests on certificates that are not valid any more, and resumes what rests on those that are again: but
   * only if it could be registered now. Otherwise it shows why, and a person decides.
   */
  certificatesChanged(
    request: StoreRequest,
    facts: RegistrationFacts,
    changes: readonly CertificateChange[],
  ): Promise<StoreResult<{ readonly changed: number }>>;
}
