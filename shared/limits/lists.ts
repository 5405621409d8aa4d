/**
 * Limits of lists and releases. Exceeding a limit stops the build. Each comment says what the limit bounds, its unit,
 * and the reason for its value.
 */

/** Longest time between two reports to the shared counter, in ms. */
export const QUOTA_FLUSH_MS = 1_000;

/** Rejected lines that a build writes out: about 10 MB. Further ones are only counted. */
export const REJECTS_WRITTEN_MAX = 100_000;
/**
 * Largest ratio of unpacked to gzipped size of an input. Sorted numbers, the most compressible list, reach 6;
 * with long constant fields they reach 42. A gzip bomb has up to 1,032.
 */
export const GZIP_RATIO_MAX = 200;
/** An input that unpacks to at most this many bytes is accepted at any ratio, because it costs nothing. */
export const GZIP_FREE_BYTES = 4_194_304;

/** Lists in one release. Each number costs one probe per list, so this bounds the cost of a verdict. */
export const LISTS_MAX = 32;
/** Of these, lists with rule blocks: one for each rule and stage. Further blocks share the last list, without their rule. */
export const RULE_LISTS_MAX = 8;
/** Ranges in one list. */
export const RANGES_PER_LIST_MAX = 20_000;
/** Sources in one list. */
export const SOURCES_PER_LIST_MAX = 20_000;
/** One KV value of a release, in bytes. It is small, so that a cold isolate loads it quickly. */
export const SHARD_BYTES_MAX = 524_288;
/**
 * Shards in one release, of numbers and of pairs. A promotion reads each shard once to verify it, and again to compare it
 * with the previous release, whose shards it reads too. An invocation may make 1,000 KV operations.
 */
export const SHARDS_MAX = 256;
/** Values of one release: its shards, range table, source table and table of registered clients. */
export const RELEASE_VALUES_MAX = SHARDS_MAX + 3;
/** KV operations in one invocation: a limit of the platform. */
export const KV_OPERATIONS_MAX = 1_000;
/** All values of a release, in bytes: an isolate holds them all. */
export const RELEASE_BYTES_MAX = 41_943_040;
/**
 * Bytes of shards that an isolate holds at once, over all releases: as much as the largest release, out of
 * the isolate's 128 MB. During a swap of large releases, shards that do not fit are loaded again.
 */
export const ISOLATE_SHARD_BYTES_MAX = RELEASE_BYTES_MAX;
/** Numbers that a check or a plan reads in one release: at most 25 s. 40 MB rarely hold more. */
export const RELEASE_NUMBERS_MAX = 200_000_000;
/** Protected numbers, which no list may block without an override: public institutions, test numbers. */
export const PROTECTED_NUMBERS_MAX = 1_000;
/** Prefixes that a plan names for each list: the prefixes with the most changes. */
export const CHANGED_PREFIXES_MAX = 20;
/** A sealed head, in bytes: two manifests, and the unsealed entries in base64. */
export const HEAD_BYTES_MAX = 1_048_576;
/**
 * Any other KV value whose size no manifest states, in bytes. The largest is a table of the ranges of 32 lists: about
 * 15.4 MB.
 */
export const VALUE_BYTES_MAX = 16_777_216;
/** A signed manifest, in characters: 256 shards of about 250 characters, and the lists. */
export const MANIFEST_CHARS_MAX = 262_144;
/** Keys in LIST_KEY: two during a rotation. */
export const LIST_KEYS_MAX = 2;
/**
 * Numbers of one release that a plan between two keys holds in memory: 8 bytes each, and as many again while the array
 * grows. A release with more numbers is read several times.
 */
export const REKEYED_NUMBERS_MAX = 4_000_000;
