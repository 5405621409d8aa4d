/**
 * Every limit of the system: what it bounds, its unit, and why it has this value.
 * Exceeding a request limit returns a 4xx that names it. Exceeding a list limit stops the build.
 */

/** Longest written sender or recipient, in UTF-16 units: 15 digits with generous separators and controls. */
export const PARTY_CHARS_MAX = 64;
/** Longest `authorization` header that can be a client key: an ID of 63, a dot, a secret. */
export const AUTHORIZATION_CHARS_MAX = 256;
/** Longest `accept` header that is read, in characters. A longer one gets JSON. */
export const ACCEPT_CHARS_MAX = 1_024;
/** Verified client keys that an isolate caches: about 1 MB. Above the limit, it clears the cache. */
export const VERIFIED_KEYS_MAX = 4_096;
/** Body of a single check, in bytes: a request has six short fields. */
export const CHECK_BODY_BYTES_MAX = 4_096;
/** Body of a batch, in bytes: 10,000 items of 400 bytes. */
export const BATCH_BODY_BYTES_MAX = 4_194_304;
/** Characters of a batch that count as at least one number of the quota: the space of one of 10,000 items. */
export const BATCH_CHARS_PER_NUMBER = 420;
/** Bytes of gzip that are decompressed at once: into at most 4 MiB, because gzip shrinks up to 1,032-fold. */
export const GZIP_PIECE_BYTES = 4_096;
/** Times that a gzip may be larger than its content. Lines of a few digits that are flushed singly reach 3. */
export const GZIP_EXPANSION_MAX = 8;
/** Bytes of gzip that may have no content at all: a header with an extra field has up to 64 KiB. */
export const GZIP_EMPTY_BYTES_MAX = 131_072;
/** Bytes of a refused body that are still read, so that the client can read the error. */
export const UNREAD_BODY_BYTES_MAX = 16_777_216;
/** Items in one batch. */
export const BATCH_ITEMS_MAX = 10_000;
/** One line of a stream, in characters. A longer line is an error of that line. */
export const STREAM_LINE_CHARS_MAX = 1_024;
/**
 * Bytes of a stream that count as at least one number of the quota: more than the longest line has. Only
 * lines over the bound reach it. Otherwise they would cost nothing, however many bytes are decompressed.
 */
export const STREAM_BYTES_PER_NUMBER = 4_096;
/** `id` of a batch or stream item, in characters. */
export const ITEM_ID_CHARS_MAX = 128;
/** Alphanumeric sender ID of a text, in characters (3GPP TS 23.040, 9.1.2.5: 11 of 7 bits). */
export const SENDER_ID_CHARS_MAX = 11;
/** Name of a trunk, in characters. */
export const TRUNK_CHARS_MAX = 64;
/** Shortest prefix of a global title that is looked up: a calling code and a digit. */
export const SMSC_PREFIX_DIGITS_MIN = 2;
/** How long a gateway may reuse a response, in ms. It adds to the propagation time of a change. */
export const GATEWAY_CACHE_MS = 5_000;
/** Rules of the gateway policy. Every request from abroad is matched against them one by one. */
export const POLICY_RULES_MAX = 64;
/** Label of traffic from abroad, in characters: it uses space in a text of 70. */
export const POLICY_LABEL_CHARS_MAX = 16;
/** The gateway policy as JSON, in characters: every head contains it. */
export const POLICY_CHARS_MAX = 16_384;
/** `x-correlator`, in characters (CAMARA Commonalities: 256). */
export const CORRELATOR_CHARS_MAX = 256;
/**
 * Default quota: numbers that a client may check in one quota window. Three full batches with sender and
 * recipient. All 10^8 numbers of 010 take 28 hours.
 */
export const QUOTA_NUMBERS_DEFAULT = 60_000;
/** Length of the quota window, in seconds: a period that the rate limit binding accepts (10 or 60). */
export const QUOTA_WINDOW_SECONDS = 60;
/** Numbers counted in the isolate before it reports to the shared counter of the data centre. */
export const QUOTA_FLUSH_NUMBERS = 10_000;
/** Share of the quota that triggers an earlier report: bounds what many isolates let pass together. */
export const QUOTA_FLUSH_SHARE = 0.01;
/** Longest time between two reports to the shared counter, in ms. */
export const QUOTA_FLUSH_MS = 1_000;

