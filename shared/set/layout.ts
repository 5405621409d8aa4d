/**
 * The byte layout of everything that a release and the live layer store. No other file defines any of it. All
 * integers are little-endian. Bit streams are sequences of 32-bit words, first bit most significant.
 * docs/format.md describes this file in prose, with worked examples.
 */

/**
 * "NGS1", "NGP2", "NGR1", "NGF1", "NGC2", "NGL1", "NGG1", "NGK1", "NGH1", "NGT1", "NGM1" as little-endian words: shard,
 * pair shard, range table, source table, table of registered clients, live segment, registration segment, credential
 * table, host table, campaign table, text model.
 */
export const SHARD_MAGIC = 0x3153474e;
export const PAIRS_MAGIC = 0x3250474e;
export const RANGES_MAGIC = 0x3152474e;
export const SOURCES_MAGIC = 0x3146474e;
export const REGISTERED_MAGIC = 0x3243474e;
export const SEGMENT_MAGIC = 0x314c474e;
export const REGISTRATION_SEGMENT_MAGIC = 0x3147474e;
export const CREDENTIALS_MAGIC = 0x314b474e;
export const HOSTS_MAGIC = 0x3148474e;
export const CAMPAIGNS_MAGIC = 0x3154474e;
export const MODEL_MAGIC = 0x314d474e;

/** Version of the format as a whole. Readers reject any other. */
export const FORMAT_VERSION = 2 as const;
/** Header of tables and segments, in words: magic, format version, a count, and one more. */
export const HEADER_WORDS = 4;

/**
 * Shard header, in words: magic, format version, list count, part count, then the exclusive end of the slice
 * as prefix and suffix. The part table follows.
 */
export const SHARD_HEADER_WORDS = 6;
/** Part row, in words: start prefix, start suffix, then two section offsets (plain, dated) per list. */
export const PART_FIXED_WORDS = 2;
export const PART_WORDS_PER_LIST = 2;

/**
 * Pair shard: a shard with one list, whose part rows have a room in place of the second offset: the count of clients in
 * the group. A part with pairs lies within the positions of one group and prefix. A section has (key - start of the part) *
 * slots + slot for each pair, and the width of a bucket counts keys. There are CLIENT_GROUPS * room * SLOTS_PER_CLIENT
 * slots. pair-place.ts says what key and slot a pair has.
 */
export const SLOTS_PER_CLIENT = 2;
/** Groups of clients. Each position stands for this many images. */
export const CLIENT_GROUPS = 16;
/** Positions of a group and a prefix. */
export const GROUP_POSITIONS = 6_250_000;
/** Layout of pair shards and of the table of registered clients. Values of another layout are not read. */
export const REGISTERED_LAYOUT = 2;

/** First word of a section: kind | flags << 8 | parameter << 16. Second word: the count of entries. */
export const SECTION_RICE = 1;
export const SECTION_BITMAP = 2;
export const SECTION_SPARSE = 3;
export const SECTION_DATED = 4;
/** Flag: the section holds the keys that are NOT listed. */
export const FLAG_COMPLEMENT = 1;

/** Rice section: first, count, bucket width, bucket count; group rows; bits; a word of zeros. */
export const RICE_HEADER_WORDS = 4;
/** Buckets per group (as a shift). */
export const RICE_GROUP_SHIFT = 5;
/** Group row: the bit at which its first bucket starts, then the bits of each bucket, in one byte each. */
export const RICE_GROUP_WORDS = 9;
/** A length is one byte: the code of a bucket has at most this many bits. */
export const RICE_LENGTH_MASK = 255;
/** Bitmap section: first, count; then one bit for each suffix of the part. */
export const BITMAP_HEADER_WORDS = 2;
/** Sparse section: first, count, block count; then block rows; then bits. */
export const SPARSE_HEADER_WORDS = 3;
/** Sparse block row: first prefix, first suffix, bit offset. */
export const SPARSE_ROW_WORDS = 3;
/** Entries in a full sparse block. */
export const SPARSE_BLOCK_ENTRIES = 32;
/** Bits of the Rice parameter at the start of a sparse block. */
export const SPARSE_PARAMETER_BITS = 5;
/** Bits of an uncompressed suffix: 10^8 < 2^27. */
export const SUFFIX_BITS = 27;
/** Dated section: first, count; then dated rows of prefix, suffix, since, until. */
export const DATED_HEADER_WORDS = 2;
/** Dated row: key or fingerprint in two words, since, until (seconds since 1970). */
export const DATED_ROW_WORDS = 4;

