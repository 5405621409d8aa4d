/**
 * Limits of text risk: the texts of checks, and the content of text releases.
 */

/** A text, in UTF-16 units: an MMS of the Korean operators has at most 2,000 characters. */
export const TEXT_CHARS_MAX = 2_000;
/** Characters of text that count as one number of the quota, because a long text costs more to score. */
export const TEXT_CHARS_PER_NUMBER = 200;
/** Characters that a batch or stream reads and scores before it lets other requests run: some 2 ms. */
export const TEXT_CHARS_PER_TURN = 20_000;
/** Letters of a folded text: a syllable has two to seven, and one character can fold to 18 (U+FDFA). */
export const LETTERS_MAX = 6_000;
/**
 * Hosts of one text: as many as fit into a text, so that no host can hide behind others. The densest form is `a.kr.xx `,
 * which can mean two hosts. Each name that is read as IDNA adds two.
 */
export const TEXT_HOSTS_MAX = 600;
/** Runs of labels in one text that are read as IDNA, at some 8 µs each. Hosts in ASCII are found even after more runs. */
export const IDN_HOSTS_MAX = 32;
/** Endings of hosts that count as features of a text. */
export const TEXT_ENDINGS_MAX = 16;
/** Labels of a listed host. */
export const HOST_LABELS_MAX = 10;
/** A host, in characters (RFC 1035, 2.3.4). */
export const HOST_CHARS_MAX = 253;
/** Reasons for a score in one answer. */
export const TEXT_REASONS_MAX = 3;

/** Buckets of a model, as a power of two: 64 to 256 KiB of weights. */
export const MODEL_BITS_MIN = 12;
export const MODEL_BITS_MAX = 18;
/** Host lists of a text release. */
export const HOST_LISTS_MAX = 16;
/** Hosts of all lists of a text release, and the bytes of their table: a Durable Object stores at most 2 MB in a row. */
export const HOSTS_MAX = 80_000;
export const HOST_TABLE_BYTES_MAX = 1_900_000;
/** Confirmed campaigns in force: 140 bytes each. In an isolate, the bands of each take some 200 more. */
export const CAMPAIGNS_MAX = 10_000;
/** Campaigns that one text is compared with. Bounds the cost of a text that shares words with many campaigns. */
export const CAMPAIGN_CANDIDATES_MAX = 1_000;
/** A signed manifest of a text release, in characters. */
export const TEXT_MANIFEST_CHARS_MAX = 65_536;
/** How far above the head's version a store without its tables continues, because the head may lack later versions. */
export const TEXT_RESTORED_GAP = 1_000;
/** Text releases that control keeps for a rollback. */
export const TEXT_RELEASES_KEPT = 8;
/** An operator's canary texts that a build scores, and the bytes of their file. */
export const CANARY_TEXTS_MAX = 100_000;
export const CANARY_FILE_BYTES_MAX = 268_435_456;

/** Equal bins of scores from 0 to 1, in which texts are counted. */
export const SCORE_BINS = 20;
/** Models of one hour, each with its release, that an isolate counts for one client. Texts of further models do not count. */
export const COUNTED_MODELS_MAX = 4;
/** Body of a pushed text release, in bytes: the largest host table and model in base64, and a manifest. */
export const TEXT_RELEASE_BODY_BYTES_MAX = 3_200_000;
/** Text releases that one token may push in a day, refused ones included, because each is opened and decoded. */
export const TEXT_PUSHES_PER_DAY_MAX = 100;

/** A guard of text releases: share of a domain's legitimate texts that a model may call suspicious. */
export const TEXT_DOMAIN_RATE_MAX = 0.005;
/** A guard: how many times as many legitimate texts a model may call suspicious as the model in force. */
export const TEXT_LABEL_RATE_FACTOR = 2;
/** Fewer texts than this count as this many, because one or two more texts say nothing. */
export const TEXT_LABELS_EXPECTED_MIN = 5;
/** A guard: share of a list's hosts that a text release may remove. */
export const TEXT_HOSTS_REMOVED_SHARE = 0.2;
/** A list with fewer hosts counts as this many. */
export const TEXT_HOSTS_COUNTED_MIN = 50;
