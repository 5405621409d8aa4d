/** Bounds of where notices come from: the router, and the objects that notify receivers on their own. */

/** Pause before the first retry of a batch to a receiver, and the longest one, in ms. It doubles with each failure. */
export const NOTICE_RETRY_MS = 1_000;
export const NOTICE_RETRY_MS_MAX = 300_000;
/** How long one call for notices may take, in ms. */
export const NOTICE_WAIT_MS = 10_000;
/** Notices that wait in one object for one receiver. Further ones are dropped, counted and logged. */
export const OUTBOX_NOTICES_MAX = 20_000;
/** Notices that wait in one object for all receivers. Beyond, the router reads no further. */
export const OUTBOX_NOTICES_PAUSE = 100_000;

/** Events of the feed that the router reads at once. */
export const ROUTED_EVENTS_MAX = 256;
/** Organisations that have registered one number and get its notices. */
export const ROUTED_ORGANISATIONS_MAX = 20;
/** Blocked senders that the router remembers, so that it can say when they are unblocked. Beyond, the oldest go. */
export const ROUTED_SENDERS_MAX = 1_000_000;
/** How long the router uses the operators and their webhooks before it reads them again, in ms. */
export const OPERATORS_FRESH_MS = 30_000;
/** How often it tries to read what was reported about a sender. Then the guidance says nothing about it. */
export const REPORT_FACTS_ATTEMPTS = 3;

/** How long an operator has to inform its subscribers, in ms. */
export const GUIDANCE_RESPOND_MS = 86_400_000;
/** Notices of blocked senders for the subscribers of each operator in a day (Asia/Seoul). Further ones are dropped and counted. */
export const GUIDANCE_PER_DAY_MAX = 20_000;
/** The same for numbers that sent many texts: they have a bound of their own, so no client can use up that of blocks. */
export const OWNERS_USED_PER_DAY_MAX = 5_000;

/** Texts that a mobile number may send through one client in a day before its owner is notified. The policy sets it. */
export const OWNER_USED_TEXTS_DEFAULT = 500;
export const OWNER_USED_TEXTS_MIN = 10;
export const OWNER_USED_TEXTS_MAX = 1_000_000;
/** Mobile numbers that an isolate counts for one client between two flushes. Texts of others are counted as uncounted. */
export const MOBILE_SENDERS_MAX = 1_024;
/** Mobile numbers that are counted for one client in a day. Texts of others are counted as uncounted. */
export const MOBILE_SENDERS_PER_DAY_MAX = 16_384;
/** Owners that are notified in a day because of one client. Further ones are dropped and counted. */
export const OWNERS_PER_CLIENT_DAY_MAX = 1_000;
/** How long a counter uses the limit of texts before it reads it again, in ms. */
export const OWNER_USED_SETTINGS_MS = 60_000;
/** How long the counts of a client use the limit that they have stored, in ms: 10,000 clients make 17 calls a second. */
export const OWNER_USED_LIMIT_MS = 600_000;
/** Facts of one call from a counter to the router. */
export const OWNER_FACTS_MAX = 100;

/** Reports of one kind that a sender gets a number for. Of fewer, it gets only that. */
export const REPORTED_COUNT_MIN = 3;
/** Subjects of which one step finds the registered senders. */
export const REPORTED_AT_ONCE = 200;

/** Certificates that one step looks at for reminders. */
export const CERTIFICATE_REMINDERS_AT_ONCE = 100;
/** Changes of qualifications that the router reads at once, and how many the coordinator keeps for it. */
export const QUALIFICATION_NOTICES_AT_ONCE = 100;
export const QUALIFICATION_NOTICES_MAX = 10_000;
