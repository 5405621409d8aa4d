/**
 * Limits of drift: how long the counts of scores of texts are kept, and when they raise an alarm.
 */

/** Days for which the counts of a client are kept. */
export const DRIFT_DAYS_KEPT = 35;
/** Past days that an object of a client still counts, because flushes may be late. */
export const DRIFT_LATE_DAYS = 2;
/** Models, each with its release, that an object of a client counts on one day. Texts of further models do not count. */
export const DRIFT_DAY_MODELS_MAX = 16;
/** Minimum time between two reports of counts by an object of a client, in ms. */
export const DRIFT_REPORT_MS = 30_000;
/** Longest wait for a call between the objects of drift, in ms. */
export const DRIFT_WAIT_MS = 10_000;
/**
 * Rows of one day over all clients: one row for each object of a client and model. At some 300 bytes each, 35 days take
 * at most 210 MB. Further rows are refused and logged.
 */
export const DRIFT_DAY_ROWS_MAX = 20_000;
/** Time between two comparisons of canary and current release while texts are counted, in ms. */
export const DRIFT_CANARY_MS = 60_000;
/** Time between two computations of drift while texts are counted, in ms. */
export const DRIFT_CHECK_MS = 600_000;
/** Clients in one answer. */
export const DRIFT_CLIENTS_PER_PAGE = 100;

/** Number of preceding days that a day is compared with. */
export const DRIFT_BASE_DAYS = 7;
/** A population stability index above this raises an alarm: the usual bound of a major shift. */
export const TEXT_DRIFT_PSI_MAX = 0.25;
/**
 * Share of a mean day's texts from which the current day raises alarms, because texts at night differ from those by day.
 */
export const DRIFT_DAY_SHARE = 0.25;
/** A PSI is refused if chance alone could make it larger than this share of TEXT_DRIFT_PSI_MAX. */
export const DRIFT_NOISE_SHARE = 0.5;

/** A candidate is withdrawn if its rate of suspicious texts exceeds that of the release in force by this factor. */
export const TEXT_CANARY_RATE_FACTOR = 2;
/** A candidate with fewer texts is never withdrawn. */
export const TEXT_CANARY_TEXTS_MIN = 1_000;
/** A client with fewer texts under the release in force is left out of the comparison. */
export const TEXT_CANARY_BASE_MIN = 100;
