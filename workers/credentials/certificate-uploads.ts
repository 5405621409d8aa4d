/**
 * Accepts certificates that organisations upload: verifies each, reads its status, and checks that its numbers could be
 * registered. `registration-sync.ts` registers the stored certificates.
 */
import type { AddCertificate, CertificateInfo, CertificateState } from '../../shared/admin/credentials.ts';
import { fromBase64Url, toHex } from '../../shared/bytes.ts';
import {
  type VerifiedCertificate,
  verifyCertificate,
  verifyProof,
} from '../../shared/credentials/certificate.ts';
import type { CertificateClaims } from '../../shared/credentials/claims.ts';
import { type CredentialKey, digestOf, keyOfJwk, thumbprintOf } from '../../shared/credentials/keys.ts';
import { inflate, type Status } from '../../shared/credentials/status-list.ts';
import {
  CERTIFICATE_UPLOADS_PER_DAY_MAX,
  CERTIFICATES_MAX,
  CERTIFICATES_PER_ORGANISATION_MAX,
} from '../../shared/limits/credential-store.ts';
import { ok } from '../../shared/result.ts';
import type { RegistrationContent, RegistrationFacts } from '../../shared/senders/registration.ts';
import { invalidRegistration } from '../../shared/senders/validation.ts';
import type { CertifiedRegistrations } from '../storage/certified-port.ts';
import { SharedWork } from '../storage/shared-work.ts';
import {
  refuse,
  refuseField,
  type StoreRefusal,
  type StoreRequest,
  type StoreResult,
} from '../storage/store-request.ts';
import { type StoredCertificate, standingOf } from './certificate-rows.ts';
import { maySign } from './issuer-changes.ts';
import { refusalOf, statusFor } from './status-list-changes.ts';
import type { StoredStatusList } from './status-list-rows.ts';
import type { Tables } from './tables.ts';

/** Reads a status list that is unknown or stale. */
export type ReadList = (uri: string) => Promise<StoreResult<void>>;

export class CertificateUploads {
  readonly #tables: Tables;
  readonly #registrations: (organisation: string) => CertifiedRegistrations;
  readonly #readList: ReadList;
  readonly #reads = new SharedWork<StoreResult<void>>();

  constructor(
    tables: Tables,
    registrations: (organisation: string) => CertifiedRegistrations,
    readList: ReadList,
  ) {
    this.#tables = tables;
    this.#registrations = registrations;
    this.#readList = readList;
  }

  /** Stores a certificate. Idempotent by its digest, for the same clients and the same reference, until it ends. */
  async add(
    request: StoreRequest,
    facts: RegistrationFacts,
    body: AddCertificate,
  ): Promise<StoreResult<StoredCertificate>> {
    const { organisation } = facts;
    const tooMany = this.#tables.charge(organisation, 'certificates', CERTIFICATE_UPLOADS_PER_DAY_MAX);
    if (tooMany !== null) return tooMany;
    const { certificates } = this.#tables;
    const stored = certificates.get(await digestOf(body.certificate));
    if (stored !== null) {
      const known = knownOf(stored, organisation, body);
      if (!known.ok) return known;
      const claims = partOf(stored.jws, 1) as CertificateClaims;
      const proven = await proofOf(organisation, body, { ...stored, claims });
      // A list may have revoked the certificate meanwhile.
      return proven.ok ? inForce(certificates.get(stored.digest) ?? stored) : proven;
    }
    const verified = await this.#verified(organisation, body);
    if (!verified.ok) return verified;
    const contents = contentsOf(verified.value);
    const reasons = await this.#registrations(organisation).checkCertified(facts, contents);
    if (reasons.length > 0) {
      const { code, message } = invalidRegistration(reasons);
      return refuse(code, message, { reasons });
    }
    // Read the status last, because a list that is accepted later changes only stored certificates.
    const read = await this.#statusOf(verified.value);
    if (!read.ok) return read;
    const { status, iat } = read.value;
    return this.#store(request, { ...verified.value, status }, iat);
  }

