/**
 * Limits of the control plane: clients, tokens, live entries, storage, the audit log.
 */
import { LISTS_MAX } from './lists.ts';

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
/** Part of LIVE_ENTRIES_MAX for `unblock` and `clear` by `root`: one operation on 10,000 numbers, both subjects. */
export const LIVE_ROOT_RESERVE = 20_000;
/**
 * Live entries that one authority may hold over all its tokens: half, so that one stolen token cannot fill
 * the live layer. This limit does not apply to `root`.
 */
export const LIVE_ENTRIES_PER_AUTHORITY_MAX = LIVE_ENTRIES_MAX / 2;
/**
 * Reserve for `unblock` and `clear`, which cannot wait for a push. It is the last part of an authority's share, and of
 * the live layer before LIVE_ROOT_RESERVE. It fits one operation on 10,000 numbers with both subjects.
 */
export const UNBLOCK_RESERVE = 20_000;
/**
 * Rule entries, one per number or source, in addition to LIVE_ENTRIES_MAX. Rule entries and other entries take no room from
 * each other. Lifts may take UNBLOCK_RESERVE more, because an entry in a release needs another entry that ends it.
 */
export const RULE_ENTRIES_MAX = 200_000;
/** Changes of rule entries in one batch. A lift can rewrite some ten entries, and all must fit into one segment. */
export const RULE_CHANGES_MAX = 500;
/** Items of one operation, and the entries that they create. With the unsealed entries, they fit into one segment. */
export const BULK_ENTRIES_MAX = 10_000;
/** Ranges allocated to operators, in the guard settings. */
export const OPERATOR_RANGES_MAX = 1_000;
/**
 * How long an operation on entries can be undone, in ms: as long as a staged release that may contain the operation can
 * still be promoted.
 */
export const UNDO_KEPT_MS = 604_800_000;
/** Items that a refused operation names. */
export const ITEMS_SHOWN_MAX = 100;
/** Body of a bulk operation, in bytes: 10,000 items of 100 bytes, with room to spare. */
export const BULK_BODY_BYTES_MAX = 2_097_152;
/** Body of any other admin request, in bytes. The largest is a signed manifest with its quoting. */
export const ADMIN_BODY_BYTES_MAX = 1_048_576;
/** Unsealed live entries, at 20 bytes each in every head. Above this count, they are sealed into a segment. */
export const UNSEALED_ENTRIES_MAX = 512;
/** Live entries in one sealed segment: 320 KiB. */
export const SEGMENT_ENTRIES_MAX = 16_384;
/**
 * Allowed sealed entries per live entry, over all segments, plus one segment. The excess are replaced entries. With as
 * many live entries as people, rules and lifts may have, an isolate holds at most 1,024,384 entries, in 31 MB. Any two
 * neighbouring segments would not fit into one, so there are at most 126 segments.
 */
