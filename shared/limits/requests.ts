/**
 * Limits of requests. Exceeding a limit returns a 4xx that names it. Each comment says what the limit bounds, its unit,
 * and the reason for its value.
 */

/** Longest written sender or recipient, in UTF-16 units: 15 digits with generous separators and controls. */
export const PARTY_CHARS_MAX = 64;
/** Longest `authorization` header that can be a client key: an ID of 63, a dot, a secret. */
export const AUTHORIZATION_CHARS_MAX = 256;
/** Failed authentications of one address in the window, or of an isolate if the address is unknown. */
export const AUTHENTICATION_FAILURES_MAX = 120;
/** Failed authentications in an isolate in the window, over all addresses. */
export const AUTHENTICATION_FAILURES_TOTAL_MAX = 600;
/** Window of both limits, and time between two log lines about one key, in ms. */
export const AUTHENTICATION_WINDOW_MS = 60_000;
/** Keys that the log names in one window. All others are counted together. */
export const FAILED_KEYS_LOGGED_MAX = 20;
/** Longest `accept` header that is read, in characters. A longer one gets JSON. */
export const ACCEPT_CHARS_MAX = 1_024;
/** Verified client keys that an isolate caches: about 1 MB. Above the limit, it clears the cache. */
export const VERIFIED_KEYS_MAX = 4_096;
/**
 * Body of a single check, in bytes: a request has six short fields, a message token or the identities of a call, and a
 * text. Each of the text's 2,000 characters has six bytes if it is escaped (\uac00).
 */
export const CHECK_BODY_BYTES_MAX = 24_576;
/**
 * Body of a batch, in bytes: 10,000 items of 800 bytes, such as a text of 200 Korean characters each, or 1,300 items with
 * a text of 2,000 characters. One text for all recipients appears once, in `defaults`.
 */
export const BATCH_BODY_BYTES_MAX = 8_388_608;
/** How long an isolate of control uses the clients that it read from the coordinator, in ms. */
export const ADMISSION_FRESH_MS = 5_000;
/** The same before a refused key is looked up again, and while the coordinator does not respond. */
export const ADMISSION_REREAD_MS = 1_000;
export const ADMISSION_KEPT_MS = 300_000;
/** Characters of a batch that count as at least one number of the quota: half of the space of each of 10,000 items. */
export const BATCH_CHARS_PER_NUMBER = 420;
/** Bytes of gzip that are decompressed at once. They expand to at most 4 MiB, because gzip shrinks up to 1,032-fold. */
export const GZIP_PIECE_BYTES = 4_096;
/** Factor by which a gzip may be larger than its content. Short lines of digits that are flushed one by one reach 3. */
export const GZIP_EXPANSION_MAX = 8;
/** Bytes of gzip that may yield no content at all. A header with an extra field has up to 64 KiB. */
export const GZIP_EMPTY_BYTES_MAX = 131_072;
/** Bytes of a refused body that are still read, so that the client can read the error. */
export const UNREAD_BODY_BYTES_MAX = 16_777_216;
/** Items in one batch. */
export const BATCH_ITEMS_MAX = 10_000;
/**
 * One line of a stream, in characters: it fits a message token and a text of 2,000 characters, each escaped as six. A
 * longer line is an error of that line only.
 */
export const STREAM_LINE_CHARS_MAX = 18_432;
/**
 * Bytes of a stream that count as at least one number of the quota. A valid line has fewer bytes for each number that it
 * counts, since a text counts, too. Only lines that are too long reach this bound. Without it, they would cost nothing,
 * however many bytes are decompressed.
 */
export const STREAM_BYTES_PER_NUMBER = 8_192;
/** `id` of a batch or stream item, in characters. */
export const ITEM_ID_CHARS_MAX = 128;
/** Alphanumeric sender ID of a text, in characters (3GPP TS 23.040, 9.1.2.5: 11 of 7 bits). */
export const SENDER_ID_CHARS_MAX = 11;
/** Name of a trunk, in characters. */
export const TRUNK_CHARS_MAX = 64;
/** Shortest prefix of a global title that is looked up: a calling code and a digit. */
export const SMSC_PREFIX_DIGITS_MIN = 2;
/** How long a gateway may reuse a response, in ms. This adds to the propagation time of a change. */
export const GATEWAY_CACHE_MS = 5_000;
/** Rules of the gateway policy. Every request from abroad is matched against them one by one. */
export const POLICY_RULES_MAX = 64;
/** Label of traffic from abroad, in characters. The label takes space in a text of 70 characters. */
export const POLICY_LABEL_CHARS_MAX = 16;
/** The gateway policy as JSON, in characters. Every head contains the policy. */
export const POLICY_CHARS_MAX = 16_384;
/** `x-correlator`, in characters (CAMARA Commonalities: 256). */
export const CORRELATOR_CHARS_MAX = 256;
/**
 * Default quota: numbers that a client may check in one quota window. Allows three full batches with sender and
 * recipient. To check all 10^8 numbers of 010 takes 28 hours.
 */
export const QUOTA_NUMBERS_DEFAULT = 60_000;
/** Length of the quota window, in seconds: a period that the rate limit binding accepts (10 or 60). */
export const QUOTA_WINDOW_SECONDS = 60;
/** Numbers that an isolate counts before it reports to the shared counter of the data centre. */
export const QUOTA_FLUSH_NUMBERS = 10_000;
/** Share of the quota that triggers an earlier report. Bounds how far many isolates together exceed the quota. */
export const QUOTA_FLUSH_SHARE = 0.01;
