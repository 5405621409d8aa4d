/**
 * What the credential store needs from the stores of registrations: to register the numbers of a certificate, and to
 * suspend or resume their registrations with the certificate.
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
  /** The reasons why the registrations would be refused; empty if they could be registered. Stores nothing. */
  checkCertified(
    facts: RegistrationFacts,
    contents: readonly RegistrationContent[],
  ): Promise<readonly RegistrationReason[]>;
  /**
   * Registers the numbers of a certificate, all or none. Idempotent by certificate.
   * @param isApproved true to approve the registrations at once; false to submit them for review
   * @returns the IDs of the registrations
   */
  registerCertified(
    request: StoreRequest,
    facts: RegistrationFacts,
    certificate: string,
    contents: readonly RegistrationContent[],
    isApproved: boolean,
  ): Promise<StoreResult<readonly string[]>>;
  /**
   * Suspends registrations whose certificate is no longer valid, and resumes registrations whose certificate is valid
   * again, if they could be registered now. Otherwise the registration shows the reasons, and a person decides.
   */
  certificatesChanged(
    request: StoreRequest,
    facts: RegistrationFacts,
    changes: readonly CertificateChange[],
  ): Promise<StoreResult<{ readonly changed: number }>>;
}