export const SEALED_PER_LIVE_MAX = 1.4;
/** Unexpired entries of one number or source, because time-limited entries may overlap others. */
export const ENTRIES_PER_KEY_MAX = 8;
/** Longest sender ID of a live entry, in characters. */
export const SOURCE_CHARS_MAX = 64;
/** Longest reason of a change, in characters. */
export const REASON_CHARS_MAX = 500;
/** The name of a release or the hash of a plan in a request, in characters. */
export const RELEASE_CHARS_MAX = 64;
/** Range of `maxStaleSeconds`, the age above which data is too old for a client, in seconds. */
export const MAX_STALE_SECONDS_MIN = 10;
export const MAX_STALE_SECONDS_MAX = 604_800;
/** Default of `maxStaleSeconds`, in seconds. */
export const MAX_STALE_SECONDS_DEFAULT = 3_600;
/** Largest quota of a client, in numbers per minute. */
export const QUOTA_NUMBERS_MAX = 1_000_000_000;
/** Secrets of one client or admin key: two during a rotation. */
export const KEY_SECRETS_MAX = 2;
/** Client certificates of one client or admin key: two during a rotation. */
export const KEY_CERTIFICATES_MAX = 2;
/** Address ranges of one client or admin key. */
export const ADDRESS_RANGES_MAX = 32;
/** Shortest prefix of a range of IPv4 addresses, in bits. A shorter prefix restricts nothing. */
export const IPV4_PREFIX_MIN = 8;
/** Shortest prefix of a range of IPv6 addresses, in bits. */
export const IPV6_PREFIX_MIN = 16;
/** `status` and the log warn of the end of a key from this long before to this long after, in ms: 30 days. */
export const EXPIRY_WARNED_MS = 2_592_000_000;
/** Time between two warnings in the log, in ms. */
export const EXPIRY_WARNING_MS = 86_400_000;
/** Keys that one warning names. */
export const EXPIRING_SHOWN_MAX = 100;
/** Resolution of the last use of a token, in ms. The first use in each such period is a write. */
export const LAST_USE_MS = 3_600_000;
/** How long control checks secrets against its copy of the digests while too many fail, in ms. */
export const DIGESTS_KEPT_MS = 5_000;
/** Admin tokens. */
export const TOKENS_MAX = 1_000;
/** Longest `Idempotency-Key`, in characters. */
export const IDEMPOTENCY_KEY_CHARS_MAX = 128;
/** How long a response is replayed for the same Idempotency-Key, in ms. */
export const IDEMPOTENCY_KEPT_MS = 86_400_000;
/** SQLite storage of the coordinator, in bytes: the platform's limit for one Durable Object. */
export const STORAGE_BYTES_MAX = 10_000_000_000;
/** Shares of the storage at which `status` and the log warn. The critical share needs action at once. */
export const STORAGE_WARNING_SHARE = 0.5;
export const STORAGE_CRITICAL_SHARE = 0.8;
/**
 * Share from which the coordinator accepts only changes that undo or remove something, and changes of clients
 * and tokens. The 800 MB above this share last one token six days. The last 200 MB are for `root`.
 */
export const STORAGE_FULL_SHARE = 0.9;
/** Share from which only `root` may make such changes. Tokens can be revoked even then. */
export const STORAGE_ROOT_SHARE = 0.98;
/**
 * Entries that one token may change per hour, one per number and subject: half the capacity of the live
 * layer. Any other change counts as one.
 */
export const TOKEN_ENTRIES_PER_HOUR_MAX = 250_000;
/** Bytes that one token may add to the coordinator per day: some 250,000 entries. This fills it in 134 days. */
export const TOKEN_BYTES_PER_DAY_MAX = 67_108_864;
/** Extra charge for an entry with `until`, in bytes, because its expiry writes an audit record of about 180. */
export const ENTRY_END_BYTES = 200;
/** Budget multiplier for changes that undo or remove something, and for changes of clients and tokens. */
export const TOKEN_FREEING_FACTOR = 2;
/** Releases before the current one that a rollback can return to. */
export const RELEASES_BACK = 2;
/** How long values are kept after the last readable release stopped naming them, in ms. */
export const VALUES_KEPT_MS = 86_400_000;
/** How long KV may return a removed value from its caches, in ms. */
export const SHOWN_AFTER_REMOVAL_MS = 90_000;
/** Refused manifests under `staged/` that the coordinator remembers for SHOWN_AFTER_REMOVAL_MS: the newest are kept. */
export const STAGED_REMOVED_MAX = 1_000;
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
/** Minimum age of audit records that can be trimmed, in ms. By then, a daily export has included them. */
export const AUDIT_KEPT_MS = 604_800_000;
/** Trimmed records that the cron removes per minute: some 40 MB. */
export const AUDIT_REMOVED_AT_ONCE = 200_000;
/** Live keys, or data centres, that a refusal to rotate LIST_KEY names. */
export const LIVE_KEYS_SHOWN_MAX = 20;
/** A data centre that polled within this time, in ms, must have a new LIST_KEY before the coordinator uses the key. */
export const READER_SEEN_MS = 60_000;
/** Live sources that one step of a rotation of LIST_KEY holds in memory. */
export const REKEYED_AT_ONCE = 5_000;
/** Records that are added to the Merkle tree of the log in one step, and in one run of the cron. */
export const AUDIT_GROWN_AT_ONCE = 2_000;
export const AUDIT_GROWN_PER_SWEEP = 100_000;
/** Bytes of the Merkle tree for each record: a hash of 32 bytes, and its share of the levels above. */
export const AUDIT_LEAF_BYTES = 33;
/** Minimum time between two checkpoints of the log, in ms. */
export const CHECKPOINT_INTERVAL_MS = 3_600_000;
/** How long every checkpoint is kept, in ms. After that, only the last checkpoint of each day is kept. */
export const CHECKPOINTS_HOURLY_MS = 2_592_000_000;
/** A checkpoint with its signatures, in bytes. */
export const CHECKPOINT_BYTES_MAX = 8_192;
/** Pieces of the log, each at most a page, that one cron run exports to a sink, and the longest time of the run, in ms. */
export const EXPORT_PIECES_AT_ONCE = 50;
export const EXPORT_RUN_MS = 25_000;
/** Timeout for one piece, in ms. */
export const EXPORT_WAIT_MS = 10_000;
/** Longest pause after failures of a sink, in ms. The pause starts at a minute and doubles with each failure. */
export const EXPORT_PAUSE_MS_MAX = 3_600_000;
/** Data centres whose last poll is remembered. */
export const DATA_CENTRES_MAX = 1_000;
/** Minimum time between writes of the head to KV, in ms: Workers KV accepts one write per second and key. */
export const KV_HEAD_INTERVAL_MS = 1_100;
/** Maximum time between writes of the head to KV without changes, in ms, as each records the time. A cron runs each minute. */
export const KV_HEAD_AGE_MS = 45_000;

