/**
 * Limits of text risk: what a check may send, and what a text release may hold.
 */

/** A text, in UTF-16 units: an MMS of the Korean operators has at most 2,000 characters. */
export const TEXT_CHARS_MAX = 2_000;
/** Characters of text that count as one number of the quota: a long text costs more to score than a short one. */
export const TEXT_CHARS_PER_NUMBER = 200;
/** Letters of a folded text: a syllable has two to seven, and one character can fold to 18 (U+FDFA). */
export const LETTERS_MAX = 6_000;
/** Hosts of one text: as many as fit, with one character between two, so that none can hide behind others. */
export const TEXT_HOSTS_MAX = 400;
/** Runs of labels in one text that are read as IDNA: each costs some 8 µs. Hosts in ASCII are found behind more of them. */
export const IDN_HOSTS_MAX = 32;
/** Endings of hosts that are features of a text. */
export const TEXT_ENDINGS_MAX = 16;
/** Labels of a listed host. */
export const HOST_LABELS_MAX = 10;
/** A host, in characters (RFC 1035, 2.3.4). */
export const HOST_CHARS_MAX = 253;
/** Reasons that an answer gives for a score. */
export const TEXT_REASONS_MAX = 3;

/** Buckets of a model, as a power of two: 64 to 256 KiB of weights. */
export const MODEL_BITS_MIN = 12;
export const MODEL_BITS_MAX = 18;
/** Host lists of a text release. */
export const HOST_LISTS_MAX = 16;
/** Hosts of all lists of a text release, and the bytes of their table: a Durable Object stores at most 2 MB in a row. */
export const HOSTS_MAX = 80_000;
export const HOST_TABLE_BYTES_MAX = 1_900_000;
/** Confirmed campaigns in force: 140 bytes each, and some 200 for their bands in an isolate. */
export const CAMPAIGNS_MAX = 10_000;
/** Campaigns that a text is compared with: those that share the words of many others cost no more. */
export const CAMPAIGN_CANDIDATES_MAX = 1_000;
/** A signed manifest of a text release, in characters. */
export const TEXT_MANIFEST_CHARS_MAX = 65_536;
/** Text releases that control keeps, to roll back to. */
export const TEXT_RELEASES_KEPT = 8;
