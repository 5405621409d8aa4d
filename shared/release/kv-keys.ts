/**
 * All keys in Workers KV. docs/storage.md lists the writer of each key. All values except `head`,
 * `audit/checkpoint` and `staged/…` are immutable. Values of a release and of the head are named by their content.
 */

/** The current head, sealed, with its manifests. Read while the coordinator does not respond. */
export const HEAD_KEY = 'head';

/** Manifests that wait for the coordinator's cron. Putting them here takes wrangler, but no token. */
export const STAGED_PREFIX = 'staged/';
/** Signed manifests. */
export const RELEASE_PREFIX = 'release/';
/** Shards and tables of releases. */
export const SHARD_PREFIX = 'shard/';
/** Sealed segments of the live layer. */
export const SEGMENT_PREFIX = 'live/';
/** Sealed segments of changes to registered senders. */
export const REGISTRATIONS_PREFIX = 'registrations/';
/** Sealed values of the credential store: tables of credentials, status lists, and their index. */
export const CREDENTIALS_PREFIX = 'credentials/';
/** Sealed values of the text store: models, host tables, campaigns, and their index. */
export const TEXT_PREFIX = 'text/';
/** Sealed client directories. */
export const CLIENTS_PREFIX = 'clients/';

/** The newest checkpoint of the audit log, a signed note. */
export const AUDIT_CHECKPOINT_KEY = 'audit/checkpoint';

/** Hex digits of a digest that name a value: 128 bits. */
const DIGEST_CHARS = 32;

/** @param sha256 hex digest of the value: equal content has an equal key and is uploaded once */
export function shardKey(sha256: string): string {
  return SHARD_PREFIX + sha256.slice(0, DIGEST_CHARS);
}

export function segmentKey(sha256: string): string {
  return SEGMENT_PREFIX + sha256.slice(0, DIGEST_CHARS);
}

export function registrationsKey(sha256: string): string {
  return REGISTRATIONS_PREFIX + sha256.slice(0, DIGEST_CHARS);
}

export function credentialsKey(sha256: string): string {
  return CREDENTIALS_PREFIX + sha256.slice(0, DIGEST_CHARS);
}

export function textKey(sha256: string): string {
  return TEXT_PREFIX + sha256.slice(0, DIGEST_CHARS);
}

export function clientsKey(sha256: string): string {
  return CLIENTS_PREFIX + sha256.slice(0, DIGEST_CHARS);
}

export function releaseKey(release: string): string {
  return RELEASE_PREFIX + release;
}

export function stagedKey(release: string): string {
  return STAGED_PREFIX + release;
}

/** Sealed block records. @param at RFC 3339 time of the first record @param id makes the key unique */
export function recordsKey(at: string, id: string): string {
  return `${recordsPrefix(at.slice(0, 10))}${at.slice(11, 19).replaceAll(':', '')}-${id}`;
}

/** @param day UTC, as in 2026-11-24 */
export function recordsPrefix(day: string): string {
  return `${RECORDS_PREFIX}${day}/`;
}

/** Keys of block records, in the order of their time. */
export const RECORDS_PREFIX = 'blocks/';

/** When records were written. @returns UTC, to the second, or null if the key does not name block records */
export function recordsTime(key: string): string | null {
  const [, day, hour, minute, second] = /^blocks\/(\d{4}-\d\d-\d\d)\/(\d\d)(\d\d)(\d\d)-/.exec(key) ?? [];
  return day === undefined ? null : `${day}T${hour}:${minute}:${second}Z`;
}
