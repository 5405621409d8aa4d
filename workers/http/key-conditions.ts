/**
 * Checks the conditions of a key against its request. Only Cloudflare vouches for the address and the client
 * certificate of a request, and only a deployment knows that Cloudflare is in front of it: wrangler.toml sets
 * PLATFORM. Nothing in the request proves it, because a client of the plain runtime can send every header.
 */

import { fieldError } from '../../shared/fields.ts';
import {
  type KeyConditions,
  type Observed,
  type Unmet,
  unmetCondition,
} from '../../shared/key-conditions.ts';
import type { Env } from '../env.ts';
import { type Problem, problem } from './reply.ts';

export function isObserved({ PLATFORM }: Pick<Env, 'PLATFORM'>): boolean {
  return PLATFORM === 'cloudflare';
}

/** What Cloudflare observed about this request; null without Cloudflare in front. */
function observedOf(request: Request, env: Pick<Env, 'PLATFORM'>): Observed | null {
  if (!isObserved(env)) return null;
  const { tlsClientAuth: tls } = (request.cf ?? {}) as {
    readonly tlsClientAuth?: Partial<IncomingRequestCfPropertiesTLSClientAuth>;
  };
  const isVerified = tls?.certPresented === '1' && tls.certVerified === 'SUCCESS' && tls.certRevoked === '0';
  const certificateSha256 = isVerified ? (tls.certFingerprintSHA256?.toLowerCase() ?? null) : null;
  return { address: request.headers.get('cf-connecting-ip'), certificateSha256 };
}

/** The address that the request came from, or an empty string if nobody vouches for one. */
export function addressOf(request: Request, env: Pick<Env, 'PLATFORM'>): string {
  return observedOf(request, env)?.address ?? '';
}

/** The condition that this request does not meet: see `isConditional`. @param now ms since 1970 */
export function unmetBy(
  request: Request,
  env: Pick<Env, 'PLATFORM'>,
  key: KeyConditions,
  now: number,
): Unmet | null {
  return unmetCondition(key, now, observedOf(request, env));
}

/** @param noun `client key` or `admin token` @param headers for a 401 */
export function unmetProblem(
  unmet: Unmet,
  { expires }: KeyConditions,
  noun: string,
  headers: Record<string, string>,
): Problem {
  switch (unmet) {
    case 'expired':
      return problem('UNAUTHENTICATED', `the ${noun} expired at ${expires}: ask for a new one`, { headers });
    case 'address':
      return problem('PERMISSION_DENIED', `the ${noun} may not be used from this address`);
    case 'certificate':
      return problem('PERMISSION_DENIED', `the ${noun} needs its client certificate`);
    case 'unobserved': {
      const reason = 'has conditions that only a deployment on Cloudflare can check';
      return problem('PERMISSION_DENIED', `the ${noun} ${reason}, with PLATFORM = "cloudflare"`);
    }
  }
}

/** Refuses conditions that this service could not check. @param field the field of the key */
export function checkObservable(
  env: Pick<Env, 'PLATFORM'>,
  { addresses, certificateSha256 }: KeyConditions,
  field: string,
): Problem | null {
  const name =
    addresses !== undefined ? 'addresses' : certificateSha256 !== undefined ? 'certificateSha256' : null;
  if (name === null || isObserved(env)) return null;
  const reason =
    'cannot be checked here: without Cloudflare in front, a client can send any address or certificate';
  const remedy = 'deploy with PLATFORM = "cloudflare", or filter in a proxy of your own';
  return fieldError('FIELD_VALUE', `${field}.${name}`, `${reason}; ${remedy}`);
}
