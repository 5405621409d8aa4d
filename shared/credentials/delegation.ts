/**
 * Verifies delegations: a principal's signed statement that an agent may send for it from some of its numbers.
 */
import { CLOCK_SKEW_S } from '../limits/credentials.ts';
import type { Span } from '../numbers/spans.ts';
import { type Failure, fail, ok, type Result } from '../result.ts';
import { validateJson } from '../validate-json.ts';
import { claimMessage } from './certificate.ts';
import { DELEGATION_TYPE, type DelegationClaims, delegationClaimsSchema } from './claims.ts';
import { isWithin, parseCredentialNumbers } from './credential-numbers.ts';
import type { CredentialRow } from './credential-table.ts';
import { isSignedBy, parseJws } from './jws.ts';
import { digestOf, thumbprintOf } from './keys.ts';

export interface VerifiedDelegation {
  /** SHA-256 of the compact JWS, in base64url. */
  readonly digest: string;
  readonly claims: DelegationClaims;
  readonly spans: readonly Span[];
}

/** In this order: bad signature or claim; expired; numbers or scope beyond those of the principal. */
export type DelegationProblem = 'DELEGATION_INVALID' | 'DELEGATION_EXPIRED' | 'DELEGATION_MISMATCH';

/**
 * Verifies a delegation against the principal's own link, but not the status of either. The caller must check that no
 * organisation is in the chain twice. Messages continue a sentence that begins with the name of the field.
 */
export async function verifyDelegation(
  text: string,
  principal: Pick<CredentialRow, 'digest' | 'organisation' | 'key' | 'spans' | 'kind' | 'scope'>,
  nowS: number,
): Promise<Result<VerifiedDelegation, Failure<DelegationProblem>>> {
  const jws = parseJws(text, DELEGATION_TYPE);
  if (!jws.ok) return fail('DELEGATION_INVALID', jws.message);
  if (jws.value.header.kid !== (await thumbprintOf(principal.key)))
    return fail('DELEGATION_INVALID', 'must name the key of the principal by its thumbprint in "kid"');
  if (!(await isSignedBy(jws.value, principal.key)))
    return fail('DELEGATION_INVALID', `is not signed by the key of the principal with ${principal.key.alg}`);
  const claims = validateJson(delegationClaimsSchema, jws.value.claims);
  if (!claims.ok) return fail('DELEGATION_INVALID', claimMessage(claims));
  const { iss, sub, prn, nums, scope, iat, nbf, exp } = claims.value;
  if (iss !== principal.organisation || prn !== principal.digest)
    return fail('DELEGATION_INVALID', 'does not name the principal and its link in "iss" and "prn"');
  if (sub === iss) return fail('DELEGATION_INVALID', 'delegates to the principal itself');
  if (nbf >= exp) return fail('DELEGATION_INVALID', 'ends before it begins');
  if (iat > nowS + CLOCK_SKEW_S) return fail('DELEGATION_INVALID', 'was signed in the future');
  if (exp <= nowS - CLOCK_SKEW_S) return fail('DELEGATION_EXPIRED', 'has expired');
  const spans = parseCredentialNumbers(nums);
  if (!spans.ok) return fail('DELEGATION_INVALID', `has a claim that is not valid: "nums" ${spans.message}`);
  if (!isWithin(spans.value, principal.spans))
    return fail('DELEGATION_MISMATCH', 'names numbers that the principal may not use');
  if (principal.kind === 'delegation' && !scope.every((each) => principal.scope.includes(each)))
    return fail('DELEGATION_MISMATCH', 'permits more in "scope" than the principal has');
  return ok({ digest: await digestOf(text), claims: claims.value, spans: spans.value });
}
