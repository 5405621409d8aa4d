/**
 * Every bound of the system, in one place: what it bounds, its unit, and why it has this value.
 * What exceeds a request bound gets a 4xx that names it; what exceeds a list bound stops the build.
 */

/** Longest written sender or recipient, in UTF-16 units: 15 digits with generous separators and controls. */
export const PARTY_CHARS_MAX = 64;
/** Longest `authorization` header that can be a client key: an id of 63, a dot, a secret. */
export const AUTHORIZATION_CHARS_MAX = 256;
/** Client keys that an isolate remembers as right: about 1 MB. With more, all are forgotten and verified anew. */
export const VERIFIED_KEYS_MAX = 4_096;
/** Body of a single check, in bytes: a request has six short fields. */
export const CHECK_BODY_BYTES_MAX = 4_096;
/** Body of a batch, in bytes: 10,000 items of 400 bytes. */
export const BATCH_BODY_BYTES_MAX = 4_194_304;
/** So many characters of a batch count as one number of the quota, at least: the room that each of 10,000 items has. */
export const BATCH_CHARS_PER_NUMBER = 420;
/** A body that is refused is still read, up to this many bytes, so that its sender can read why. */
export const UNREAD_BODY_BYTES_MAX = 16_777_216;
/** Items in one batch. */
export const BATCH_ITEMS_MAX = 10_000;
/** One line of a stream, in characters; a longer one is that line's error. */
export const STREAM_LINE_CHARS_MAX = 1_024;
/** `id` of a batch or stream item, in characters. */
export const ITEM_ID_CHARS_MAX = 128;
/** An alphanumeric sender id of a text, in characters (3GPP TS 23.040, 9.1.2.5: 11 of 7 bits). */
export const SENDER_ID_CHARS_MAX = 11;
/** Name of a trunk, in characters. */
export const TRUNK_CHARS_MAX = 64;
/** Shortest prefix of a global title that is looked for: a calling code and a digit. */
export const SMSC_PREFIX_DIGITS_MIN = 2;
/** A gateway may give the same answer again for this long, in ms: it is added to the time that a change takes. */
export const GATEWAY_CACHE_MS = 5_000;
/** Rules of the gateway policy: every question from abroad is held against them one by one. */
export const POLICY_RULES_MAX = 64;
/** Label of traffic from abroad, in characters: it takes room in a text of 70. */
export const POLICY_LABEL_CHARS_MAX = 16;
/** The gateway policy as JSON, in characters: it stands in every head. */
export const POLICY_CHARS_MAX = 16_384;
/** `x-correlator`, in characters (CAMARA Commonalities: 256). */
export const CORRELATOR_CHARS_MAX = 256;
/**
 * Numbers that a client may ask for in one quota window, unless it was given another quota: three full
 * batches with sender and recipient. All 10^8 numbers of 010 take 28 hours.
 */
export const QUOTA_NUMBERS_DEFAULT = 60_000;
/** Length of the quota window, in seconds: a period that the rate limit binding accepts (10 or 60). */
export const QUOTA_WINDOW_SECONDS = 60;
/** Numbers counted in the isolate before the shared counter of the data centre is told. */
export const QUOTA_FLUSH_NUMBERS = 10_000;
/** It is told sooner where this share of the quota was counted: what many isolates let pass together stays small. */
export const QUOTA_FLUSH_SHARE = 0.01;
/** Longest time between two reports to the shared counter, in ms. */
export const QUOTA_FLUSH_MS = 1_000;

/** Rejected lines that a build writes down: about 10 MB. More are only counted: nobody reads them, and they are made by one mistake. */
export const REJECTS_WRITTEN_MAX = 100_000;
/**
 * A gzipped input may unpack to this many times its size. Numbers in order, the best that a list compresses,
 * have 6, with long fields that stay the same 42; a file made to be a bomb has up to 1,032.
 */
export const GZIP_RATIO_MAX = 200;
/** What unpacks to no more than this, in bytes, is taken at any ratio: it costs nothing. */
export const GZIP_FREE_BYTES = 4_194_304;