/** Rejected lines that a build writes out: about 10 MB. Further ones are only counted. */
export const REJECTS_WRITTEN_MAX = 100_000;
/**
 * Largest ratio of unpacked to gzipped size of an input. Sorted numbers, the most compressible list, reach 6;
 * with long constant fields they reach 42. A gzip bomb has up to 1,032.
 */
export const GZIP_RATIO_MAX = 200;
/** An input that unpacks to at most this many bytes is accepted at any ratio: it costs nothing. */
export const GZIP_FREE_BYTES = 4_194_304;

/** Lists in one release. Each number costs one probe per list, so this bounds the cost of a verdict. */
export const LISTS_MAX = 32;
/** Ranges in one list. */
export const RANGES_PER_LIST_MAX = 20_000;
/** Sources in one list. */
export const SOURCES_PER_LIST_MAX = 20_000;
/** One KV value of a release, in bytes. Small, so that a cold isolate loads it quickly. */
export const SHARD_BYTES_MAX = 524_288;
/**
 * Shards in one release. A promotion reads each once to verify it, and once more, with those of the previous
 * release, to compare. An invocation may make 1,000 KV operations.
 */
export const SHARDS_MAX = 256;
/** Values of one release: its shards, range table and source table. */
export const RELEASE_VALUES_MAX = SHARDS_MAX + 2;
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
/** Prefixes that a plan names for each list: those that change most. */
export const CHANGED_PREFIXES_MAX = 20;
/** A signed manifest, in characters: 256 shards of about 250 characters, and the lists. */
export const MANIFEST_CHARS_MAX = 262_144;
/** Clients in the directory. */
export const CLIENTS_MAX = 10_000;
/** Organisations. */
export const ORGANISATIONS_MAX = 1_000;
/** Longest display name of an organisation, in characters. */
export const DISPLAY_NAME_CHARS_MAX = 100;
/** Longest contact of an organisation, in characters. */
export const CONTACT_CHARS_MAX = 200;
/** Other authorities that one request may act for: as many as a release has lists. */
export const OVERRIDE_AUTHORITIES_MAX = LISTS_MAX;
/** Documented short codes that a client may send from. */
export const CLIENT_SHORT_CODES_MAX = 32;

/** Live entries, one per number and subject (250,000 numbers with both). A release can fold in more. */
export const LIVE_ENTRIES_MAX = 500_000;
/** Reserve of them for `unblock` and `clear` by `root`: one operation on 10,000 numbers, both subjects. */
export const LIVE_ROOT_RESERVE = 20_000;
/**
 * Live entries that one authority may hold over all its tokens: half, so that one stolen token cannot fill
 * the live layer. `root` has no such share.
 */
export const LIVE_ENTRIES_PER_AUTHORITY_MAX = LIVE_ENTRIES_MAX / 2;
/**
 * Reserve for `unblock` and `clear`, which cannot wait for a push: the last part of this share, and of the
 * live layer before LIVE_ROOT_RESERVE. One operation on 10,000 numbers with both subjects.
 */
export const UNBLOCK_RESERVE = 20_000;
/** Items of one operation, and the entries they create. With the unsealed ones they fit into one segment. */
export const BULK_ENTRIES_MAX = 10_000;
/** Items that a refused operation names. */
export const ITEMS_SHOWN_MAX = 100;
/** Body of a bulk operation, in bytes: 10,000 items of 100 bytes, with room to spare. */
export const BULK_BODY_BYTES_MAX = 2_097_152;
/** Body of any other admin request, in bytes. The largest is a signed manifest with its quoting. */
export const ADMIN_BODY_BYTES_MAX = 1_048_576;
/** Unsealed live entries: 20 bytes each in every head. Above this, they are sealed into a segment. */
export const UNSEALED_ENTRIES_MAX = 512;
/** Live entries in one sealed segment: 320 KiB. */
export const SEGMENT_ENTRIES_MAX = 16_384;
/**
 * Allowed sealed entries per live entry, over all segments, with one segment on top; the excess was replaced.
 * Any two neighbours fill one segment, so there are at most 125 segments at the maximum of live entries.
 */
export const SEALED_PER_LIVE_MAX = 2;
/** Unexpired entries of one number or source: time-limited entries may overlap others. */
export const ENTRIES_PER_KEY_MAX = 8;
/** A sealed head, in bytes: two manifests, and the unsealed entries in base64. */
export const HEAD_BYTES_MAX = 1_048_576;
/**
 * Any other value in KV that is read without the size in a manifest, in bytes. The largest is a table of the
 * ranges of 32 lists: about 15.4 MB.
 */
