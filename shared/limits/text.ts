/**
 * Limits of text risk: what a check may send, and what a text release may hold.
 */

/** A text, in UTF-16 units: an MMS of the Korean operators has at most 2,000 characters. */
export const TEXT_CHARS_MAX = 2_000;
/** Characters of text that count as one number of the quota: a long text costs more to score than a short one. */
export const TEXT_CHARS_PER_NUMBER = 200;
/** Characters of texts that a batch or stream reads and scores at once, before other requests get a turn: some 2 ms. */
export const TEXT_CHARS_PER_TURN = 20_000;
/** Letters of a folded text: a syllable has two to seven, and one character can fold to 18 (U+FDFA). */
export const LETTERS_MAX = 6_000;
/**
 * Hosts of one text: as many as fit, so that none can hide behind others. Densest is `a.kr.xx `, which can mean two, and
 * each name that is read as IDNA adds two.
 */
export const TEXT_HOSTS_MAX = 600;
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
/** How far the version is set above that of the head if the store has lost its tables: later ones may not be in it. */
export const TEXT_RESTORED_GAP = 1_000;
/** Text releases that control keeps, to roll back to. */
export const TEXT_RELEASES_KEPT = 8;
/** Canary texts of an operator that a build scores, and the bytes of their file. */
export const CANARY_TEXTS_MAX = 100_000;
export const CANARY_FILE_BYTES_MAX = 268_435_456;

/** Equal bins of scores from 0 to 1, in which texts are counted. */
export const SCORE_BINS = 20;
/** Models, each with its release, of one hour that an isolate counts for one client. Texts of others are not counted. */
export const COUNTED_MODELS_MAX = 4;
/** Body of a pushed text release, in bytes: the largest host table and model in base64, and a manifest. */
export const TEXT_RELEASE_BODY_BYTES_MAX = 3_200_000;
/** Text releases that one token may push in a day, whatever comes of them: each is opened and decoded. */
export const TEXT_PUSHES_PER_DAY_MAX = 100;

/** Guards of text releases: share of the legitimate texts of a domain that a model may call suspicious. */
export const TEXT_DOMAIN_RATE_MAX = 0.005;
/** How many times more legitimate texts a model may call suspicious than the model in force. */
export const TEXT_LABEL_RATE_FACTOR = 2;
/** Fewer texts than this count as this many: one or two more say nothing. */
export const TEXT_LABELS_EXPECTED_MIN = 5;
/** Share of the hosts of a list that a release may remove. */
export const TEXT_HOSTS_REMOVED_SHARE = 0.2;
/** Smaller lists count as this many hosts. */
export const TEXT_HOSTS_COUNTED_MIN = 50;
