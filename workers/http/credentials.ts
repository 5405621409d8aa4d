/**
 * Bearer credentials `<id>.<secret>`, of clients and of admins. Only the SHA-256 of a secret is stored, and
 * digests are compared in constant time.
 */
import { toHex } from '../../shared/bytes.ts';
import { AUTHORIZATION_CHARS_MAX } from '../../shared/limits/requests.ts';

/** The digest to compare with if none is stored. */
const NOBODY = ['0'.repeat(64)];

/** The id and secret of the bearer key, or two empty strings if there is none. */
export function bearerOf(request: Request): [id: string, secret: string] {
  const header = request.headers.get('authorization') ?? '';
  if (header.length > AUTHORIZATION_CHARS_MAX) return ['', ''];
  const [, id = '', secret = ''] = /^Bearer ([a-z0-9-]+)\.([\w-]+)$/i.exec(header) ?? [];
  return [id, secret];
}

/**
 * Whether the secret matches one of the digests (SHA-256, hex). Takes the same time if there are no digests.
 */
export async function matches(secret: string, digests: readonly string[] = []): Promise<boolean> {
  const encoder = new TextEncoder();
  const digest = await crypto.subtle.digest('SHA-256', encoder.encode(secret));
  const given = encoder.encode(toHex(new Uint8Array(digest)));
  // No early exit: the timing must not reveal which digest matched.
  let match = false;
  for (const stored of digests.length === 0 ? NOBODY : digests)
    match = crypto.subtle.timingSafeEqual(given, encoder.encode(stored)) || match;
  return match;
}
