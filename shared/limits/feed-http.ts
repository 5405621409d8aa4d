/**
 * Limits of the feed over HTTP. Unless stated otherwise, each limit applies to one client in one isolate.
 */

/** Requests in FEED_WINDOW_MS: ten a second, enough to catch up with pages of 256 events. */
export const FEED_REQUESTS_MAX = 600;
/** The same over all clients of the isolate. */
export const FEED_REQUESTS_TOTAL_MAX = 6_000;
/** Snapshots in FEED_WINDOW_MS: one of 500,000 entries is some 120 MB. */
export const FEED_SNAPSHOTS_MAX = 6;
export const FEED_SNAPSHOTS_TOTAL_MAX = 60;
export const FEED_WINDOW_MS = 60_000;
/** Long polls and event streams that are open at the same time. */
export const FEED_OPEN_MAX = 8;
/** How long a request counts as open beyond its wait, in ms, because nothing signals that a client has gone away. */
export const FEED_WAIT_MARGIN_MS = 15_000;
/** When clients should retry after FEED_OPEN_MAX, or after a poll that could not wait, in seconds. */
export const FEED_RETRY_AFTER_SECONDS = 5;
/** How long an event stream lasts, in ms. The consumer then reconnects, possibly to a newer version of the service. */
export const FEED_STREAM_MS = 300_000;
/** Time between two comments that keep a stream alive, in ms. Proxies close idle connections after 30 to 60 seconds. */
export const FEED_HEARTBEAT_MS = 15_000;
/** How soon the consumer reconnects after the end of a stream, in ms. */
export const FEED_RECONNECT_MS = 2_000;
/** Pause of a stream whose wait ended early without events, because too many requests wait already, in ms. */
export const FEED_PAUSE_MS = 1_000;
/** Entries in one encrypted piece of a snapshot: a line of at most 60 KB. */
export const FEED_PIECE_ENTRIES = 100;
/**
 * Duration of a CrowdSec decision that has no end, in hours: a year. If the decision ends earlier, the stream reports
 * that.
 */
export const FEED_DECISION_HOURS = 8_760;
