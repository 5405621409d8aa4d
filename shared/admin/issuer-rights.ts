/**
 * Derives from an issuer's document what it may sign: keys, numbers, hosts of status lists.
 */

import type { IssuerRights } from '../credentials/certificate.ts';
import { type CredentialKey, importKey, keyOfJwk, thumbprintOf } from '../credentials/keys.ts';
import { NUMBER_LIMIT } from '../numbers/number.ts';
import { KR_OPERATOR_RANGES } from '../numbers/operator-ranges.ts';
import { cover, type Span } from '../numbers/spans.ts';
import { type Failure, ok, type Result } from '../result.ts';
import type { Issuer } from './credentials.ts';

export interface OpenedIssuer extends IssuerRights {
  /** Thumbprints of the issuer's keys (RFC 7638). */
  readonly thumbprints: ReadonlySet<string>;
}

export interface IssuerProblem extends Failure<'FIELD_VALUE'> {
  readonly field: string;
}

export const OPERATOR_NAMES: readonly string[] = [
  ...new Set(KR_OPERATOR_RANGES.map(({ operator }) => operator)),
].sort();

/** Validates the document and imports its keys. The message of a failure names the field. */
export async function openIssuer(issuer: Issuer): Promise<Result<OpenedIssuer, IssuerProblem>> {
  const keys = new Map<string, CredentialKey>();
  const thumbprints = new Set<string>();
  for (const [index, jwk] of issuer.keys.keys.entries()) {
    const field = `issuer.keys.keys.${index}`;
    const key = keyOfJwk(jwk);
    if (key === null || (await importKey(key)) === null)
      return wrong(field, 'is not a valid key of its curve');
    if (keys.has(jwk.kid!)) return wrong(field, 'has the "kid" of another key');
    const thumbprint = await thumbprintOf(key);
    if (thumbprints.has(thumbprint)) return wrong(field, 'is the same key as another one');
    thumbprints.add(thumbprint);
    keys.set(jwk.kid!, key);
  }
  const unknown = issuer.operators.findIndex((name) => !OPERATOR_NAMES.includes(name));
  if (unknown >= 0)
    return wrong(`issuer.operators.${unknown}`, `must be one of ${OPERATOR_NAMES.join(', ')}`);
  const spans: Span[] = KR_OPERATOR_RANGES.filter(({ operator }) => issuer.operators.includes(operator));
  for (const [index, text] of issuer.numbers.entries()) {
    const [from, to = from] = text.split('..').map(Number) as [number, number?];
    if (from > to || to >= NUMBER_LIMIT)
      return wrong(`issuer.numbers.${index}`, 'must begin with its lowest number');
    spans.push({ from, to });
  }
  if (spans.length === 0)
    return wrong('issuer.numbers', 'must not be empty, unless "operators" names an operator with numbers');
  spans.sort((one, other) => one.from - other.from);
  const { iss, statusHosts } = issuer;
  return ok({ iss, keys, thumbprints, spans: cover(spans), statusHosts });
}

function wrong(field: string, message: string): IssuerProblem {
  return { ok: false, code: 'FIELD_VALUE', field, message: `"${field}" ${message}` };
}
