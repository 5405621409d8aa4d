/**
 * Message tokens. A token is the signed statement that a client may send from one number now, with the digests of its
 * chain of credentials. The signature is verified once. The time, the client and the status of credentials are checked
 * for every message (chain.ts).
 */
import { CLOCK_SKEW_S, TOKEN_LIFE_MAX_S } from '../limits/credentials.ts';
import { type Failure, fail, ok, type Result } from '../result.ts';
import { validateJson } from '../validate-json.ts';
import type { Code } from '../verdict.ts';
import { claimMessage } from './certificate.ts';
import { TOKEN_TYPE, tokenClaimsSchema } from './claims.ts';
import type { CredentialRow } from './credential-table.ts';
import { isSignedBy, type Jws, parseJws } from './jws.ts';
import { type CredentialKey, thumbprintOf } from './keys.ts';

/** A well-formed message token. Times are in seconds since 1970. */
export interface SenderToken {
  /** An organisation, or `<organisation>/<client>`. */
  readonly audience: string;
  /** Valid from this time on. */
  readonly from: number;
  /** End of validity, exclusive. */
  readonly until: number;
  /** E.164 integer. */
  readonly number: number;
  /** The code of the original sender; null if the token does not name it. */
  readonly senderCode: string | null;
  /** Digests of the links, from the owner's link on. */
  readonly chain: readonly string[];
}

/** A message token with an unverified signature. */
export interface WrittenToken {
  readonly jws: Jws;
  readonly token: SenderToken;
}

/** Parses a message token, but does not verify its signature. */
export function parseSenderToken(text: string): Result<WrittenToken, Failure<'TOKEN_INVALID'>> {
  const jws = parseJws(text, TOKEN_TYPE);
  if (!jws.ok) return fail('TOKEN_INVALID', jws.message);
  const claims = validateJson(tokenClaimsSchema, jws.value.claims);
  if (!claims.ok) return fail('TOKEN_INVALID', claimMessage(claims));
  const { aud, iat, nbf = iat, exp, orig, osc, chain } = claims.value;
  if (exp <= iat || exp - iat > TOKEN_LIFE_MAX_S)
    return fail(
      'TOKEN_INVALID',
      `must have "exp" after "iat", and at most ${TOKEN_LIFE_MAX_S / 60} minutes later`,
    );
  const token = {
    audience: aud,
    from: Math.max(iat, nbf) - CLOCK_SKEW_S,
    until: exp + CLOCK_SKEW_S,
    number: Number(orig.tn),
    senderCode: osc ?? null,
    chain,
  };
  return ok({ jws: jws.value, token });
}

/** Whether `key`, which is the key of the last link, signed the token, and the token names it. */
export async function isTokenSignedBy({ jws }: WrittenToken, key: CredentialKey): Promise<boolean> {
  return jws.header.kid === (await thumbprintOf(key)) && (await isSignedBy(jws, key));
}

/** The result of verifying a token. Only with `verified` is the signature good. */
export type TokenVerification =
  | {
      readonly kind: 'verified';
      readonly token: SenderToken;
      /** Owner first. */
      readonly links: readonly CredentialRow[];
    }
  | ({ readonly kind: 'refused' } & TokenProblem)
  /** A part of the credential table is not loaded. */
  | { readonly kind: 'unavailable' };

/** Why a token does not permit a message. */
export interface TokenProblem {
  readonly code: Code;
  /** Continues a sentence that begins with "senderToken". Contains no value of a claim. */
  readonly detail: string;
}

export const EXPIRED = fail('TOKEN_EXPIRED', 'has expired: sign a new one');
