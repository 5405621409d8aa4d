/**
 * Every bound of the system, in one place: what it bounds, its unit, and why it has this value.
 * What exceeds a request bound gets a 4xx that names it; what exceeds a list bound stops the build.
 */

/** Longest written address, in UTF-16 units: 15 digits with generous separators and controls. */
export const ADDRESS_CHARS_MAX = 64;
/** Longest `authorization` header that can be a client key: an id of 63, a dot, a secret. */
export const AUTHORIZATION_CHARS_MAX = 256;
/** Body of a single check, in bytes: a request has six short fields. */
export const CHECK_BODY_BYTES_MAX = 4_096;
/** Body of a batch, in bytes: 10,000 items of 400 bytes. */
export const BATCH_BODY_BYTES_MAX = 4_194_304;
/** A body that is refused is still read, up to this many bytes, so that its sender can read why. */
export const UNREAD_BODY_BYTES_MAX = 16_777_216;
/** Items in one batch. */
export const BATCH_ITEMS_MAX = 10_000;
/** One line of a stream, in characters; a longer one is that line's error. */
export const STREAM_LINE_CHARS_MAX = 1_024;
/** `id` of a batch or stream item, in characters. */
export const ITEM_ID_CHARS_MAX = 128;
/** `x-correlator`, in characters (CAMARA Commonalities: 256). */
export const CORRELATOR_CHARS_MAX = 256;
/** Items a client may have checked in one quota window. */
export const QUOTA_ITEMS_DEFAULT = 6_000_000;
/** Length of the quota window, in seconds: a period that the rate limit binding accepts (10 or 60). */
export const QUOTA_WINDOW_SECONDS = 60;
/** Items counted in the isolate before the shared counter of the data centre is told. */
export const QUOTA_FLUSH_ITEMS = 10_000;
/** Longest time between two reports to the shared counter, in ms. */
export const QUOTA_FLUSH_MS = 1_000;

/** Lists in one release: a probe a list and number, so this bounds the cost of a verdict. */
export const LISTS_MAX = 32;
/** Ranges in one list. */
export const RANGES_PER_LIST_MAX = 20_000;
/** Sources in one list. */
export const SOURCES_PER_LIST_MAX = 20_000;
/** One KV value of a release, in bytes. Small enough that a cold isolate waits for little. */
export const SHARD_BYTES_MAX = 524_288;
/** Shards in one release: an isolate may make 1,000 KV operations an invocation. */
export const SHARDS_MAX = 512;
/** All shards of a release, in bytes: an isolate has 128 MB, and holds two releases while it swaps. */
export const RELEASE_BYTES_MAX = 41_943_040;
/** A signed manifest, in characters: 512 shards of about 250 characters, and the lists. */
export const MANIFEST_CHARS_MAX = 262_144;
/** Clients in the directory. */
export const CLIENTS_MAX = 10_000;
/** Documented short codes a client may send from. */
export const CLIENT_SHORT_CODES_MAX = 32;

/** An isolate asks for the head at most this often, in ms. */
export const HEAD_FRESH_MS = 5_000;
/** A head older than this is reported as `stale`, and an idle isolate refreshes before it answers, in ms. */
export const HEAD_STALE_MS = 60_000;
/** Longest wait of one request for data it cannot answer without, in ms. */
export const LOAD_WAIT_MS = 2_000;
/** Pause after a failed load before the next try, in ms. */
export const LOAD_BACKOFF_MS = 1_000;
/** `cacheTtl` of mutable KV keys, in seconds: the least that Workers KV accepts. */
export const KV_MUTABLE_TTL_SECONDS = 30;
/** `cacheTtl` of immutable KV keys, in seconds. */
export const KV_IMMUTABLE_TTL_SECONDS = 86_400;