  /** @param iat of the list that the status comes from */
  #store(request: StoreRequest, certificate: StoredCertificate, iat: number): StoreResult<StoredCertificate> {
    return this.#tables.transact({ ...request, repeat: null }, 1, (author) => {
      const { certificates, audit, issuers, lists, publication } = this.#tables;
      const { digest, organisation, issuer, signer } = certificate;
      // Other requests were handled meanwhile, so check again.
      const known = certificates.withContentOf(certificate);
      if (known !== null) {
        const same = knownOf(known, organisation, certificate);
        return same.ok ? inForce(known) : same;
      }
      const rights = issuers.get(issuer);
      if (rights?.issuer.state !== 'active' || !maySign(rights.rights, certificate))
        return refuse(
          'CERTIFICATE_INVALID',
          '"certificate" is from an issuer that changed just now: try again',
        );
      if (lists.get(certificate.uri)?.iat !== iat)
        return refuse(
          'STATUS_LIST_UNAVAILABLE',
          'the status list of "certificate" changed just now: try again',
        );
      const room = this.#noRoom(organisation);
      if (room !== null) return room;
      certificates.add(certificate);
      audit.append(author, `certificate ${digest}`, {
        ...{ action: 'certificates.add', before: null },
        after: { organisation, issuer, signer, exp: certificate.exp, status: certificate.status },
      });
      publication.changed([digest]);
      return ok(certificate);
    });
  }

  async #verified(organisation: string, body: AddCertificate): Promise<StoreResult<StoredCertificate>> {
    const { certificate: jws, clients, reference } = body;
    const now = Date.now();
    const active = this.#tables.issuers.active;
    const verified = await verifyCertificate(
      jws,
      active.map(({ rights }) => rights),
      Math.floor(now / 1000),
    );
    if (!verified.ok) return refuse(verified.code, `"certificate" ${verified.message}`);
    const { claims, digest, spans } = verified.value;
    const proven = await proofOf(organisation, body, verified.value);
    if (!proven.ok) return proven;
    const key = proven.value;
    const { issuer, rights } = active.find((each) => each.rights.iss === claims.iss)!;
    const { iss: _, nbf, exp, status } = claims;
    return ok({
      ...{ digest, organisation, issuer: issuer.id, jws, key, spans, nbf, exp, clients, reference },
      signer: await thumbprintOf(rights.keys.get(kidOf(jws))!),
      ...{ uri: status.status_list.uri, index: status.status_list.idx, status: 'valid', isHeld: false },
      ...{ reported: null, registrations: [], reasons: [], createdAt: now },
    });
  }

  async #statusOf({
    uri,
    index,
    issuer,
  }: StoredCertificate): Promise<StoreResult<{ readonly status: Status; readonly iat: number }>> {
    const fresh = (): StoredStatusList | null => {
      const list = this.#tables.lists.get(uri);
      return list !== null && list.exp > Date.now() / 1000 ? list : null;
    };
    if (fresh() === null) {
      const read = await this.#reads.run(uri, () => this.#readList(uri));
      if (!read.ok) return read;
    }
    const list = fresh();
    if (list?.issuer !== issuer)
      return refuse('CERTIFICATE_INVALID', '"certificate" names a status list of another issuer');
    const inflated = await inflate(this.#tables.lists.deflated(uri), list.bits);
    const status = statusFor(inflated!, index);
    return status.ok ? ok({ status: status.value, iat: list.iat }) : status;
  }

  #noRoom(organisation: string): StoreRefusal | null {
    const { certificates } = this.#tables;
    const refusal = (max: number, whose: string): StoreRefusal =>
      refuse(
        'CREDENTIALS_TOO_MANY',
        `${whose} may have ${max.toLocaleString('en')} certificates; expired certificates count for 90 days`,
      );
    if (certificates.totalOf(organisation) >= CERTIFICATES_PER_ORGANISATION_MAX)
      return refusal(CERTIFICATES_PER_ORGANISATION_MAX, 'an organisation');
    return certificates.total < CERTIFICATES_MAX
      ? null
      : refusal(CERTIFICATES_MAX, 'all organisations together');
  }
}

