/**
 * Who comes through Cloudflare Access: its signed token is verified here too, so that a way around
 * Access is no way in. (Cloudflare docs, "Validate JWTs".)
 */
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { type Actor, SCOPES } from '../../shared/admin.ts';
import type { ControlEnv } from '../env.ts';
import { type Problem, problem } from '../http.ts';

export const CHALLENGE = { 'www-authenticate': 'Bearer realm="numgate admin"' };

/** The keys of a team, kept for the life of the isolate; jose asks again when a key is not among them. */
const keySets = new Map<string, ReturnType<typeof createRemoteJWKSet>>();

function keysOf(team: string): ReturnType<typeof createRemoteJWKSet> {
  const known = keySets.get(team) ?? createRemoteJWKSet(new URL('/cdn-cgi/access/certs', team));
  keySets.set(team, known);
  return known;
}

/** @returns null where Access is not configured, or the request did not come through it */
export async function accessActor(
  request: Request,
  { ACCESS_TEAM: team, ACCESS_AUDIENCE: audience, ACCESS_SCOPES: scopes = 'read' }: ControlEnv,
): Promise<Actor | Problem | null> {
  const token = request.headers.get('cf-access-jwt-assertion');
  if (token === null || team === undefined || audience === undefined) return null;
  try {
    const { payload } = await jwtVerify(token, keysOf(team), {
      issuer: team,
      audience,
      algorithms: ['RS256'],
    });
    // A person has an email, a service token a common name.
    const who = payload.email ?? payload.common_name;
    if (typeof who !== 'string' || who === '') throw new Error('the token names nobody');
    const given = scopes.split(',').map((scope) => scope.trim());
    return {
      name: `access:${who}`,
      scopes: SCOPES.filter((scope) => given.includes(scope)),
      authority: 'access',
      root: false,
    };
  } catch {
    return problem('UNAUTHENTICATED', 'the Cloudflare Access token is not valid here', {
      headers: CHALLENGE,
    });
  }
}
