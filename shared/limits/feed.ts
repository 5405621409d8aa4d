/**
 * Limits of the feed: reading the live layer, keeping events, and serving consumers.
 */

/** Places of the live layer in one answer of the coordinator: an index range of some 20 ms. */
export const FEED_CHANGES_MAX = 500;
/** Numbers and sender IDs that one step looks up in lists. It reads at most as many values from KV. */
export const FEED_CHECKS_MAX = 500;
/**
 * Values that one run reads from KV before it stops. With its last step, a run stays below the 1,000 operations that an
 * invocation may make. The alarm continues a second later.
 */
export const FEED_READS_MAX = 450;
/** Pages and checks of one run: some 5 s of work. The alarm continues at once, with a new time limit. */
export const FEED_STEPS_MAX = 40;
/** Events on a page. Pages are counted within their epoch, and a full page never changes. */
export const FEED_PAGE_EVENTS = 256;
/** Events of an epoch. The last step of an epoch may exceed this. With their entries, they take some 400 MB. */
export const FEED_EPOCH_EVENTS = 500_000;
/** How long an epoch lasts at most, in ms: 90 days. */
export const FEED_EPOCH_MS = 7_776_000_000;
/** Epochs whose events are kept: the current and the previous epoch. */
export const FEED_EPOCHS_KEPT = 2;
/** Events and rows that one step deletes. */
export const FEED_DELETED_AT_ONCE = 2_000;
/** Entries on a page of the snapshot. */
export const FEED_SNAPSHOT_PAGE_MAX = 2_000;
/** Events that a consumer inside the service gets at once. */
export const FEED_EVENTS_MAX = 1_000;
/** New events that one answer of the decision stream covers. The answer may repeat as many events. */
export const FEED_DECISIONS_MAX = 5_000;
/** Longest wait for the next event, in ms. */
export const FEED_WAIT_MS_MAX = 25_000;
/** Requests that wait for the next event. Further requests are answered at once. */
export const FEED_WAITING_MAX = 500;
/** How long the position of a client of the decision stream is kept, in ms: 90 days. */
export const FEED_POLLER_KEPT_MS = 7_776_000_000;
/** Longest cursor, in characters: 16 digits of the feed, an epoch and a position. */
export const FEED_CURSOR_CHARS_MAX = 50;
/** First and longest pause after a failure, in ms. */
export const FEED_RETRY_MS = 1_000;
export const FEED_RETRY_MS_MAX = 60_000;
/** Time limit of a call to the coordinator, and of a value read from KV, in ms. */
export const FEED_CALL_WAIT_MS = 10_000;
/** Lag of the feed from which the log warns, in ms. */
export const FEED_LAG_WARNING_MS = 300_000;
/**
 * Unread places that the coordinator keeps for the feed after it has dropped their folded rows: some 60 MB. Beyond this,
 * places are lost, and the log says `feedPlacesLost`.
 */
export const FEED_UNREAD_MAX = 500_000;
/** Shards of the current release that the feed holds, in bytes: 32 of the largest. */
export const FEED_SHARD_BYTES = 16_777_216;
