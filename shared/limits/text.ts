/**
 * Limits of text risk: what a check may send, and what a text release may hold.
 */

/** A text, in UTF-16 units: an MMS of the Korean operators has at most 2,000 characters. */
export const TEXT_CHARS_MAX = 2_000;
/** Characters of text that count as one number of the quota: a long text costs more to score than a short one. */
export const TEXT_CHARS_PER_NUMBER = 200;
/** Characters of texts that a batch or stream reads and scores at once, before other requests get a turn: some 2 ms. */
export const TEXT_CHARS_PER_TURN = 20_000;
/** Letters of a folded text: one character can fold to 18 (U+FDFA), and one syllable has up to five letters. */
export const LETTERS_MAX = 6_000;
/** Hosts of one text that are looked up. Others are ignored. */
export const TEXT_HOSTS_MAX = 16;
/** Labels of a host that are looked up: each parent of a host is a look-up of its own. */
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
/** Confirmed campaigns in force: 140 bytes each, and 128 for their bands in an isolate. */
export const CAMPAIGNS_MAX = 10_000;
/** A signed manifest of a text release, in characters. */
export const TEXT_MANIFEST_CHARS_MAX = 65_536;
/** How far the version is set above that of the head if the store has lost its tables: later ones may not be in it. */
export const TEXT_RESTORED_GAP = 1_000;
/** Text releases that control keeps, to roll back to. */
export const TEXT_RELEASES_KEPT = 8;

/** Equal bins of scores from 0 to 1, in which texts are counted. */
export const SCORE_BINS = 20;
/** Models of one hour that an isolate counts for one client. Texts of others are not counted. */
export const COUNTED_MODELS_MAX = 4;
