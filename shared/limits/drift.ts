/**
 * Bounds of drift: how long scores of texts are kept as counts, and from when on they raise an alarm.
 */

/** Days for which the counts of a client are kept. */
export const DRIFT_DAYS_KEPT = 35;
/** Days besides the current one that still count in an object of a client: flushes may come late. */
export const DRIFT_LATE_DAYS = 2;
/** Models, each with its release, that an object of a client counts on one day. Texts of others are not counted. */
export const DRIFT_DAY_MODELS_MAX = 16;
/** How often an object of a client reports its counts at most, in ms. */
export const DRIFT_REPORT_MS = 30_000;
/** Longest wait for a call between the objects of drift, in ms. */
export const DRIFT_WAIT_MS = 10_000;
/**
 * Rows of one day over all clients: one for each object of a client and model. Some 300 bytes each, so 35 days take at
 * most 210 MB. Further ones are refused, and logged.
 */
export const DRIFT_DAY_ROWS_MAX = 20_000;
/** How often the counts of canary and current release are compared while texts are counted, in ms. */
export const DRIFT_CANARY_MS = 60_000;
/** How often drift is computed while texts are counted, in ms. */
export const DRIFT_CHECK_MS = 600_000;
/** Clients in one answer. */
export const DRIFT_CLIENTS_PER_PAGE = 100;

/** Days before a day that it is compared with. */
export const DRIFT_BASE_DAYS = 7;
/** A population stability index above this raises an alarm: the usual bound of a major shift. */
export const TEXT_DRIFT_PSI_MAX = 0.25;
/**
 * Share of the texts of a mean day from which on the current day raises alarms: at night, other texts are sent than by day.
 */
export const DRIFT_DAY_SHARE = 0.25;
/** A PSI is refused if chance alone could make it larger than this share of TEXT_DRIFT_PSI_MAX. */
export const DRIFT_NOISE_SHARE = 0.5;

/** A candidate is withdrawn if its rate of suspicious texts exceeds that of the release in force by this factor. */
export const TEXT_CANARY_RATE_FACTOR = 2;
/** Texts of the candidate below which it is never withdrawn. */
export const TEXT_CANARY_TEXTS_MIN = 1_000;
/** Texts of a client under the release in force without which the client is left out of the comparison. */
export const TEXT_CANARY_BASE_MIN = 100;
