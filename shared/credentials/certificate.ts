/**
 * Verifies sender certificates: an issuer's signed statement that a holder may use some numbers. Also verifies the proof of
 * possession of the holder's key. Without this proof, anybody could register a stolen certificate.
 */
import { CLOCK_SKEW_S, PROOF_AGE_MAX_S } from '../limits/credentials.ts';
import type { Span } from '../numbers/spans.ts';
import { type Failure, fail, ok, type Result } from '../result.ts';
import { type InvalidField, validateJson } from '../validate-json.ts';
import type { Code } from '../verdict.ts';
import {
  CERTIFICATE_TYPE,
  type CertificateClaims,
  certificateClaimsSchema,
  PROOF_TYPE,
  proofClaimsSchema,
} from './claims.ts';
import { isWithin, parseCredentialNumbers } from './credential-numbers.ts';
import { isSignedBy, parseJws } from './jws.ts';
import { type CredentialKey, digestOf, thumbprintOf } from './keys.ts';

/** The keys, numbers and hosts of an issuer: what it may sign. */
export interface IssuerRights {
  /** The value of the claim `iss`. */
  readonly iss: string;
  /** The issuer's keys by `kid`. */
  readonly keys: ReadonlyMap<string, CredentialKey>;
  /** Numbers that the issuer may certify, ascending and disjoint: see `cover`. */
  readonly spans: readonly Span[];
  /** Hosts that may serve the issuer's status lists. */
  readonly statusHosts: readonly string[];
}

export interface VerifiedCertificate {
  /** SHA-256 of the compact JWS, in base64url. */
  readonly digest: string;
  readonly claims: CertificateClaims;
  readonly spans: readonly Span[];
}

export type CertificateProblem = Extract<
  Code,
  'CERTIFICATE_INVALID' | 'CERTIFICATE_NOT_YET_VALID' | 'CERTIFICATE_EXPIRED' | 'CERTIFICATE_MISMATCH'
>;

/** Returns a message that names the claim, and continues a sentence that begins with the name of the field. */
export function claimMessage({ path, message }: Pick<InvalidField, 'path' | 'message'>): string {
  return `has a claim that is not valid: "${path.join('.')}" ${message}`;
}

/** Returns the host in the URI of a status list, or null if the text is not a URI with a host. */
export function statusHostOf(uri: string): string | null {
  return URL.canParse(uri) ? new URL(uri).host : null;
}

/**
 * Verifies a certificate, but not its status. Messages continue a sentence that begins with the name of the field.
 * @param issuers issuers that may sign now
 */
export async function verifyCertificate(
  text: string,
  issuers: readonly IssuerRights[],
  nowS: number,
): Promise<Result<VerifiedCertificate, Failure<CertificateProblem>>> {
  const jws = parseJws(text, CERTIFICATE_TYPE);
  if (!jws.ok) return fail('CERTIFICATE_INVALID', jws.message);
  const { header, claims: written } = jws.value;
  const issuer = issuers.find(({ iss }) => iss === written.iss);
  if (issuer === undefined)
    return fail('CERTIFICATE_INVALID', 'is from an issuer that this service does not know');
  const key = typeof header.kid === 'string' ? issuer.keys.get(header.kid) : undefined;
  if (key === undefined) return fail('CERTIFICATE_INVALID', 'does not name a key of its issuer in "kid"');
  if (!(await isSignedBy(jws.value, key)))
    return fail('CERTIFICATE_INVALID', `is not signed by that key of its issuer with ${key.alg}`);
  const claims = validateJson(certificateClaimsSchema, written);
  if (!claims.ok) return fail('CERTIFICATE_INVALID', claimMessage(claims));
  const spans = parseCredentialNumbers(claims.value.nums);
  if (!spans.ok) return fail('CERTIFICATE_INVALID', `has a claim that is not valid: "nums" ${spans.message}`);
  const { nbf, exp, iat, status } = claims.value;
  if (nbf >= exp) return fail('CERTIFICATE_INVALID', 'ends before it begins');
  if (iat > nowS + CLOCK_SKEW_S || nbf > nowS + CLOCK_SKEW_S)
    return fail('CERTIFICATE_NOT_YET_VALID', 'is not valid yet');
  // No leeway for clock skew: a new registration cannot have an end that has passed here.
  if (exp <= nowS) return fail('CERTIFICATE_EXPIRED', 'has expired');
  const host = statusHostOf(status.status_list.uri);
  if (host === null || !issuer.statusHosts.includes(host))
    return fail('CERTIFICATE_INVALID', 'names a status list on a host that does not belong to its issuer');
  if (!isWithin(spans.value, issuer.spans))
    return fail('CERTIFICATE_MISMATCH', 'names numbers that its issuer may not speak for');
  return ok({ digest: await digestOf(text), claims: claims.value, spans: spans.value });
}

/** Verifies that the holder of the key wants this organisation to register the certificate. */
export async function verifyProof(
  text: string,
  key: CredentialKey,
  { claims, digest }: VerifiedCertificate,
  organisation: string,
  nowS: number,
): Promise<Result<null, Failure<'PROOF_INVALID'>>> {
  if ((await thumbprintOf(key)) !== claims.cnf.jkt)
    return fail(
      'PROOF_INVALID',
      'cannot belong to the certificate: the "cnf.jkt" of the certificate names another key',
    );
  const jws = parseJws(text, PROOF_TYPE);
  if (!jws.ok) return fail('PROOF_INVALID', jws.message);
  if (!(await isSignedBy(jws.value, key)))
    return fail('PROOF_INVALID', `is not signed by that key with ${key.alg}`);
  const proof = validateJson(proofClaimsSchema, jws.value.claims);
  if (!proof.ok) return fail('PROOF_INVALID', claimMessage(proof));
  const { aud, iat, crt } = proof.value;
  if (aud !== organisation) return fail('PROOF_INVALID', 'is for another organisation in "aud"');
  if (crt !== digest) return fail('PROOF_INVALID', 'is for another certificate in "crt"');
  if (iat > nowS + CLOCK_SKEW_S || iat < nowS - PROOF_AGE_MAX_S - CLOCK_SKEW_S)
    return fail('PROOF_INVALID', `must have been signed within the last ${PROOF_AGE_MAX_S / 60} minutes`);
  return ok(null);
}