/**
 * Flushes per second from which the counts of a client are divided over twice as many objects. The platform's limit
 * is 1,000 requests per second per object. With USAGE_FLUSH_MS, one object serves 10,000 isolates.
 */
export const USAGE_FLUSHES_PER_SECOND = 700;
/** Objects of one client: 640,000 isolates. */
export const USAGE_SHARDS_MAX = 64;
/** Time between two commits of an object that gets many flushes, in ms. One commit for many flushes writes few rows. */
export const USAGE_COMMIT_MS = 1_000;
/** Commits whose flush numbers are kept one by one before they are merged into one row. */
export const USAGE_COMMITS_MAX = 64;
/** Flush numbers in one row: 0.5 MB. */
export const USAGE_FLUSHES_PER_ROW = 10_000;
/** How long the last flush number of an isolate is kept, in ms. */
export const USAGE_FLUSHES_KEPT_MS = 1_200_000;
/** Names of one dimension that are stored per hour and per day. All further names are counted together. */
export const USAGE_STORED_NAMES_MAX = 256;
/** Retention of counts by hour, in days. Older hours are merged into days. */
export const USAGE_HOURS_KEPT_DAYS = 35;
/** Retention of counts by day, in days. */
export const USAGE_DAYS_KEPT = 400;
/** Clients on one page of the usage. Each client needs a request to its object. */
export const USAGE_CLIENTS_PER_PAGE = 100;
/** How long a proposal waits for a second person, in seconds: a day, because the other person may be asleep. */
export const APPROVAL_WAIT_SECONDS_DEFAULT = 86_400;
/** Shortest wait, in seconds: reading a proposal takes minutes. */
export const APPROVAL_WAIT_SECONDS_MIN = 300;
/** Longest wait, in seconds: after a week, a change no longer fits its purpose. */
export const APPROVAL_WAIT_SECONDS_MAX = 604_800;
/** How long a break-glass change stays in force without a review, in ms. */
export const BREAK_GLASS_MS = 86_400_000;
/** Proposals that wait at once, over all proposers. */
export const PROPOSALS_PENDING_MAX = 1_000;
/** Proposals of one proposer that wait at once, so that no token can use up the room of others. */
export const PROPOSALS_PER_PROPOSER_MAX = 100;
/** Total of the requests of all waiting proposals, in characters: 32 bulk operations of the largest size. */
export const PROPOSALS_CHARS_MAX = 67_108_864;
/** Characters of ASCII in one row of a request: SQLite of a Durable Object stores at most 2 MB in a row. */
export const PROPOSAL_PART_CHARS = 1_000_000;
/** Changes that a proposal shows. Its hash covers all changes. */
export const PROPOSAL_SHOWN_MAX = 50;
/** Proposals in the list. */
export const PROPOSALS_LISTED = 100;
/** How long decided proposals are kept, in ms: 90 days. The audit log keeps what was decided. */
export const PROPOSALS_KEPT_MS = 7_776_000_000;
/** Minimum time between two changes of the head by one of the objects that provide parts of the head, in ms. */
export const HEAD_PART_INTERVAL_MS = 1_000;
/** Longest answer that is stored for a repeated request, in characters: SQLite of a Durable Object stores 2 MB in a row. */
export const ANSWER_CHARS_MAX = 600_000;
