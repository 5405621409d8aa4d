/**
 * Limits of the edge: what an isolate keeps, how often it reads, how long it waits.
 */

/** Block records in one KV value: about 5 MB. */
export const RECORDS_PER_VALUE_MAX = 20_000;
/** How long block records are buffered before a write, in ms. */
export const RECORDS_WAIT_MS = 1_000;
/** Retention of block records, in seconds: one year. */
export const RECORDS_KEPT_SECONDS = 31_536_000;

/** Mean time between polls of the head by one isolate, in ms: each interval varies by JITTER_SHARE. */
export const HEAD_FRESH_MS = 5_000;
/** Time since the last successful poll after which a request waits for one, in ms: no traffic caused a poll. */
export const HEAD_WAIT_MS = 15_000;
/** Jitter of an isolate's poll, as a share either way, so that isolates do not poll together. */
export const JITTER_SHARE = 0.2;
/** Retry delay of an isolate that finds another one polling, in ms. */
export const CLAIM_RETRY_MS = 1_000;
/** Expiry of a claim to poll, in seconds: its holder may have died. */
export const CLAIM_SECONDS = 2;
/** How long the data centre's cache keeps a copy of the head, in seconds, even when it is old. */
export const CACHED_HEAD_SECONDS = 600;
/** Longest wait for the coordinator while a request waits, in ms. It leaves time to read KV instead. */
export const COORDINATOR_WAIT_MS = 1_500;
/** Longest wait for the coordinator in the background, in ms: late is better than from KV. */
export const COORDINATOR_BACKGROUND_WAIT_MS = 5_000;
/** Consecutive failures of the coordinator after which an isolate stops calling it for a while. */
export const BREAKER_FAILURES = 2;
/** How long it stops, at first and at most, in ms. */
export const BREAKER_MIN_MS = 10_000;
export const BREAKER_MAX_MS = 30_000;
/**
 * An unknown key is looked up in a head no older than this, in ms. An isolate refreshes the head for unknown
 * keys at most once in this time, however many there are.
 */
export const KEY_FRESH_MS = 1_000;
/** How long a refused key is not looked up again, in ms. By then a poll is due anyway. */
export const KEY_REFUSED_MS = 5_000;
/** Refused keys that an isolate caches: at most 0.3 MB. Above the limit, it clears the cache. */
export const KEYS_REFUSED_MAX = 1_024;
/** A head older than this is reported as `stale`, in ms. */
export const HEAD_STALE_MS = 60_000;
/** Longest wait of one request for data that it needs to respond, in ms. */
export const LOAD_WAIT_MS = 2_000;
/** Pause after a failed load before the next attempt, in ms. */
export const LOAD_BACKOFF_MS = 1_000;
/** Concurrent KV reads of one request. Further reads queue, as on the platform. */
export const READS_AT_ONCE = 6;
/** Concurrent reads among those that no request waits for. */
export const WARM_READS_AT_ONCE = 4;
/** How long the same batch or stream does not wait again for data that failed to load, in ms. */
export const RUN_BACKOFF_MS = 10_000;
/** How long `/healthz` waits before it retries a failed value, in ms: it is public, and reads cost money. */
export const HEALTH_RETRY_MS = 10_000;
/** KV keys of missing values that one response names: each has some 40 characters. */
export const MISSING_NAMED_MAX = 100;
/** Retry delay of a request that finds no room for its shards, in ms: other requests finish soon. */
export const ROOM_RETRY_MS = 10;
/** `cacheTtl` of mutable KV keys, in seconds: the minimum of Workers KV. */
export const KV_MUTABLE_TTL_SECONDS = 30;
/** `cacheTtl` of immutable KV keys, in seconds. */
export const KV_IMMUTABLE_TTL_SECONDS = 86_400;
