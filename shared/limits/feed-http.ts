/**
 * Limits of the feed over HTTP. All hold for one client in one isolate.
 */

/** Requests in FEED_WINDOW_MS: ten a second, as many as pages of 256 events need to catch up. */
export const FEED_REQUESTS_MAX = 600;
/** The same over all clients of the isolate. */
export const FEED_REQUESTS_TOTAL_MAX = 6_000;
/** Snapshots in FEED_WINDOW_MS: one of 500,000 entries is some 120 MB. */
export const FEED_SNAPSHOTS_MAX = 6;
export const FEED_SNAPSHOTS_TOTAL_MAX = 60;
export const FEED_WINDOW_MS = 60_000;
/** Long polls and event streams that are open at the same time. */
export const FEED_OPEN_MAX = 8;
/** When to try again after FEED_OPEN_MAX, or after a poll that could not wait, in seconds. */
export const FEED_RETRY_AFTER_SECONDS = 5;
/** How long an event stream lasts, in ms. The consumer reconnects then, perhaps to a newer version of the service. */
export const FEED_STREAM_MS = 300_000;
/** Time between two comments that show that the stream is alive, in ms: proxies close after 30 to 60 seconds. */
export const FEED_HEARTBEAT_MS = 15_000;
/** When the consumer reconnects after the end of a stream, in ms. */
export const FEED_RECONNECT_MS = 2_000;
/** Pause of a stream whose wait ended early without events, because too many wait already, in ms. */
export const FEED_PAUSE_MS = 1_000;
/** Entries in one encrypted piece of a snapshot: a line of at most 60 KB. */
export const FEED_PIECE_ENTRIES = 100;
/**
 * How long a decision of the CrowdSec stream lasts that has no end, in hours: a year. When it ends earlier, the stream
 * says so.
 */
export const FEED_DECISION_HOURS = 8_760;
