/**
 * Authenticates admins who come through Cloudflare Access. The Worker verifies the signed token itself, so a
 * request that bypasses Access is not admitted. (Cloudflare docs, "Validate JWTs".)
 */

import { createRemoteJWKSet, jwtVerify } from 'jose';
import type { Actor } from '../../shared/admin/actor.ts';
import { DEFAULT_ORGANISATION } from '../../shared/organisations.ts';
import { ok, type Result } from '../../shared/result.ts';
import { SCOPES } from '../../shared/roles.ts';
import type { ControlEnv } from '../env.ts';
import { type Problem, problem } from '../http/reply.ts';

export const CHALLENGE = { 'www-authenticate': 'Bearer realm="numgate admin"' };

/** Key sets by team, kept for the life of the isolate. jose fetches a set again when a key is not in it. */
const keySets = new Map<string, ReturnType<typeof createRemoteJWKSet>>();

function keysOf(team: string): ReturnType<typeof createRemoteJWKSet> {
  const known = keySets.get(team) ?? createRemoteJWKSet(new URL('/cdn-cgi/access/certs', team));
  keySets.set(team, known);
  return known;
}

/** A person or service that came through Access. The organisation is only named here, not looked up yet. */
export type AccessIdentity = Pick<Actor, 'name' | 'scopes'> & { readonly organisation: string };

/** @returns null if Access is not configured, or the request did not come through it */
export async function accessIdentity(
  request: Request,
  {
    ACCESS_TEAM: team,
    ACCESS_AUDIENCE: audience,
    ACCESS_SCOPES: scopes = 'read',
    ACCESS_ORGANISATION: organisation = DEFAULT_ORGANISATION,
  }: ControlEnv,
): Promise<Result<AccessIdentity, Problem> | null> {
  const token = request.headers.get('cf-access-jwt-assertion');
  if (token === null || team === undefined || audience === undefined) return null;
  try {
    const { payload } = await jwtVerify(token, keysOf(team), {
      issuer: team,
      audience,
      algorithms: ['RS256'],
    });
    // A person has an email; a service token has a common name.
    const who = payload.email ?? payload.common_name;
    if (typeof who !== 'string' || who === '') throw new Error('the token names no identity');
    const given = scopes.split(',').map((scope) => scope.trim());
    return ok({
      name: `access:${who}`,
      scopes: SCOPES.filter((scope) => given.includes(scope)),
      organisation,
    });
  } catch {
    return problem('UNAUTHENTICATED', 'the Cloudflare Access token is not valid for this service', {
      headers: CHALLENGE,
    });
  }
}