/** Lists in one release: a probe a list and number, so this bounds the cost of a verdict. */
export const LISTS_MAX = 32;
/** Ranges in one list. */
export const RANGES_PER_LIST_MAX = 20_000;
/** Sources in one list. */
export const SOURCES_PER_LIST_MAX = 20_000;
/** One KV value of a release, in bytes. Small enough that a cold isolate waits for little. */
export const SHARD_BYTES_MAX = 524_288;
/**
 * Shards in one release. A promotion reads each once to verify it, and once more, with those of the release
 * before, to compare: an invocation may make 1,000 KV operations.
 */
export const SHARDS_MAX = 256;
/** Values of one release: its shards, range table and source table. */
export const RELEASE_VALUES_MAX = SHARDS_MAX + 2;
/** Operations on KV in one invocation: what the platform allows. */
export const KV_OPERATIONS_MAX = 1_000;
/** All values of a release, in bytes: an isolate holds them all. */
export const RELEASE_BYTES_MAX = 41_943_040;
/**
 * Shards that an isolate holds at once, in bytes, of all its releases: as much as the largest release, of an
 * isolate's 128 MB. While it swaps large releases, what does not fit beside the old one is loaded again.
 */
export const ISOLATE_SHARD_BYTES_MAX = RELEASE_BYTES_MAX;
/** Numbers that a check or a plan walks in one release: at most 25 s. 40 MB hold fewer, unless nearly all are listed. */
export const RELEASE_NUMBERS_MAX = 200_000_000;
/** Numbers that no list may block without being told to: public institutions, an admin's canaries. */
export const PROTECTED_NUMBERS_MAX = 1_000;
/** Heads that a plan names for each list, those that change most. */
export const CHANGED_HEADS_MAX = 20;
/** A signed manifest, in characters: 256 shards of about 250 characters, and the lists. */
export const MANIFEST_CHARS_MAX = 262_144;
/** Clients in the directory. */
export const CLIENTS_MAX = 10_000;
/** Documented short codes a client may send from. */
export const CLIENT_SHORT_CODES_MAX = 32;

/** Live entries, one for each number and subject (250,000 numbers with both); more must be folded into a release. */
export const LIVE_ENTRIES_MAX = 500_000;
/** The last of them, for `unblock` and `clear` by `root` alone: one operation of 10,000 numbers with both subjects. */
export const LIVE_ROOT_RESERVE = 20_000;
/**
 * Live entries that one authority may hold, whatever its tokens: half, so that one stolen token cannot fill the live
 * layer. `root` has no such share.
 */
export const LIVE_ENTRIES_PER_AUTHORITY_MAX = LIVE_ENTRIES_MAX / 2;
/**
 * The last of this share, and of the live layer before LIVE_ROOT_RESERVE, for `unblock` and `clear` alone, which cannot
 * wait for a push: one operation of 10,000 numbers with both subjects.
 */
export const UNBLOCK_RESERVE = 20_000;
/** Items of one operation, and the entries that they make: with a tail they fit a segment. */
export const BULK_ENTRIES_MAX = 10_000;
/** Body of a bulk operation, in bytes: 10,000 items of 100 bytes, with room. */
export const BULK_BODY_BYTES_MAX = 2_097_152;
/** Body of any other admin request, in bytes: a signed manifest and its quoting are the largest. */
export const ADMIN_BODY_BYTES_MAX = 1_048_576;
/** Live entries in the open tail: 20 bytes each in every head. More are sealed into a segment. */
export const TAIL_ENTRIES_MAX = 512;
/** Live entries in one sealed segment: 320 KiB. */
export const SEGMENT_ENTRIES_MAX = 16_384;
/**
 * Sealed entries for each live one, counted over all segments, and one segment more: the others were
 * replaced. Any two neighbours fill one segment, so there are at most 125 at the most live entries.
 */
