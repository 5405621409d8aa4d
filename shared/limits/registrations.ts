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
/** Registrations of one organisation, in any state: 2 GB with a few proofs each, of the 10 GB of one object. */
export const REGISTRATIONS_MAX = 1_000_000;
/** Registrations that one organisation may create and edit per hour: five uploads of 100,000 lines. */
export const REGISTRATION_CHANGES_PER_HOUR_MAX = 500_000;
/** How long a claim lasts, in ms. Afterwards others can claim the registration. */
export const CLAIM_MS = 3_600_000;
/** Days before the end of a registration on which an event reminds of it. */
export const REMINDER_DAYS: readonly number[] = [30, 7, 1];
/** How long events are kept, in ms: 90 days. */
export const REGISTRATION_EVENTS_KEPT_MS = 7_776_000_000;
/** Registrations on one page. */
export const REGISTRATIONS_PAGE_MAX = 1_000;
/** Rows of one piece of a bulk upload. */
export const IMPORT_ROWS_MAX = 1_000;
/** Body of such a piece, in bytes: 1,000 rows of 4 KiB. */
export const IMPORT_BODY_BYTES_MAX = 4_194_304;
/** Changes in one batch for the registry: 0.6 MB as JSON, below the 2 MB of a row. */
export const PUBLISHED_CHANGES_MAX = 5_000;
/** Pause before the first retry of a batch, and the longest one, in ms. It doubles with each failure. */
export const PUBLISH_RETRY_MS = 1_000;
export const PUBLISH_RETRY_MS_MAX = 300_000;
/** Registrations whose claim, reminder or end one alarm handles. The next follows at once. */
export const DUE_AT_ONCE = 1_000;
/** Minimum time between two anchors of an organisation's audit chain, in ms. */
export const ANCHOR_INTERVAL_MS = 60_000;
/** Invalid lines of a bulk upload that a refusal names. */
export const INVALID_LINES_MAX = 100;
