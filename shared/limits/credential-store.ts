/**
 * Limits of the credential store: issuers, certificates, delegations, pulls of status lists.
 */

/** Issuers. */
export const ISSUERS_MAX = 100;
/** Ranges of numbers of one issuer. */
export const ISSUER_RANGES_MAX = 1_000;
/** Operators of one issuer. */
export const ISSUER_OPERATORS_MAX = 16;
/** Hosts of the status lists of one issuer. */
export const ISSUER_STATUS_HOSTS_MAX = 8;
/** Certificates of all organisations: 1 GB with indexes and audit records. Expired certificates count until removed. */
export const CERTIFICATES_MAX = 500_000;
/** Certificates of one organisation. */
export const CERTIFICATES_PER_ORGANISATION_MAX = 100_000;
/** Uploads of one organisation per day, including refused uploads. Each costs the verification of two signatures. */
export const CERTIFICATE_UPLOADS_PER_DAY_MAX = 100_000;
/** Delegations of one principal that have not ended. In total, there may be as many as a status list has entries. */
export const DELEGATIONS_PER_ORGANISATION_MAX = 1_000;
/** Proposals of one organisation a day. */
export const DELEGATIONS_PER_DAY_MAX = 1_000;
/** Longest life of a delegation, in ms: two years. */
export const DELEGATION_LIFE_MAX_MS = 63_072_000_000;
/** Longest reference of an upload, in characters. Its registrations append a number to it. */
export const CERTIFICATE_REFERENCE_CHARS_MAX = 96;
/** How long an expired credential is kept, in ms: 90 days. Until then, it is refused as expired, not as unknown. */
export const EXPIRED_KEPT_MS = 7_776_000_000;
/** Certificates and delegations on one page: at most 4 MB with their JWS. */
export const CREDENTIALS_PAGE_MAX = 500;

/** Response of a pull, in bytes. */
export const STATUS_PULL_BYTES_MAX = 1_048_576;
/** Time for a pull, in ms. */
export const STATUS_PULL_WAIT_MS = 10_000;
/** Bounds of the time between two pulls of a list, in seconds. Within them, the list's `ttl` decides. */
export const STATUS_PULL_TTL_MIN_S = 15;
export const STATUS_PULL_TTL_MAX_S = 86_400;
/** Time between two pulls of a list without `ttl`, in seconds. */
export const STATUS_PULL_TTL_DEFAULT_S = 300;
/** Pulls at the same time. The platform permits six connections. */
export const STATUS_PULLS_AT_ONCE = 4;
/** First and longest pause before a change of registrations is retried, in ms. The pause doubles with each failure. */
export const CERTIFIED_RETRY_MS = 1_000;
export const CERTIFIED_RETRY_MS_MAX = 300_000;
/** Certificates whose registrations change in one request to the store of an organisation. */
export const CERTIFIED_AT_ONCE = 500;
/** How far above the head's version the store continues after it has lost its tables. */
export const CREDENTIALS_RESTORED_GAP = 1_000_000;
