/** Limits of notices and webhooks: how much an organisation gets, and how much its receivers may cost. */

/** Notices in one batch from one source. */
export const NOTICE_BATCH_MAX = 256;
/** The data of one notice, as JSON in UTF-8, in bytes. */
export const NOTICE_DATA_BYTES_MAX = 8_192;
export const NOTICE_KEY_CHARS_MAX = 200;
export const NOTICE_SUBJECT_CHARS_MAX = 200;
/** How long notices are kept, delivered or not, in ms: 90 days. */
export const NOTICE_KEPT_MS = 7_776_000_000;
/** Notices that are kept for one organisation. Beyond that, the oldest that no enabled webhook waits for are removed. */
export const NOTICES_MAX = 100_000;
/** Notices in one answer. */
export const NOTICES_PAGE_MAX = 200;
/** Notices that one step removes, at most. */
export const NOTICES_REMOVED_AT_ONCE = 1_000;
/** Time between two removals of old notices, in ms: an hour. */
export const NOTICES_SWEEP_MS = 3_600_000;
/** Time between two log warnings of a full store, in ms: an hour. */
export const NOTICES_FULL_WARNED_MS = 3_600_000;
/** Subjects in one query for evidence. */
export const NOTICE_SUBJECTS_MAX = 50;
/** The status counts notices and deliveries only up to this many, which bounds its cost. */
export const NOTICES_COUNTED_MAX = 10_000;

/** Subscribers that one answer to guidance may name. */
export const INFORMED_MAX = 100_000_000;
export const ACKNOWLEDGEMENT_NOTE_CHARS_MAX = 500;
/** How long an answer can be corrected after it was first given, in ms: a day. */
export const ACKNOWLEDGEMENT_CORRECTED_MS = 86_400_000;
/** How far `at` of an answer may be in the future, in ms, because clocks differ. */
export const ACKNOWLEDGEMENT_AHEAD_MS = 300_000;
/** Body of an answer to guidance, in bytes: its fields in JSON, with every character of the note escaped. */
export const ACKNOWLEDGEMENT_BYTES_MAX = 8_192;

/** Webhooks of one organisation. */
export const WEBHOOKS_MAX = 8;
/** Hosts on the list of one organisation. */
export const WEBHOOK_HOSTS_MAX = 16;
/** A host name with its port, in characters. */
export const WEBHOOK_HOST_CHARS_MAX = 260;
export const WEBHOOK_URL_CHARS_MAX = 1_024;
/** Timeout of one attempt, from the connection to the headers of the response, in ms. */
export const WEBHOOK_WAIT_MS = 15_000;
/** How much of a response's body is read, in bytes, and for how long, in ms. The rest is cancelled. */
export const WEBHOOK_RESPONSE_BYTES_MAX = 1_024;
export const WEBHOOK_RESPONSE_WAIT_MS = 2_000;
/** Attempts to deliver a notice over 75 hours, as Standard Webhooks recommends (shared/notices/ladder.ts). */
export const WEBHOOK_ATTEMPTS_MAX = 10;
/** Attempts to deliver a notice that is replayed. */
export const WEBHOOK_REPLAY_ATTEMPTS_MAX = 3;
/** Share by which a pause is randomly longer or shorter. */
export const WEBHOOK_JITTER_SHARE = 0.1;
/** Longest pause that a receiver can request with `Retry-After`, in ms: a day. */
export const WEBHOOK_RETRY_AFTER_MS_MAX = 86_400_000;
/** A webhook is disabled after it has failed for this long, in ms: 5 days. */
export const WEBHOOK_FAILING_MS_MAX = 432_000_000;
/** A webhook is not disabled before this many attempts for one notice: it may have had nothing to deliver for days. */
export const WEBHOOK_FAILING_ATTEMPTS_MIN = 4;
/** How long the previous secret still signs after a rotation, in ms: a day. */
export const WEBHOOK_ROTATION_MS = 86_400_000;
/** Webhooks of one organisation that are served at the same time. The platform opens six connections. */
export const WEBHOOKS_PARALLEL_MAX = 6;
/** How long one run of deliveries lasts, in ms. The next run follows at once. An alarm may take 15 minutes. */
export const WEBHOOK_RUN_MS_MAX = 300_000;
/** An attempt without a result after this time was cut off, in ms. It is far longer than the timeouts of an attempt. */
export const WEBHOOK_LEASE_MS = 60_000;
/** Pause while the organisation is suspended, or a secret of the service is missing, in ms: 5 minutes. */
export const WEBHOOK_BLOCKED_MS = 300_000;
/** First and longest pause while the coordinator does not respond, in ms. */
export const NOTICES_RETRY_MS = 5_000;
export const NOTICES_RETRY_MS_MAX = 300_000;
/** How long a store uses the facts of its organisation, in ms. A host that was removed from the list works as long. */
export const NOTICE_FACTS_FRESH_MS = 30_000;
/** Newest attempts of one delivery that are kept with their results. */
export const WEBHOOK_ATTEMPTS_KEPT = 20;
/** Changes of webhooks, tests and replays of one organisation per hour. Removing and disabling are always possible. */
export const WEBHOOK_CHANGES_PER_HOUR_MAX = 120;
/** Deliveries that one request replays, and deliveries on a page. */
export const WEBHOOK_REPLAYS_MAX = 1_000;
export const DELIVERIES_PAGE_MAX = 200;

/** Window of the limit on requests of clients for notices, in ms. */
export const NOTICE_WINDOW_MS = 60_000;
/** Requests of one client, and of all clients, in a window, in one isolate. */
export const NOTICE_REQUESTS_MAX = 600;
export const NOTICE_REQUESTS_TOTAL_MAX = 30_000;