export const SEALED_PER_LIVE_MAX = 2;
/** Entries of one number or source that have not ended: time-limited ones may lie over others. */
export const ENTRIES_PER_KEY_MAX = 8;
/** A sealed head, in bytes: two manifests, and a tail in base64. */
export const HEAD_BYTES_MAX = 1_048_576;
/** Longest sender id of a live entry, in characters. */
export const SOURCE_CHARS_MAX = 64;
/** Longest reason of a change, in characters. */
export const REASON_CHARS_MAX = 500;
/** The name of a release, or the hash of a plan, in a request, in characters. */
export const RELEASE_CHARS_MAX = 64;
/** What a client may wish for as the age from which data is not good enough for it, in seconds. */
export const MAX_STALE_SECONDS_MIN = 10;
export const MAX_STALE_SECONDS_MAX = 604_800;
/** And what is taken for it where it says nothing. */
export const MAX_STALE_SECONDS_DEFAULT = 3_600;
/** Numbers a minute that a client may have at the most. */
export const QUOTA_NUMBERS_MAX = 1_000_000_000;
/** Secrets of one key of a client or an admin: two while one is replaced. */
export const KEY_SECRETS_MAX = 2;
/** Admin tokens. */
export const TOKENS_MAX = 1_000;
/** Longest `Idempotency-Key`, in characters. */
export const IDEMPOTENCY_KEY_CHARS_MAX = 128;
/** An answer is given again under the same Idempotency-Key for this long, in ms. */
export const IDEMPOTENCY_KEPT_MS = 86_400_000;
/** SQLite of the coordinator, in bytes: what the platform allows one Durable Object. */
export const STORAGE_BYTES_MAX = 10_000_000_000;
/** Shares of it from which `status` and the log warn: at the second, there is time for little else. */
export const STORAGE_WARNING_SHARE = 0.5;
export const STORAGE_CRITICAL_SHARE = 0.8;
/**
 * Share from which it takes only changes that undo or remove something, and those of clients and tokens. The
 * 800 MB behind it last one token six days; the last 200 MB are for `root`.
 */
export const STORAGE_FULL_SHARE = 0.9;
/** Share from which it takes them from `root` alone: tokens can be revoked, whoever filled the rest. */
export const STORAGE_ROOT_SHARE = 0.98;
/**
 * Entries that one token may change in an hour, one for each number and subject: half of what the live layer holds. Any
 * other change counts as one.
 */
export const TOKEN_ENTRIES_PER_HOUR_MAX = 250_000;
/**
 * Bytes that one token may add to the coordinator in a day: some 250,000 new entries. One token alone fills it in 134
 * days.
 */
export const TOKEN_BYTES_PER_DAY_MAX = 67_108_864;
/** What a number or source with an `until` is charged besides, in bytes: its end writes an audit record of about 180. */
export const ENTRY_END_BYTES = 200;
/** Changes that undo or remove something, and those of clients and tokens, have this many times the budget. */
export const TOKEN_RELIEF_FACTOR = 2;
/** Releases before the current one that rollback can go to. */
export const RELEASES_BACK = 2;
/** Values that no readable release names are kept for this long after the last one did, in ms. */
export const VALUES_KEPT_MS = 86_400_000;
/** A release that waits, or was taken back, keeps its values for this long, in ms. */
export const WAITING_KEPT_MS = 604_800_000;
/** Entries or records on one page of the admin API. */
export const PAGE_MAX = 1_000;
/**
 * States and reasons on one page of the audit log, in characters: with the record that goes over it, a page stays
 * far below the 32 MiB of one RPC. A record of the gateway policy has 32 KB.
 */
export const AUDIT_PAGE_CHARS_MAX = 4_194_304;
/** Records of the audit log that are younger cannot be trimmed, in ms: an export of every day has had them by then. */
export const AUDIT_KEPT_MS = 604_800_000;
/** Trimmed records are removed so many at a time, by the cron of every minute: some 40 MB. */
export const AUDIT_REMOVED_AT_ONCE = 200_000;
/** Data centres whose last question is remembered. */
export const DATA_CENTRES_MAX = 1_000;
/** The copy of the head in KV is written at most this often, in ms: Workers KV takes one write a second for a key. */
export const KV_HEAD_INTERVAL_MS = 1_100;
/** And where nothing changes at least this often, in ms, by the cron of every minute: it tells how old it is. */
export const KV_HEAD_AGE_MS = 45_000;

