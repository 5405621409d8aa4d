/**
 * Authenticates clients by `Authorization: Bearer <id>.<secret>`. Only the SHA-256 of a secret is stored.
 * Digests are compared in constant time, and an unknown id takes as long as a wrong secret. Verified keys are
 * cached, so a repeated key needs one string lookup and no digest.
 */
import { toHex } from '../../shared/bytes.ts';
import type { Client, Right } from '../../shared/clients.ts';
import {
  AUTHORIZATION_CHARS_MAX,
  KEY_REFUSED_MS,
  KEYS_REFUSED_MAX,
  VERIFIED_KEYS_MAX,
} from '../../shared/limits.ts';
import { type Problem, problem } from '../http/reply.ts';

/** The digest to compare with when the id is unknown. */
const NOBODY = ['0'.repeat(64)];

const challenge = { 'www-authenticate': 'Bearer realm="numgate"' };

/** The id and secret of the bearer key, or two empty strings if there is none. */
export function bearerOf(request: Request): [id: string, secret: string] {
  return keyIn(request.headers.get('authorization') ?? '');
}

function keyIn(header: string): [id: string, secret: string] {
  if (header.length > AUTHORIZATION_CHARS_MAX) return ['', ''];
  const [, id = '', secret = ''] = /^Bearer ([a-z0-9-]+)\.([\w-]+)$/i.exec(header) ?? [];
  return [id, secret];
}

type Directory = ReadonlyMap<string, Client>;
export type Authenticated = { readonly client: Client } | { readonly problem: Problem };

/**
 * Authorization headers with a verified key and their clients, per directory. When a directory is dropped, so
 * are its cached keys.
 */
const verified = new WeakMap<Directory, Map<string, Client>>();

/** Synchronous if the key is cached. */
export function authenticate(
  request: Request,
  clients: Directory,
  right: Right,
): Authenticated | Promise<Authenticated> {
  const header = request.headers.get('authorization') ?? '';
  const known = verified.get(clients)?.get(header);
  return known === undefined ? verify(header, clients, right) : withRight(known, right);
}

async function verify(header: string, clients: Directory, right: Right): Promise<Authenticated> {
  const [id, secret] = keyIn(header);
  const client = clients.get(id);
  const known = await matches(secret, client?.secretSha256);
  if (client === undefined || !known) {
    const message = header === '' ? 'send Authorization: Bearer <client key>' : 'the client key is not known';
    return { problem: problem('UNAUTHENTICATED', message, { headers: challenge }) };
  }
  remember(header, client, clients);
  return withRight(client, right);
}

/** Caches only verified keys, so invalid keys use no memory. */
function remember(header: string, client: Client, clients: Directory): void {
  const headers = verified.get(clients) ?? new Map<string, Client>();
  verified.set(clients, headers);
  if (headers.size >= VERIFIED_KEYS_MAX) headers.clear();
  headers.set(header, client);
}

/**
 * Keys that were refused recently. The same key is refused again without checking for a newer head, so a
 * wrong key does not load the coordinator.
 */
export class RefusedKeys {
  readonly #until = new Map<string, number>();

  get size(): number {
    return this.#until.size;
  }

  /** @param now ms since 1970 */
  has(key: string, now: number): boolean {
    return now < (this.#until.get(key) ?? 0);
  }

  add(key: string, now: number): void {
    if (this.#until.size >= KEYS_REFUSED_MAX) this.#until.clear();
    this.#until.set(key, now + KEY_REFUSED_MS);
  }
}

function withRight(client: Client, right: Right): Authenticated {
  if (client.rights.includes(right)) return { client };
  return { problem: problem('PERMISSION_DENIED', `the client key does not have the right "${right}"`) };
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
