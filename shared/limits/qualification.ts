/**
 * Limits of the qualification of senders, and of its public register.
 */

/** The code of an organisation in its texts, in characters. */
export const SENDER_CODE_CHARS_MIN = 4;
export const SENDER_CODE_CHARS_MAX = 20;
/** The share of the usual rate that a reduction leaves. A reduction to nothing is the state `suspended`. */
export const QUALIFICATION_FACTOR_MIN = 0.01;
export const QUALIFICATION_FACTOR_MAX = 0.99;
/** How long `status` and the log warn before an inspection or the end of a qualification, in ms: 30 days. */
export const INSPECTION_WARNED_MS = 2_592_000_000;
/** Qualifications that one warning names. */
export const INSPECTIONS_SHOWN_MAX = 100;

/** How long control answers public requests from one reading of the coordinator, in seconds. */
export const REGISTER_FRESH_SECONDS = 10;
/** How long a data centre keeps this reading, in seconds, for use while the coordinator does not respond. */
export const REGISTER_KEPT_SECONDS = 600;
/** Life of a `qualification+jwt`, in seconds: 7 days. The status list shows changes in that time. */
export const QUALIFICATION_TOKEN_LIFE_SECONDS = 604_800;
/** Life of a signed register, in seconds: a day. */
export const REGISTER_LIFE_SECONDS = 86_400;
/** Life of a status list of this service, in seconds: a day. Afterwards, no reader may rely on the list. */
export const OWN_STATUS_LIST_LIFE_SECONDS = 86_400;
/** How soon a reader should fetch a status list again, in seconds (`ttl`). */
export const OWN_STATUS_LIST_TTL_SECONDS = 60;
/** `iat` of signed documents is a multiple of this, in seconds, so that one signature serves all requests of the period. */
export const SIGNED_STEP_SECONDS = 60;
/** Signed documents that an isolate keeps: a token for each organisation, the register and the lists. */
export const SIGNED_KEPT_MAX = 1_100;
/** Longest name or code in a lookup, in characters. */
export const REGISTER_NAME_CHARS_MAX = 128;
/** Window of the rate limit on public requests, in ms. */
export const REGISTER_WINDOW_MS = 60_000;
/** Public requests of one address in a window, in one isolate. */
export const REGISTER_REQUESTS_MAX = 120;
/** Public requests of all addresses in a window, in one isolate. Without Cloudflare in front, only this limit applies. */
export const REGISTER_REQUESTS_TOTAL_MAX = 6_000;
