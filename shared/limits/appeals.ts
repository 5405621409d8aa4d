/**
 * Limits of appeals against blocks: what anybody may send without a key, and how much of it is kept.
 */

/**
 * Longest appeal reference, in characters of base64url: the reference of a sender ID with 64 characters of 3 bytes, on a
 * list and of an authority with names of 63 characters. The reference of a number has some 70.
 */
export const APPEAL_REFERENCE_CHARS_MAX = 451;
/** Why the block is wrong, in the appellant's words, in characters. */
export const APPEAL_STATEMENT_CHARS_MAX = 500;
/** How to reach the appellant, in characters. */
export const APPEAL_CONTACT_CHARS_MAX = 200;
/** Length of the token of an appeal, in characters. */
export const APPEAL_TOKEN_CHARS = 56;
/** Longest proof of work or Turnstile token, in characters (Turnstile: 2,048). */
export const APPEAL_PROOF_CHARS_MAX = 2_048;
/** Body of an appeal, in bytes: its fields in JSON, with every character of the texts escaped. */
export const APPEAL_BODY_BYTES_MAX = 8_192;

/** Window of the rate limits on appeals, in ms. */
export const APPEAL_WINDOW_MS = 60_000;
/** Appeals of one address in a window, in one isolate. */
export const APPEAL_REQUESTS_MAX = 10;
/** Appeals of all addresses in a window, in one isolate. Without Cloudflare in front, only this limit applies. */
export const APPEAL_REQUESTS_TOTAL_MAX = 600;
/** The same for the status of an appeal and for challenges, which people poll. */
export const APPEAL_READS_MAX = 60;
export const APPEAL_READS_TOTAL_MAX = 6_000;
/** Appeals that the store accepts in an hour, whether or not it knows their references. */
export const APPEALS_PER_HOUR_MAX = 3_600;
/** Appeals that wait for a decision. With the statements below, they take at most 110 MB. */
export const APPEALS_OPEN_MAX = 10_000;
/** Open appeals against blocks of one number or sender ID. A further appeal joins the newest of them. */
export const APPEALS_PER_SUBJECT_MAX = 5;
/** Statements kept with one appeal. New appeals against the same block join it. Beyond this, they are only counted. */
export const APPEAL_STATEMENTS_MAX = 5;
/** How long new appeals against the same block join a rejected appeal, in ms: 7 days. */
export const APPEAL_AGAIN_MS = 604_800_000;
/** How long an appeal is kept after its decision, and how long its token is valid, in ms: 90 days. */
export const APPEAL_KEPT_MS = 7_776_000_000;
/** When the status of an appeal reveals that its reference is unknown, in ms: 3 days. Until then, it looks like any other. */
export const APPEAL_UNMATCHED_MS = 259_200_000;
/** An admin's claim on an appeal, in ms: an hour. */
export const APPEAL_CLAIM_MS = 3_600_000;
/** Appeals on a page, and in one step of a removal. */
export const APPEALS_PAGE_MAX = 100;
/** Waiting time of an appeal from which the log warns, in ms: a day. */
export const APPEAL_OVERDUE_MS = 86_400_000;
/** Period of decisions that the summary covers, in ms: the last 30 days. */
export const APPEAL_SUMMARY_MS = 2_592_000_000;
/** How long a challenge can be solved, in seconds. */
export const APPEAL_CHALLENGE_SECONDS = 600;
/** Iterations of PBKDF2 for one attempt at a challenge. The service makes one attempt to verify a solution. */
export const APPEAL_WORK_ITERATIONS = 5_000;
/** Prefix of a solved key, in hex. A solution takes 256 attempts on average. */
export const APPEAL_WORK_PREFIX = '00';
/** Response timeout of Turnstile, in ms. */
export const TURNSTILE_WAIT_MS = 5_000;
/** Keys of earlier LIST_KEYs that still open references. */
export const APPEAL_KEYS_MAX = 8;
