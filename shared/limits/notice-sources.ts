/** Limits of the sources of notices: the router, and the objects that notify receivers on their own. */

/** First and longest pause before a batch to a receiver is retried, in ms. The pause doubles with each failure. */
export const NOTICE_RETRY_MS = 1_000;
export const NOTICE_RETRY_MS_MAX = 300_000;
/** How long one call for notices may take, in ms. */
export const NOTICE_WAIT_MS = 10_000;
/** Notices that wait in one object for one receiver. Further notices are dropped, counted and logged. */
export const OUTBOX_NOTICES_MAX = 20_000;
/** Notices that wait in one object for all receivers. Beyond that, the router stops reading. */
export const OUTBOX_NOTICES_PAUSE = 100_000;

/** Events of the feed that the router reads at once. */
export const ROUTED_EVENTS_MAX = 256;
/** Organisations that have registered one number and get its notices. */
export const ROUTED_ORGANISATIONS_MAX = 20;
/** Blocked senders that the router remembers, to notify of their unblocking. Beyond that, the oldest are dropped. */
export const ROUTED_SENDERS_MAX = 1_000_000;
/** How long the router uses the operators and their webhooks before it reads them again, in ms. */
export const OPERATORS_FRESH_MS = 30_000;
/** Attempts of the router to read the reports about a sender. After that, the guidance omits them. */
export const REPORT_FACTS_ATTEMPTS = 3;

/** How long an operator has to inform its subscribers, in ms. */
export const GUIDANCE_RESPOND_MS = 86_400_000;
/** Daily notices (Asia/Seoul) of blocked senders for one operator's subscribers. Further notices are dropped and counted. */
export const GUIDANCE_PER_DAY_MAX = 20_000;
/** The same for numbers that sent many texts. It is a separate limit, so that no client can use up the limit for blocks. */
export const OWNERS_USED_PER_DAY_MAX = 5_000;

/** Texts that a mobile number may send through one client per day before its owner is notified. The policy sets it. */
export const OWNER_USED_TEXTS_DEFAULT = 500;
export const OWNER_USED_TEXTS_MIN = 10;
export const OWNER_USED_TEXTS_MAX = 1_000_000;
/** Mobile numbers that an isolate counts for one client between two flushes. Other texts add to the uncounted texts. */
export const MOBILE_SENDERS_MAX = 1_024;
/** Mobile numbers that are counted for one client per day. Texts of other numbers add to the uncounted texts. */
export const MOBILE_SENDERS_PER_DAY_MAX = 16_384;
/** Owners that are notified per day because of one client. Further notices are dropped and counted. */
export const OWNERS_PER_CLIENT_DAY_MAX = 1_000;
/** How long a counter uses the limit of texts before it reads it again, in ms. */
export const OWNER_USED_SETTINGS_MS = 60_000;
/** How long the counts of a client use their stored limit, in ms: 10,000 clients make 17 calls a second. */
export const OWNER_USED_LIMIT_MS = 600_000;
/** Facts of one call from a counter to the router. */
export const OWNER_FACTS_MAX = 100;

/** Reports of one kind from which a sender learns their number. With fewer, it only learns that there are fewer. */
export const REPORTED_COUNT_MIN = 3;
/** Subjects whose registered senders one step looks up. */
export const REPORTED_AT_ONCE = 200;

/** Certificates that one step checks for reminders. */
export const CERTIFICATE_REMINDERS_AT_ONCE = 100;
/** Changes of qualifications that the router reads at once, and how many the coordinator keeps for it. */
export const QUALIFICATION_NOTICES_AT_ONCE = 100;
export const QUALIFICATION_NOTICES_MAX = 10_000;