/** `until` of an entry that does not expire. */
export const FOREVER = 0xffffffff;

/**
 * Range table: header with list count and 0; counts, padded to 8 bytes; then for each list the columns from
 * and to (8 bytes per element), since and until (4 each). The source table has the same header, counts
 * without padding, and dated rows of fingerprint, since, until.
 */
export const RANGE_ROW_BYTES = 24;
/** The two lists of ranges in a table of registered clients. Ranges of LIST_OWN belong to the client's organisation. */
export const REGISTERED_LISTS = 2;
export const LIST_REGISTERED = 0;
export const LIST_OWN = 1;
/**
 * Table of registered clients: magic, format version, client count, bytes of names, the row counts of LIST_REGISTERED
 * and LIST_OWN, then the count of clients of each group. For each of the two lists, the columns from and to (8 bytes per
 * row) and place (4 bytes, padded to 8 in all), ordered by place and number. Then the names, by group and in ascending
 * order, each ended by a line feed, padded to 8 bytes with zeros. The place of a client is its index among the names,
 * and its rank is the index among those of its group.
 */
export const REGISTERED_HEADER_WORDS = 6 + CLIENT_GROUPS;

/**
 * Live segment: header with row count and bytes of names; rows of high, low, until, seq, flags; then names,
 * each ended by a line feed.
 */
export const SEGMENT_ROW_WORDS = 5;
/**
 * Flags of a segment row: kind | op << 2 | subjects << 4 | code << 8 | authority << 16. Kind and op index
 * LIVE_KINDS and LIVE_OPS. Code and authority index the names; code counts from 1, with 0 for none.
 */
export const SEGMENT_KIND_MASK = 3;
export const SEGMENT_OP_SHIFT = 2;
export const SEGMENT_SUBJECTS_SHIFT = 4;
export const SEGMENT_CODE_SHIFT = 8;
export const SEGMENT_AUTHORITY_SHIFT = 16;

/**
 * Registration segment: header with row count and bytes of names; rows of prefix, suffix, version, flags; then the
 * names of the clients, each ended by a line feed.
 */
export const REGISTRATION_ROW_WORDS = 4;
/** Flags of a registration row: client | count of numbers after the first << 16 | op << 30. */
export const REGISTRATION_CLIENT_MASK = 0xffff;
export const REGISTRATION_MORE_SHIFT = 16;
export const REGISTRATION_MORE_MASK = 0x3fff;
export const REGISTRATION_OP_SHIFT = 30;

/**
 * Credential table: magic, format version, count of rows, of spans, of principals, and bytes of names. Then, for each
 * row in the order of the digests: the columns digest (32 bytes) and key (64), and a row of eight words: nbf, exp,
 * index in the status list, first span, flags, organisation, status list, principal. Then the principals (32 bytes
 * each) and the spans (first and last number, 8 bytes each). Then the names of organisations and status lists in
 * ascending order, each ended by a line feed, padded to 8 bytes with zeros.
 */
export const CREDENTIALS_HEADER_WORDS = 6;
export const CREDENTIAL_DIGEST_BYTES = 32;
/** The x and y of a P-256 key, or an Ed25519 key and zeros. */
export const CREDENTIAL_KEY_BYTES = 64;
export const CREDENTIAL_ROW_WORDS = 8;
export const CREDENTIAL_SPAN_BYTES = 16;
/**
 * Flags of a credential: kind | algorithm << 1 | sms << 2 | voice << 3 | spans << 8. Kind and algorithm index
 * CREDENTIAL_KINDS and KEY_ALGORITHMS. A principal counts from 1, with 0 for none.
 */
export const CREDENTIAL_ALGORITHM_SHIFT = 1;
export const CREDENTIAL_SCOPE_SHIFT = 2;
export const CREDENTIAL_SPANS_SHIFT = 8;

/** Sealed value: 12-byte nonce, then AES-256-GCM ciphertext with its 16-byte tag. */
export const SEAL_NONCE_BYTES = 12;
export const SEAL_TAG_BYTES = 16;
