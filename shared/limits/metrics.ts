/** Limits of the metrics. */

/** How long an isolate answers scrapes from one reading of the stores, in ms. */
export const METRICS_FRESH_MS = 10_000;
/** How long a scrape waits for the coordinator to know its token, and a reading for one store, in ms. */
export const METRICS_WAIT_MS = 3_000;
/** How long a scrape waits for the reading, in ms. With the token, that is less than the 10 s that Prometheus waits. */
export const METRICS_READING_WAIT_MS = 5_000;
/** How long the last reading is answered if a new one fails, in ms. */
export const METRICS_KEPT_MS = 60_000;
/** A data centre counts if it polled within this time, in ms. */
export const DATA_CENTRE_SEEN_MS = 300_000;
/** From this age on, in ms, a data centre should have the head. */
export const DATA_CENTRE_BEHIND_MS = 60_000;
/**
 * How long an isolate accepts a token that it has verified while the coordinator does not respond, in ms: that is when
 * metrics are needed most. They have neither numbers nor secrets.
 */
export const METRICS_TOKEN_KEPT_MS = 600_000;
/** Minimum time between two reports of the figures of an object, in ms: 10,000 clients make 170 reports a second. */
export const FIGURES_REPORT_MS = 60_000;
/** Objects whose figures are kept: 10,000 clients with ten objects each. One takes some 500 bytes. */
export const FIGURE_SOURCES_MAX = 100_000;
