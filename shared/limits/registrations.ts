/**
 * Limits of registered senders: registrations, their review, their publication.
 */

/** Numbers of one registration: a block. */
export const REGISTRATION_NUMBERS_MAX = 10_000;
/** Clients of one registration. */
export const REGISTRATION_CLIENTS_MAX = 32;
/** Proofs of one registration. */
export const REGISTRATION_PROOFS_MAX = 16;
/** Longest name of a holder, in characters. */
export const HOLDER_CHARS_MAX = 200;
/** Longest reference of a registration or of a proof, in characters. */
export const REFERENCE_CHARS_MAX = 100;
/** A number or a range as written, in characters. */
export const NUMBER_TEXT_CHARS_MAX = 128;
/** Reasons of one decision. */
export const REASONS_MAX = 20;
/** Longest detail or help of such a reason, in characters. */
export const REASON_TEXT_CHARS_MAX = 500;
/** Registrations of one organisation, in any state: 3 GB with one proof each, of the 10 GB of one object. */
export const REGISTRATIONS_MAX = 1_000_000;
/** Registrations that one organisation may create and edit per hour: five uploads of 100,000 lines. */
export const REGISTRATION_CHANGES_PER_HOUR_MAX = 500_000;
/** Registrations that one organisation may create and edit per day: as many as it may have. */
export const REGISTRATION_CHANGES_PER_DAY_MAX = 1_000_000;
/**
 * Registrations that the service checks for one organisation per day without storing them, in dry runs and refused
 * requests. Enough for a dry run of all that an organisation may have, and the check before its upload, each twice.
 */
export const REGISTRATION_CHECKS_PER_DAY_MAX = 4_000_000;
/** Other organisations whose registrations of the same number a reviewer gets. Each takes a call to its store. */
export const OTHER_ORGANISATIONS_MAX = 20;
/** Registrations of other organisations in one answer. */
export const OTHERS_MAX = 20;
/** How long a claim lasts, in ms. Afterwards, others can claim the registration. */
export const CLAIM_MS = 3_600_000;
/** How long events are kept, in ms: 90 days. */
export const REGISTRATION_EVENTS_KEPT_MS = 7_776_000_000;
/** Registrations on one page. */
export const REGISTRATIONS_PAGE_MAX = 1_000;
/**
 * Contents and reasons on one page, in characters. With the registration that exceeds it, a page stays far below the
 * 32 MiB of one RPC. The largest registration has some 40,000.
 */
export const REGISTRATIONS_PAGE_CHARS_MAX = 4_194_304;
/** Rows of one piece of a bulk upload. */
export const IMPORT_ROWS_MAX = 1_000;
/** Body of such a piece, in bytes: 1,000 rows of 4 KiB. */
export const IMPORT_BODY_BYTES_MAX = 4_194_304;
/** Changes in one batch for the registry: 0.6 MB as JSON, below the 2 MB of a row. */
export const PUBLISHED_CHANGES_MAX = 5_000;
/** Pause before the first retry of a batch, and the longest one, in ms. It doubles with each failure. */
export const PUBLISH_RETRY_MS = 1_000;
export const PUBLISH_RETRY_MS_MAX = 300_000;
/** Latest time of the next alarm, in ms from now: the platform accepts no alarm after 2189. */
export const ALARM_AHEAD_MS_MAX = 2_592_000_000;
/** Registrations whose claim, reminder or end one alarm handles. The next alarm follows at once. */
export const DUE_AT_ONCE = 1_000;
/** Minimum time between two anchors of an organisation's audit chain, in ms. */
export const ANCHOR_INTERVAL_MS = 60_000;
/** Reasons of one line of a bulk upload. Keeps the stored answer for a repeated piece below the 2 MB of a row. */
export const IMPORT_REASONS_MAX = 4;
/** Invalid lines of a bulk upload that a refusal names. */
export const INVALID_LINES_MAX = 100;
/** Changes of one sealed segment: 256 KiB, and the names of their clients. */
export const REGISTRATION_SEGMENT_ROWS_MAX = 16_384;
/**
 * Changes that releases in use may lack: 16 bytes each in every isolate, and 21 more for clients that the isolate has
 * checked. A build and three promotions free them.
 */
