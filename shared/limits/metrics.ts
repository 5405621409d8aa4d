/** Limits of the metrics. */

/** How long an isolate answers scrapes from one reading of the stores, in ms. */
export const METRICS_FRESH_MS = 10_000;
/** How long a scrape waits for the coordinator to verify its token, and a reading waits for one store, in ms. */
export const METRICS_WAIT_MS = 3_000;
/** How long a scrape waits for the reading, in ms. With the wait for the token, less than the 10 s of Prometheus. */
export const METRICS_READING_WAIT_MS = 5_000;
/** How long scrapes get the last reading if a new reading fails, in ms. */
export const METRICS_KEPT_MS = 60_000;
/** A data centre counts if it polled within this time, in ms. */
export const DATA_CENTRE_SEEN_MS = 300_000;
/** Age of a head, in ms, from which each data centre should have it. */
export const DATA_CENTRE_BEHIND_MS = 60_000;
/**
 * How long an isolate accepts a token that it verified earlier, in ms, while the coordinator does not respond: metrics
 * are needed most at that time. Metrics contain neither numbers nor secrets.
 */
export const METRICS_TOKEN_KEPT_MS = 600_000;
/** Minimum time between two reports of an object's figures, in ms: 10,000 clients make 170 reports a second. */
export const FIGURES_REPORT_MS = 60_000;
/** Objects whose figures are kept: 10,000 clients with ten objects each, at some 500 bytes per object. */
export const FIGURE_SOURCES_MAX = 100_000;