/** The key of an upload, if the proof shows that its holder wants this organisation to register the certificate. */
async function proofOf(
  organisation: string,
  { key: jwk, proof }: AddCertificate,
  certificate: VerifiedCertificate,
): Promise<StoreResult<CredentialKey>> {
  const key = keyOfJwk(jwk);
  if (key === null) return refuseField('key', 'is not a valid key of its curve');
  const proven = await verifyProof(proof, key, certificate, organisation, Math.floor(Date.now() / 1000));
  return proven.ok ? ok(key) : refuse(proven.code, `"proof" ${proven.message}`);
}

/** The stored certificate. Refuses an upload by another organisation, with other clients, or with another reference. */
function knownOf(
  known: StoredCertificate,
  organisation: string,
  { clients, reference }: Pick<StoredCertificate, 'clients' | 'reference'>,
): StoreResult<StoredCertificate> {
  if (known.organisation !== organisation)
    return refuse('CERTIFICATE_TAKEN', '"certificate" is registered by another organisation');
  const hasSameClients = setOf(clients) === setOf(known.clients);
  if (hasSameClients && (reference === null || reference === known.reference)) return ok(known);
  const field = hasSameClients ? 'reference' : 'clients';
  return refuse(
    'CERTIFICATE_REGISTERED',
    `"${field}" differs from the previous upload: edit the registrations of the certificate ("registrations edit <id> --${field}")`,
  );
}

/** The stored certificate. If it has ended or is suspended by now, refuses it like a new one. */
function inForce(known: StoredCertificate): StoreResult<StoredCertificate> {
  if (known.exp <= Date.now() / 1000) return refuse('CERTIFICATE_EXPIRED', '"certificate" has expired');
  const refusal = refusalOf(known.status);
  if (refusal !== null) return refusal;
  return known.isHeld
    ? refuse('CERTIFICATE_SUSPENDED', '"certificate" is suspended: its issuer may not sign it now')
    : ok(known);
}

/** Equal for the same names in any order. */
function setOf(names: readonly string[]): string {
  return [...new Set(names)].sort().join(' ');
}

/** The key ID in the header of a verified JWS. */
function kidOf(jws: string): string {
  return (partOf(jws, 0) as { kid: string }).kid;
}

function partOf(jws: string, part: number): unknown {
  return JSON.parse(new TextDecoder().decode(fromBase64Url(jws.split('.')[part]!)!));
}

/** The registrations of a certificate: one for each of its numbers and ranges. */
export function contentsOf({
  jws,
  digest,
  clients,
  reference,
  exp,
}: StoredCertificate): RegistrationContent[] {
  const { nums, sub, jti } = partOf(jws, 1) as CertificateClaims;
  const expires = timeOf(exp);
  const sha256 = toHex(fromBase64Url(digest)!);
  return nums.map((number, index) => ({
    ...{ number, basis: 'own', clients: [...clients], expires },
    holder: { kind: 'organisation', name: sub },
    proofs: [{ kind: 'serviceUse', sha256, reference: jti, expires }],
    reference: reference === null || index === 0 ? reference : `${reference}-${index + 1}`,
  }));
}

export async function infoOf(certificate: StoredCertificate): Promise<CertificateInfo> {
  const { digest, organisation, issuer, isHeld, nbf, exp, key, status, uri, index, reasons } = certificate;
  const { sub, nums, line } = partOf(certificate.jws, 1) as CertificateClaims;
  return {
    ...{ digest, organisation, issuer, state: stateOf(certificate) },
    ...(isHeld ? { held: true as const } : {}),
    ...{ sub, numbers: nums, line, notBefore: timeOf(nbf), expires: timeOf(exp) },
    ...{ key: await thumbprintOf(key), status, statusList: { uri, index } },
    ...{ clients: certificate.clients, registrations: certificate.registrations },
    ...(reasons.length > 0 ? { reasons } : {}),
    ...{ certificate: certificate.jws, createdAt: new Date(certificate.createdAt).toISOString() },
  };
}

function stateOf(certificate: StoredCertificate): CertificateState {
  if (certificate.exp <= Date.now() / 1000) return 'expired';
  const standing = standingOf(certificate);
  return standing === 'valid' && certificate.status === 'rateReduced' ? 'rateReduced' : standing;
}

function timeOf(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}
