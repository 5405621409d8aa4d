/**
 * Limits of sender credentials: certificates, delegations, message tokens and their status lists.
 */

/** A credential or a message token as compact JWS, in characters. A token with five links has some 900. */
export const TOKEN_CHARS_MAX = 4_096;
/** How much the clocks of signer and verifier may differ, in seconds. */
export const CLOCK_SKEW_S = 60;
/** Longest life of a message token, in seconds. Bounds the use of a stolen token. */
export const TOKEN_LIFE_MAX_S = 900;
/** Largest age of a proof of possession, in seconds. */
export const PROOF_AGE_MAX_S = 600;
/** Links of a chain: a certificate, delegations from owner to reseller to relay, and room for two more. */
export const CHAIN_LINKS_MAX = 5;
/** Numbers and ranges that one credential names. Each becomes a registration. */
export const CREDENTIAL_NUMBERS_MAX = 32;
/** `sub`, `jti` and `osc`, in characters. */
export const CLAIM_CHARS_MAX = 64;
/** `iss` and the URI of a status list, in characters. */
export const URI_CHARS_MAX = 256;
/** Keys of one issuer: two during a rotation, for each of the two algorithms. */
export const ISSUER_KEYS_MAX = 4;

/** Entries of a status list: 256 KiB with two bits each. The test vectors of the draft are as long. */
export const STATUS_ENTRIES_MAX = 1_048_576;
/** A status list as JWS, in characters. A full list of random two-bit entries has 0.47 million, encoded in base64 twice. */
export const STATUS_LIST_CHARS_MAX = 524_288;
/** Status lists that the edge knows. */
export const STATUS_LISTS_MAX = 64;
/** Bytes of all status lists in an isolate, inflated: eight of the largest, or many small ones. */
export const STATUS_LISTS_BYTES_MAX = 2_097_152;
/** Lists of one issuer, and their bytes, inflated. No issuer may use up the room that others need to revoke. */
export const ISSUER_STATUS_LISTS_MAX = 16;
export const ISSUER_STATUS_LISTS_BYTES_MAX = 1_048_576;

/** Shards of the credential table: a power of two. */
export const CREDENTIAL_SHARDS_MAX = 256;
/** Mean rows per shard above which the number of shards doubles. A shard has some 300 KB, and a change rewrites one. */
export const CREDENTIAL_SHARD_ROWS = 2_048;
/** Bytes of credential shards that an isolate holds: those of 50,000 certificates. */
export const ISOLATE_CREDENTIAL_BYTES_MAX = 8_388_608;

/** Bytes of verified message tokens that an isolate holds: some 5,000. */
export const TOKENS_BYTES_MAX = 8_388_608;
/** Bytes of refused tokens. They are kept apart, so that garbage evicts no verified token. */
export const REFUSED_TOKENS_BYTES_MAX = 1_048_576;
/** Approximate bytes of a token besides its text, of each of its links, and of each range of a link. */
export const TOKEN_OVERHEAD_BYTES = 512;
export const LINK_OVERHEAD_BYTES = 512;
export const SPAN_OVERHEAD_BYTES = 64;
/** Bytes of imported keys of message tokens that an isolate holds: some 1,000 keys of about SIGNING_KEY_BYTES each. */
export const SIGNING_KEYS_BYTES_MAX = 1_048_576;
export const SIGNING_KEY_BYTES = 1_024;
/**
 * New message tokens of one client that an isolate verifies in a second: some 2 % of a processor. One token serves all
 * texts of a sender for minutes.
 */
export const TOKENS_PER_SECOND_MAX = 100;
/** The same for PASSporTs: some 5 % of a processor. Each call at a gateway has its own PASSporT. */
export const PASSPORTS_PER_SECOND_MAX = 250;
/**
 * Shards of the credential table that an isolate reads for new tokens of one client in a second: those of 100,000
 * certificates. Opening one of 230 KB took 0.7 ms of a processor. Without a bound, each token with made-up digests makes an
 * isolate read up to five.
 */
export const SHARD_READS_PER_SECOND_MAX = 64;
/**
 * Numbers of the quota that the verification of a token counts as: its processor time divided by that of one number in a
 * large batch. On one busy machine, ES256 took 190 to 256 µs, and a number 2.0 µs.
 */
export const VERIFICATION_NUMBERS = 128;
