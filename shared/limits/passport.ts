/**
 * Limits of PASSporTs that gateways send, and of the certificates that control fetches and publishes to verify them.
 */

/** Values of `identity` in one request: a PASSporT of the caller, and up to three diversions. */
export const IDENTITY_VALUES_MAX = 4;
/** All these values together, in characters. A PASSporT with a long `x5u` has 700. */
export const IDENTITY_CHARS_MAX = 8_192;
/** How far `iat` of a PASSporT may be from now, either way, in seconds (RFC 8224, section 12.1). */
export const PASSPORT_FRESH_SECONDS = 60;
/** Recipients that one PASSporT names. */
export const PASSPORT_RECIPIENTS_MAX = 16;
/** Bytes of verified PASSporTs that an isolate holds: some 3,000, as many as a busy gateway sends in a minute. */
export const PASSPORTS_BYTES_MAX = 4_194_304;
/** Unknown certificates that an isolate counts until its next log line about them. Further certificates do not count. */
export const UNKNOWN_SIGNERS_MAX = 64;
/** Time between two such log lines of an isolate, in ms. */
export const UNKNOWN_SIGNERS_LOG_MS = 60_000;

/** Configured roots. Each is tried for every chain. */
export const PASSPORT_ROOTS_MAX = 32;
/** Hosts that one root is trusted for. */
export const PASSPORT_HOSTS_MAX = 32;
/** Configured certificates of all signers, including successors. */
export const PASSPORT_CERTIFICATES_MAX = 1_000;
/** URL of a certificate, in characters. Every PASSporT carries it. */
export const PASSPORT_URL_CHARS_MAX = 512;
/** Ranges that an admin configures for the service provider codes of one certificate. */
export const PASSPORT_NUMBERS_MAX = 1_000;
/** Ranges of all published certificates: 0.6 MB in the memory of each isolate. */
export const PASSPORT_SPANS_MAX = 20_000;

/** A certificate chain in PEM, in characters. A certificate on P-256 has 1,000. */
export const PASSPORT_CHAIN_CHARS_MAX = 65_536;
/** Certificates of a chain, its root included. Each costs a verification. */
export const PASSPORT_CHAIN_CERTIFICATES_MAX = 6;
/** Entries of the TN authorization list of one certificate. */
export const PASSPORT_AUTHORIZATIONS_MAX = 1_000;

/** Time between two fetches of a valid chain, in ms. A chain that ends earlier is fetched sooner. */
export const PASSPORT_FETCH_MS = 86_400_000;
/** A chain is fetched again this long before it ends, in ms, so that a successor at the same URL is found in time. */
export const PASSPORT_RENEW_MS = 21_600_000;
/** First pause after a failed fetch, in ms. It doubles up to PASSPORT_FETCH_MS. */
export const PASSPORT_RETRY_MS = 60_000;
/** Longest wait for a chain, in ms. */
export const PASSPORT_FETCH_WAIT_MS = 10_000;
/** Chains that control fetches at once: as many connections as one invocation may have. */
export const PASSPORT_FETCHES_AT_ONCE = 6;