export const VALUE_BYTES_MAX = 16_777_216;
/** Longest sender ID of a live entry, in characters. */
export const SOURCE_CHARS_MAX = 64;
/** Longest reason of a change, in characters. */
export const REASON_CHARS_MAX = 500;
/** The name of a release or the hash of a plan in a request, in characters. */
export const RELEASE_CHARS_MAX = 64;
/** Range of `maxStaleSeconds`: the age from which data is too old for a client, in seconds. */
export const MAX_STALE_SECONDS_MIN = 10;
export const MAX_STALE_SECONDS_MAX = 604_800;
/** Default of `maxStaleSeconds`, in seconds. */
export const MAX_STALE_SECONDS_DEFAULT = 3_600;
/** Largest quota of a client, in numbers per minute. */
export const QUOTA_NUMBERS_MAX = 1_000_000_000;
/** Secrets of one client or admin key: two during a rotation. */
export const KEY_SECRETS_MAX = 2;
/** Admin tokens. */
export const TOKENS_MAX = 1_000;
/** Longest `Idempotency-Key`, in characters. */
export const IDEMPOTENCY_KEY_CHARS_MAX = 128;
/** How long a response is replayed for the same Idempotency-Key, in ms. */
export const IDEMPOTENCY_KEPT_MS = 86_400_000;
/** SQLite storage of the coordinator, in bytes: the platform's limit for one Durable Object. */
export const STORAGE_BYTES_MAX = 10_000_000_000;
/** Shares of the storage at which `status` and the log warn. At the second, act at once. */
export const STORAGE_WARNING_SHARE = 0.5;
export const STORAGE_CRITICAL_SHARE = 0.8;
/**
 * Share from which the coordinator accepts only changes that undo or remove something, and changes of clients
 * and tokens. The 800 MB after it last one token six days; the last 200 MB are for `root`.
 */
export const STORAGE_FULL_SHARE = 0.9;
/** Share from which it accepts those only from `root`. Tokens can be revoked even then. */
export const STORAGE_ROOT_SHARE = 0.98;
/**
 * Entries that one token may change per hour, one per number and subject: half the capacity of the live
 * layer. Any other change counts as one.
 */
export const TOKEN_ENTRIES_PER_HOUR_MAX = 250_000;
/** Bytes that one token may add to the coordinator per day: some 250,000 entries. It is full in 134 days. */
export const TOKEN_BYTES_PER_DAY_MAX = 67_108_864;
/** Extra charge for an entry with `until`, in bytes: its expiry writes an audit record of about 180. */
export const ENTRY_END_BYTES = 200;
/** Budget multiplier for changes that undo or remove something, and for changes of clients and tokens. */
export const TOKEN_FREEING_FACTOR = 2;
/** Releases before the current one that a rollback can return to. */
export const RELEASES_BACK = 2;
/** How long values are kept after the last readable release stopped naming them, in ms. */
export const VALUES_KEPT_MS = 86_400_000;
/** Refused manifests under `staged/` that name no release of the coordinator: the newest are kept. */
export const STAGED_REFUSALS_MAX = 20;
/** How long a staged or withdrawn release keeps its values, in ms. */
export const WAITING_KEPT_MS = 604_800_000;
/** Entries or records on one page of the admin API. */
export const PAGE_MAX = 1_000;
/**
 * States and reasons on one page of the audit log, in characters. With the record that exceeds it, a page
 * stays far below the 32 MiB of one RPC. A record of the gateway policy has 32 KB.
 */
export const AUDIT_PAGE_CHARS_MAX = 4_194_304;
/** Minimum age of audit records that can be trimmed, in ms: a daily export has included them by then. */
export const AUDIT_KEPT_MS = 604_800_000;
/** Trimmed records that the cron removes per minute: some 40 MB. */
export const AUDIT_REMOVED_AT_ONCE = 200_000;
/** Data centres whose last poll is remembered. */
export const DATA_CENTRES_MAX = 1_000;
/** Minimum time between writes of the head to KV, in ms: Workers KV accepts one write per second and key. */
export const KV_HEAD_INTERVAL_MS = 1_100;
/** Maximum time between them without changes, in ms: each write records the time. A cron runs each minute. */
export const KV_HEAD_AGE_MS = 45_000;

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