/** Records of blocks in one value of KV: about 5 MB. */
export const RECORDS_PER_VALUE_MAX = 20_000;
/** Records of blocks are written together after this, in ms. */
export const RECORDS_WAIT_MS = 1_000;
/** Records of blocks are kept for a year, in seconds. */
export const RECORDS_KEPT_SECONDS = 31_536_000;

/** An isolate asks for the head at most this often, in ms. */
export const HEAD_FRESH_MS = 5_000;
/** An isolate whose head is older asks before it answers, in ms: it had no traffic that would have. */
export const HEAD_WAIT_MS = 15_000;
/** The poll of an isolate comes up to this share earlier or later, so that isolates do not ask together. */
export const JITTER_SHARE = 0.2;
/** Who finds that another isolate is asking comes back after this, in ms. */
export const CLAIM_RETRY_MS = 1_000;
/** A claim to ask ends by itself, in seconds: its holder may have died. */
export const CLAIM_SECONDS = 2;
/** A copy of the head in a data centre's cache is kept for this long, in seconds, also when it is old. */
export const CACHED_HEAD_SECONDS = 600;
/** Longest wait for the authority where a request waits too, in ms: it leaves time to read KV instead. */
export const AUTHORITY_WAIT_MS = 1_500;
/** Longest wait for the authority behind the answers, in ms: late is better than from KV. */
export const AUTHORITY_PATIENCE_MS = 5_000;
/** Failures of the authority in a row after which an isolate stops asking for a while. */
export const BREAKER_FAILURES = 2;
/** How long it stops, at first and at most, in ms. */
export const BREAKER_MIN_MS = 10_000;
export const BREAKER_MAX_MS = 30_000;
/**
 * A key that is not known is looked for in a head that is no older than this, in ms. An isolate looks for the
 * head at most once in this time on behalf of such keys, however many there are.
 */
export const KEY_FRESH_MS = 1_000;
/** A key that was refused is not looked for again for this long, in ms: by then a poll is due anyway. */
export const KEY_REFUSED_MS = 5_000;
/** Refused keys that an isolate remembers: at most 0.3 MB. With more, all are forgotten. */
export const KEYS_REFUSED_MAX = 1_024;
/** A head older than this is reported as `stale`, in ms. */
export const HEAD_STALE_MS = 60_000;
/** Longest wait of one request for data it cannot answer without, in ms. */
export const LOAD_WAIT_MS = 2_000;
/** Pause after a failed load before the next try, in ms. */
export const LOAD_BACKOFF_MS = 1_000;
/** Reads of KV that a request has under way at once: more wait in line, as the platform has it. */
export const READS_AT_ONCE = 6;
/** Of those, for what no request waits for. */
export const WARM_READS_AT_ONCE = 4;
/** What could not be loaded is not waited for again by the same batch or stream for this long, in ms. */
export const RUN_BACKOFF_MS = 10_000;
/** `/healthz` tries a value that could not be loaded again after this, in ms: anybody may ask it, and reads cost. */
export const HEALTH_RETRY_MS = 10_000;
/** KV keys of missing values that one answer names: each has some 40 characters. */
export const MISSING_NAMED_MAX = 100;
/** Who finds no room for the shards it needs looks again after this, in ms: others are about to be done. */
export const ROOM_RETRY_MS = 10;
/** `cacheTtl` of mutable KV keys, in seconds: the least that Workers KV accepts. */
export const KV_MUTABLE_TTL_SECONDS = 30;
/** `cacheTtl` of immutable KV keys, in seconds. */
export const KV_IMMUTABLE_TTL_SECONDS = 86_400;
