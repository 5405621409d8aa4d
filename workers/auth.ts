/**
 * Who asks: `Authorization: Bearer <id>.<secret>`. Only the SHA-256 of a secret is stored; digests are
 * compared in constant time, and an unknown id costs the same as a wrong secret.
 */
import { toHex } from '../shared/bytes.ts';
import type { Client, Right } from '../shared/clients.ts';
import { AUTHORIZATION_CHARS_MAX } from '../shared/limits.ts';
import { type Problem, problem } from './http.ts';

/** Compared against when the id is unknown. */
const NOBODY = ['0'.repeat(64)];

const challenge = { 'www-authenticate': 'Bearer realm="numgate"' };

/** The id and the secret in the request's key; empty where there is none. */
export function bearerOf(request: Request): [id: string, secret: string] {
  const header = request.headers.get('authorization') ?? '';
  const [, id = '', secret = ''] =
    /^Bearer ([a-z0-9-]+)\.([\w-]+)$/i.exec(header.slice(0, AUTHORIZATION_CHARS_MAX)) ?? [];
  return [id, secret];
}

export async function authenticate(
  request: Request,
  clients: ReadonlyMap<string, Client>,
  right: Right,
): Promise<{ client: Client } | { problem: Problem }> {
  const header = request.headers.get('authorization') ?? '';
  const [id, secret] = bearerOf(request);
  const client = clients.get(id);
  const known = await matches(secret, client?.secretSha256 ?? NOBODY);
  if (client === undefined || !known) {
    const message = header === '' ? 'send Authorization: Bearer <client key>' : 'the client key is not known';
    return { problem: problem('UNAUTHENTICATED', message, { headers: challenge }) };
  }
  if (!client.rights.includes(right)) {
    return { problem: problem('PERMISSION_DENIED', `the client key does not have the right "${right}"`) };
  }
  return { client };
}

/** Whether the secret has one of the digests (SHA-256, hex). */
export async function matches(secret: string, digests: readonly string[]): Promise<boolean> {
  const encoder = new TextEncoder();
  const digest = await crypto.subtle.digest('SHA-256', encoder.encode(secret));
  const given = encoder.encode(toHex(new Uint8Array(digest)));
  // No early end: which of two secrets matched is nobody's business.
  let match = false;
  for (const stored of digests) match = crypto.subtle.timingSafeEqual(given, encoder.encode(stored)) || match;
  return match;
}
