/**
 * Compact JWS (RFC 7515) for credentials. The verifier knows the key beforehand. The key decides the algorithm, never the
 * header, and nothing in the header names a key, a certificate or a URL.
 */
import { compactVerify } from 'jose';
import { fromBase64Url } from '../bytes.ts';
import { TOKEN_CHARS_MAX } from '../limits/credentials.ts';
import { type Failure, fail, ok, type Result } from '../result.ts';
import { type CredentialKey, importKey } from './keys.ts';
import { repeatsMember } from './repeated-member.ts';

/** A JWS with an unverified signature. */
export interface Jws {
  readonly text: string;
  readonly header: Readonly<Record<string, unknown>>;
  readonly claims: Readonly<Record<string, unknown>>;
}

/** Parameters that would let the signer choose the key, or how the signature is verified. */
const REFUSED_PARAMETERS = ['crit', 'jku', 'x5u', 'jwk', 'x5c', 'b64'] as const;

export type JwsProblem = 'JWS_INVALID';

function invalid(detail: string): Failure<JwsProblem> {
  return fail('JWS_INVALID', detail);
}

/**
 * Base64url in its canonical spelling (RFC 4648, section 3.5). Decoders ignore the unused bits of the last character. If
 * these bits were not zero, several texts would be the same token.
 */
const PART = /^(?=.)(?:[\w-]{4})*(?:[\w-][AQgw]|[\w-]{2}[AEIMQUYcgkosw048])?$/;

/** Decodes the text of one part. Returns null if the part is not base64url of UTF-8. */
function textOf(part: string): string | null {
  const bytes = fromBase64Url(part);
  try {
    return bytes && new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}

/** Parses a JSON object. Returns null if the text is not a JSON object. */
function objectIn(text: string | null): Readonly<Record<string, unknown>> | null {
  try {
    const value = JSON.parse(text ?? '');
    return typeof value === 'object' && !Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}

/**
 * Parses a JWS and checks its form, but not its signature. Messages continue a sentence that begins with the field's name.
 * @param type the `typ` that the header must have
 * @param permitted header parameters to accept, although REFUSED_PARAMETERS has them
 */
export function parseJws(
  text: string,
  type: string,
  charsMax = TOKEN_CHARS_MAX,
  permitted: readonly string[] = [],
): Result<Jws, Failure<JwsProblem>> {
  if (text.length > charsMax) return invalid(`must have at most ${charsMax} characters`);
  const parts = text.split('.');
  if (parts.length !== 3 || !parts.every((part) => PART.test(part)))
    return invalid('must be a compact JWS: three parts in base64url, separated by dots');
  const [headerText, claimsText] = [textOf(parts[0]!), textOf(parts[1]!)];
  const [header, claims] = [objectIn(headerText), objectIn(claimsText)];
  if (header === null || claims === null)
    return invalid('must have a header and claims that are JSON objects');
  if (repeatsMember(headerText!) || repeatsMember(claimsText!))
    return invalid('has a JSON object with the same member twice');
  if (header.typ !== type) return invalid(`must have "typ": "${type}" in its header`);
  const refused = REFUSED_PARAMETERS.find((name) => Object.hasOwn(header, name) && !permitted.includes(name));
  if (refused !== undefined) return invalid(`must not have "${refused}" in its header`);
  return ok({ text, header, claims });
}

/** Whether this key signed the JWS, with the algorithm of the key. */
export async function isSignedBy({ text, header }: Jws, key: CredentialKey): Promise<boolean> {
  if (header.alg !== key.alg) return false;
  const imported = await importKey(key);
  if (imported === null) return false;
  return compactVerify(text, imported, { algorithms: [key.alg] }).then(
    () => true,
    () => false,
  );
}
