/** The standings of the certificates that registrations rest on, as the credential store reports them. */

import type { RegistrationContent, RegistrationReason } from '../../shared/senders/registration.ts';
import type { ReasonCode } from '../../shared/senders/validation.ts';
import { reasonOf } from '../../shared/senders/validation.ts';
import type { CertificateStanding } from '../storage/certified-port.ts';
import type { StoredRegistration } from './registration-rows.ts';

const CODES: Readonly<Record<Exclude<CertificateStanding, 'valid'>, ReasonCode>> = {
  suspended: 'CERTIFICATE_SUSPENDED',
  revoked: 'CERTIFICATE_REVOKED',
};

export class CertificateStandings {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  set(digest: string, standing: CertificateStanding): void {
    this.#sql.exec('INSERT OR REPLACE INTO certificates VALUES (?, ?)', digest, standing);
  }

  #get(digest: string): CertificateStanding {
    const [row] = this.#sql
      .exec<{ standing: string }>('SELECT standing FROM certificates WHERE digest = ?', digest)
      .toArray();
    return (row?.standing ?? 'valid') as CertificateStanding;
  }

  /** Why the certificate of a registration no longer supports the registration; empty if it does or there is none. */
  reasonsFor({ certificate }: Pick<StoredRegistration, 'certificate'>): RegistrationReason[] {
    const standing = certificate === null ? 'valid' : this.#get(certificate);
    if (standing === 'valid') return [];
    return [reasonOf('proofs', CODES[standing], `its certificate is ${standing}`)];
  }
}

/** Whether a registration is suspended only because of its certificate. */
export function isSuspendedByCertificate({ state, reasons }: StoredRegistration): boolean {
  const codes: readonly string[] = Object.values(CODES);
  return state === 'suspended' && reasons.length > 0 && reasons.every(({ code }) => codes.includes(code));
}

/** Reasons against an edit of fields that the certificate fixes. Otherwise, a reviewer would decide on other content. */
export function fixedFields(before: RegistrationContent, after: RegistrationContent): RegistrationReason[] {
  return (['number', 'basis', 'holder', 'proofs'] as const)
    .filter((field) => JSON.stringify(before[field]) !== JSON.stringify(after[field]))
    .map((field) =>
      reasonOf(field, 'CERTIFICATE_FIXED', `"${field}" comes from the certificate, and cannot be changed`),
    );
}
