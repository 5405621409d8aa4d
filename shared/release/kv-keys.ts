/**
 * All keys in Workers KV. docs/storage.md lists who writes each.
 * All except `head` and `staged/…` are immutable. Values of a release and of the head are named by their
 * content.
 */

/** The current head, sealed, with its manifests. Read while the coordinator does not respond. */
export const HEAD_KEY = 'head';

/** Manifests that wait for the coordinator's cron; wrangler alone can put them here. */
export const STAGED_PREFIX = 'staged/';

/** @param sha256 hex digest of the value: equal content has an equal key and is uploaded once */
export function shardKey(sha256: string): string {
  return `${SHARD_PREFIX}${sha256.slice(0, DIGEST_CHARS)}`;
}
export const SHARD_PREFIX = 'shard/';

/** The signed manifest of a release. */
export function releaseKey(release: string): string {
  return `${RELEASE_PREFIX}${release}`;
}
export const RELEASE_PREFIX = 'release/';

/** A sealed segment of the live layer. */
export function segmentKey(sha256: string): string {
  return `${SEGMENT_PREFIX}${sha256.slice(0, DIGEST_CHARS)}`;
}
export const SEGMENT_PREFIX = 'live/';

/** The sealed client directory. */
export function clientsKey(sha256: string): string {
  return `${CLIENTS_PREFIX}${sha256.slice(0, DIGEST_CHARS)}`;
}
export const CLIENTS_PREFIX = 'clients/';

export function stagedKey(release: string): string {
  return `${STAGED_PREFIX}${release}`;
}

/** Sealed block records. @param at RFC 3339 time of the first @param id makes the key unique */
export function recordsKey(at: string, id: string): string {
  return `${recordsPrefix(at.slice(0, 10))}${at.slice(11, 19).replaceAll(':', '')}-${id}`;
}

/** @param day UTC, as in 2026-11-24 */
export function recordsPrefix(day: string): string {
  return `blocks/${day}/`;
}

/** Hex digits of a digest that name a value: 128 bits. */
const DIGEST_CHARS = 32;
