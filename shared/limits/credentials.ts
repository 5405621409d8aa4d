/**
 * Limits of sender credentials: certificates, delegations, message tokens and their status lists.
 */

/** A credential or a message token as compact JWS, in characters. A token with five links has some 900. */
export const TOKEN_CHARS_MAX = 4_096;
/** How much the clocks of signer and verifier may differ, in seconds. */
export const CLOCK_SKEW_S = 60;
/** Life of a message token, in seconds: what a stolen one is worth. */
export const TOKEN_LIFE_MAX_S = 900;
/** Age of a proof of possession, in seconds. */
export const PROOF_AGE_MAX_S = 600;
/** Links of a chain: a certificate, and delegations from owner to reseller to relay, with room for two more. */
export const CHAIN_LINKS_MAX = 5;
/** Numbers and ranges that one credential names. Each becomes a registration. */
export const CREDENTIAL_NUMBERS_MAX = 32;
/** `sub`, `jti` and `osc`, in characters. */
export const CLAIM_CHARS_MAX = 64;
/** `iss` and the URI of a status list, in characters. */
export const URI_CHARS_MAX = 256;
/** Keys of one issuer: two during a rotation, for each of the two algorithms. */
export const ISSUER_KEYS_MAX = 4;

/** Entries of a status list: 250 KB with two bits each. */
export const STATUS_ENTRIES_MAX = 1_000_000;
/** A status list as JWS, in characters: a million random entries of two bits in base64 have 0.34 million. */
export const STATUS_LIST_CHARS_MAX = 524_288;
/** Status lists that the edge knows. */
export const STATUS_LISTS_MAX = 64;
/** Bytes of all status lists in an isolate, inflated: eight of the largest, or many small ones. */
export const STATUS_LISTS_BYTES_MAX = 2_097_152;

/** Shards of the credential table: a power of two. */
export const CREDENTIAL_SHARDS_MAX = 256;
/** Mean count of rows above which the count of shards doubles: a shard has some 300 KB, and a change rewrites one. */
export const CREDENTIAL_SHARD_ROWS = 2_048;
/** Bytes of credential shards that an isolate holds: those of 50,000 certificates. */
export const ISOLATE_CREDENTIAL_BYTES_MAX = 8_388_608;

/** Bytes of verified message tokens that an isolate holds: some 5,000. */
export const TOKENS_BYTES_MAX = 8_388_608;
/** Bytes of refused ones, kept apart so that garbage evicts no verified token. */
export const REFUSED_TOKENS_BYTES_MAX = 1_048_576;
/** Bytes that a token takes besides its text, and that each of its links takes: both approximate. */
export const TOKEN_OVERHEAD_BYTES = 512;
export const LINK_OVERHEAD_BYTES = 512;
/** Tokens of one client that an isolate verifies in a second. */
export const VERIFICATIONS_PER_SECOND_MAX = 250;
/** Numbers of the quota that the verification of a token counts as. */
export const VERIFICATION_NUMBERS = 50;

/** Issuers. */
export const ISSUERS_MAX = 100;
/** Ranges of numbers of one issuer. */
export const ISSUER_RANGES_MAX = 1_000;
/** Operators of one issuer. */
export const ISSUER_OPERATORS_MAX = 16;
/** Hosts of the status lists of one issuer. */
export const ISSUER_STATUS_HOSTS_MAX = 8;
/** Certificates that have not expired, of all organisations: 100 MB as JWS. */
export const CERTIFICATES_MAX = 500_000;
/** Those of one organisation. */
export const CERTIFICATES_PER_ORGANISATION_MAX = 100_000;
/** Uploads of one organisation a day, refused ones included: each costs two signatures. */
export const CERTIFICATE_UPLOADS_PER_DAY_MAX = 100_000;
/** Delegations that have not ended, and in all: each has an entry of the service's own status list. */
export const DELEGATIONS_PER_ORGANISATION_MAX = 1_000;
export const DELEGATIONS_MAX = 100_000;
/** Proposals of one organisation a day. */
export const DELEGATIONS_PER_DAY_MAX = 1_000;
/** Longest life of a delegation, in ms: two years. */
export const DELEGATION_LIFE_MAX_MS = 63_072_000_000;
/** Longest reference of an upload, in characters: its registrations add a number. */
export const CERTIFICATE_REFERENCE_CHARS_MAX = 96;
/** How long an expired credential is kept, in ms: 90 days. Until then it is refused as expired, and not as unknown. */
export const EXPIRED_KEPT_MS = 7_776_000_000;
/** Certificates and delegations on one page: at most 4 MB with their JWS. */
export const CREDENTIALS_PAGE_MAX = 500;

/** Response of a pull, in bytes. */
export const STATUS_PULL_BYTES_MAX = 1_048_576;
/** Time for a pull, in ms. */
export const STATUS_PULL_WAIT_MS = 10_000;
/** Time between two pulls of a list, in seconds: the `ttl` of the list within these bounds. */
export const STATUS_PULL_TTL_MIN_S = 15;
export const STATUS_PULL_TTL_MAX_S = 86_400;
/** That of a list that has no `ttl`. */
export const STATUS_PULL_TTL_DEFAULT_S = 300;
/** Pulls at once: the platform permits six connections. */
export const STATUS_PULLS_AT_ONCE = 4;
/** Pause before the first retry of a change of registrations, and the longest one, in ms. It doubles each time. */
export const CERTIFIED_RETRY_MS = 1_000;
export const CERTIFIED_RETRY_MS_MAX = 300_000;
/** Certificates whose registrations change in one request to the store of an organisation. */
export const CERTIFIED_AT_ONCE = 500;