export const REGISTRATION_CHANGES_MAX = 1_000_000;
/** The last part of REGISTRATION_CHANGES_MAX is for removals, which must not wait for a release. */
export const REGISTRATION_REMOVALS_RESERVE = 250_000;
/** Additions that one organisation may use: one flood of uploads leaves half to all others. */
export const REGISTRATION_CHANGES_PER_ORGANISATION_MAX =
  (REGISTRATION_CHANGES_MAX - REGISTRATION_REMOVALS_RESERVE) / 2;
/**
 * Changes that one organisation may use, removals included: an organisation that closes everything at once leaves half
 * of the reserve to the suspensions of all others.
 */
export const REGISTRATION_REMOVALS_PER_ORGANISATION_MAX =
  REGISTRATION_CHANGES_PER_ORGANISATION_MAX + REGISTRATION_REMOVALS_RESERVE / 2;
/** Share of the room for additions from which `status` and the log call for a build. */
export const REGISTRATION_BUILD_SHARE = 0.5;
/** Unsealed changes, at 16 bytes each in every head. Above this count, they are sealed into a segment. */
export const REGISTRATION_UNSEALED_MAX = 512;
/** Sealed changes for each change in force, plus one segment. The excess are changes that were replaced or dropped. */
export const REGISTRATION_SEALED_PER_CHANGE_MAX = 2;
/** How far above the head's version the registry continues after it has lost its tables. */
export const REGISTRY_RESTORED_GAP = 1_000_000;

/**
 * Clients with registered numbers in one release: all clients of an installation, and as many removed ones. Their names
 * and places take at most 4 MB of an isolate, outside the budget of shards.
 */
export const REGISTERED_CLIENTS_MAX = 20_000;
/** Registered pairs of a number and a client in one release, at 22 bits each, out of the 40 MB of a release. */
export const REGISTERED_PAIRS_MAX = 10_000_000;
/** Rows of registered ranges in one release: at most 4 MB of an isolate, outside the budget of shards. */
export const REGISTERED_RANGES_MAX = 200_000;
/** A longer range is one table row of 20 bytes. A range up to this length becomes pairs, at some 22 bits each. */
export const REGISTERED_RANGE_EXPANDED_MAX = 64;
/** Pairs of a release that one organisation may use: its numbers, times their clients. */
export const REGISTERED_PAIRS_PER_ORGANISATION_MAX = REGISTERED_PAIRS_MAX / 4;
/** Ranges that one organisation may use: those longer than REGISTERED_RANGE_EXPANDED_MAX, times their clients. */
export const REGISTERED_RANGES_PER_ORGANISATION_MAX = REGISTERED_RANGES_MAX / 4;
/** Share of the pairs and ranges of a release from which `status` warns. */
export const REGISTERED_WARNING_SHARE = 0.5;

/** Registered numbers that one step looks up in a release. A step reads at most all shards of the release. */
export const CHECKED_NUMBERS_AT_ONCE = 50_000;
/** Steps of such lookups in one call: at most 80 shards each, below the 1,000 KV operations of one invocation. */
export const CHECKED_STEPS_AT_ONCE = 10;
/** Minutes in which the cron checks the registered numbers of every organisation against the current release. */
export const CHECK_ROUND_MINUTES = 10;
/** Pairs on one page for a build: 0.8 MB. */
export const REGISTRATION_PAIRS_PAGE_MAX = 10_000;
/** Organisations that one such page reads. Each needs at least one request to its store. */
export const REGISTRATION_STORES_PER_PAGE = 100;
/** A cursor of the pairs, in characters: two names and two numbers. */
export const CURSOR_CHARS_MAX = 256;
