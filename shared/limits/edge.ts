/**
 * Limits of the edge: how much an isolate keeps, how often it reads, how long it waits.
 */

/** Block records in one KV value: about 5 MB. */
export const RECORDS_PER_VALUE_MAX = 20_000;
/** How long block records are buffered before a write, in ms. */
export const RECORDS_WAIT_MS = 1_000;
/** Retention of block records, in seconds: one year. */
export const RECORDS_KEPT_SECONDS = 31_536_000;
/** Block records of one client per UTC day, in bytes: some 3 million. A year of them costs $200 a month in KV. */
export const RECORD_BYTES_PER_DAY_MAX = 1_073_741_824;

/**
 * Mean time from the first count to its flush, in ms. Each interval varies by JITTER_SHARE. `waitUntil` allows 30 s
 * after the answer, with a second attempt. An isolate that ends loses at most the counts of this time.
 */
export const USAGE_FLUSH_MS = 15_000;
/** Longest wait for the answer to a flush, in ms. */
export const USAGE_WAIT_MS = 3_000;
/** First and longest pause before a flush is sent again, in ms. The pause doubles with each failure. */
export const USAGE_BACKOFF_MS = 2_000;
export const USAGE_BACKOFF_MAX_MS = 300_000;
/** How long a flush is retried before it is given up, in ms. Less than USAGE_FLUSHES_KEPT_MS. */
export const USAGE_RETRIED_MS = 600_000;
/** Names of one dimension that one isolate counts per client and hour. All further names are counted together. */
export const USAGE_NAMES_MAX = 64;
/** Hours of one client that an isolate holds while it cannot send: some 10 KB each at most. */
export const USAGE_WAITING_MAX = 4;
/** Clients that an isolate counts at once: some 25 MB while nothing can be sent. */
export const USAGE_CLIENTS_MAX = 500;

/** Mean time between polls of the head by one isolate, in ms. Each interval varies by JITTER_SHARE. */
export const HEAD_FRESH_MS = 5_000;
/** Time since the last successful poll after which a request waits for a poll, in ms. Without traffic, nothing polls. */
export const HEAD_WAIT_MS = 15_000;
/** Jitter of an isolate's poll, as a share in either direction, so that isolates do not poll together. */
export const JITTER_SHARE = 0.2;
/** Retry delay of an isolate that finds another isolate polling, in ms. */
export const CLAIM_RETRY_MS = 1_000;
/** Expiry of a claim to poll, in seconds: its holder may have died. */
export const CLAIM_SECONDS = 2;
/** How long the data centre's cache keeps a copy of the head, in seconds, even when it is old. */
export const CACHED_HEAD_SECONDS = 600;
/** Longest wait for the coordinator while a request waits, in ms. It leaves time to read KV instead. */
export const COORDINATOR_WAIT_MS = 1_500;
/** Longest wait for the coordinator in the background, in ms. A late head is better than one from KV. */
export const COORDINATOR_BACKGROUND_WAIT_MS = 5_000;
/** Consecutive failures of the coordinator after which an isolate stops calling it for a while. */
export const BREAKER_FAILURES = 2;
/** How long an isolate then stops calling the coordinator, at first and at most, in ms. */
export const BREAKER_MIN_MS = 10_000;
export const BREAKER_MAX_MS = 30_000;
/**
 * An unknown key is looked up in a head no older than this, in ms. An isolate refreshes the head for unknown
 * keys at most once in this time, however many keys there are.
 */
export const KEY_FRESH_MS = 1_000;
/** How long a refused key is not looked up again, in ms. By then, a poll is due anyway. */
export const KEY_REFUSED_MS = 5_000;
/** Refused keys that an isolate caches: at most 0.3 MB. Above the limit, it clears the cache. */
export const KEYS_REFUSED_MAX = 1_024;
/** A head older than this is reported as `stale`, in ms. */
export const HEAD_STALE_MS = 60_000;
/** Longest wait of one request for the data that it needs, in ms. */
export const LOAD_WAIT_MS = 2_000;
/** Pause after a failed load before the next attempt, in ms. */
export const LOAD_BACKOFF_MS = 1_000;
/** Concurrent KV reads of one request. Further reads queue, as they would on the platform. */
export const READS_AT_ONCE = 6;
/** Concurrent background reads, for which no request waits. */
export const WARM_READS_AT_ONCE = 4;
/** How long a batch or stream does not wait again for data that failed to load, in ms. */
export const RUN_BACKOFF_MS = 10_000;
/** How long `/healthz` waits before it retries a failed value, in ms. The route is public, and reads cost money. */
export const HEALTH_RETRY_MS = 10_000;
/** KV keys of missing values that one response names. Each has some 40 characters. */
export const MISSING_NAMED_MAX = 100;
/** Retry delay of a request that finds no room for its shards, in ms. Other requests finish soon. */
export const ROOM_RETRY_MS = 10;
/** `cacheTtl` of mutable KV keys, in seconds: the minimum of Workers KV. */
export const KV_MUTABLE_TTL_SECONDS = 30;
/** `cacheTtl` of immutable KV keys, in seconds. */
export const KV_IMMUTABLE_TTL_SECONDS = 86_400;
