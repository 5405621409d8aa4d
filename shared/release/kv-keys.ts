/**
 * Every key in Workers KV, and the only place that knows them.
 * `shard/…` and `release/…` are immutable; `head` and `clients` are replaced. See docs/architecture.md.
 */

/** The current head: see head.ts. */
export const HEAD_KEY = 'head';
/** The client directory: see clients.ts. */
export const CLIENTS_KEY = 'clients';

/** @param sha256 hex digest of the value: equal content has an equal key, so it is uploaded once */
export function shardKey(sha256: string): string {
  return `shard/${sha256.slice(0, 32)}`;
}

/** The signed manifest of a release, kept for rollback. */
export function releaseKey(release: string): string {
  return `release/${release}`;
}
