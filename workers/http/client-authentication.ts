/**
 * Authenticates clients by `Authorization: Bearer <id>.<secret>`. An unknown id takes as long as a wrong
 * secret. Verified keys are cached, so a repeated key needs one string lookup and no digest.
 */
import type { Client, Right } from '../../shared/clients.ts';
import { isConditional } from '../../shared/key-conditions.ts';
import { KEY_REFUSED_MS, KEYS_REFUSED_MAX } from '../../shared/limits/edge.ts';
import { VERIFIED_KEYS_MAX } from '../../shared/limits/requests.ts';
import { ok, type Result } from '../../shared/result.ts';
import type { Env } from '../env.ts';
import { bearerOf, matches } from './credentials.ts';
import type { FailedBy } from './failed-authentications.ts';
import { unmetBy, unmetProblem } from './key-conditions.ts';
import { type Problem, problem } from './reply.ts';

const CHALLENGE = { 'www-authenticate': 'Bearer realm="numgate"' };

export type Directory = ReadonlyMap<string, Client>;

/** `right`: the key is valid, but only for other routes. `missing`: there is no key. */
export interface RefusedKey extends Problem {
  readonly by: FailedBy | 'right' | 'missing';
}

/**
 * Authorization headers with a verified key and their clients, per directory. When a directory is dropped, so are its
 * cached keys. Keys with conditions have a separate cache, so that other keys do not pay for checking conditions.
 */
const verified = new WeakMap<Directory, Map<string, Client>>();
const verifiedConditional = new WeakMap<Directory, Map<string, Client>>();

/** The client, if its key is known, meets its conditions and has this right. */
export async function authenticate(
  request: Request,
  clients: Directory,
  right: Right,
  env: Pick<Env, 'PLATFORM'>,
): Promise<Result<Client, RefusedKey>> {
  const cached = authenticateInMemory(request, clients, right);
  if (cached !== null) return cached;
  const header = headerOf(request);
  const client = verifiedConditional.get(clients)?.get(header) ?? (await verify(request, header, clients));
  if (client === null) {
    const message =
      header === ''
        ? 'send Authorization: Bearer <client key>'
        : `the client key is not valid${orRight(right)}`;
    const by = header === '' ? 'missing' : 'secret';
    return { ...problem('UNAUTHENTICATED', message, { headers: CHALLENGE }), by };
  }
  // Only the secret is cached as verified: time, address and certificate belong to each request.
  const unmet = isConditional(client) ? unmetBy(request, env, client, Date.now()) : null;
  if (unmet === null) return withRight(client, right);
  return { ...unmetProblem(unmet, client, 'client key', CHALLENGE), by: unmet };
}

/** Like `authenticate`, but null unless the key is cached as verified and has no conditions. */
export function authenticateInMemory(
  request: Request,
  clients: Directory,
  right: Right,
): Result<Client, RefusedKey> | null {
  const client = verified.get(clients)?.get(headerOf(request));
  return client === undefined ? null : withRight(client, right);
}

/** Completes the message for other routes, whose directories contain only clients with the right. */
function orRight(right: Right): string {
  return right === 'check' || right === 'gateway' ? '' : `, or its client does not have the right "${right}"`;
}

function headerOf(request: Request): string {
  return request.headers.get('authorization') ?? '';
}

function withRight(client: Client, right: Right): Result<Client, RefusedKey> {
  if (client.rights.includes(right)) return ok(client);
  const message = `the client key does not have the right "${right}"`;
  return { ...problem('PERMISSION_DENIED', message), by: 'right' };
}

async function verify(request: Request, header: string, clients: Directory): Promise<Client | null> {
  const [id, secret] = bearerOf(request);
  const client = clients.get(id);
  const isKnown = await matches(secret, client?.secretSha256);
  if (client === undefined || !isKnown) return null;
  // Cache only verified keys, so that invalid keys use no memory.
  const cache = isConditional(client) ? verifiedConditional : verified;
  const headers = cache.get(clients) ?? new Map<string, Client>();
  cache.set(clients, headers);
  if (headers.size >= VERIFIED_KEYS_MAX) headers.clear();
  headers.set(header, client);
  return client;
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
