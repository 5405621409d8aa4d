/**
 * Limits of campaigns, which reports observe, and which rules and people confirm.
 */

/** Observed campaigns: reported, but not decided. Further campaigns replace those with the fewest reports. */
export const TEXT_OBSERVED_MAX = 50_000;
/** How long an observed campaign is kept after its last report, in ms: 30 days. */
export const TEXT_OBSERVED_KEPT_MS = 2_592_000_000;
/** Campaigns that the reports of one partner may begin in a day: a tenth of TEXT_OBSERVED_MAX. Further texts begin none. */
export const CAMPAIGNS_BEGUN_PER_DAY_MAX = 5_000;
/** Campaigns that were rejected or revoked, or have ended. The campaign with the oldest change is removed first. */
export const CAMPAIGNS_DECIDED_MAX = 50_000;
/** How long such a campaign is kept after its last report or change, in ms: 90 days. */
export const CAMPAIGNS_DECIDED_KEPT_MS = 7_776_000_000;
/** Confirmed campaigns of rules: the rest of CAMPAIGNS_MAX is for people. */
export const CAMPAIGNS_OF_RULES_MAX = 8_000;
/** For how long, at most, a person may confirm a campaign, in ms: 90 days. */
export const CAMPAIGN_PERSON_MS_MAX = 7_776_000_000;
/** Campaigns that are compared for one value of one band. More campaigns share a value only if somebody crafts them. */
export const BAND_CAMPAIGNS_MAX = 256;
/**
 * How long a flush waits for the text store, in ms. After that, its texts are not counted, because blocks of senders must
 * not wait for campaigns.
 */
export const TEXTS_WAIT_MS = 60_000;
/** Campaigns on a page. */
export const CAMPAIGNS_PAGE_MAX = 500;
/** Texts or fingerprints in one admin request. */
export const CAMPAIGN_TEXTS_MAX = 200;
/** Body of such a request, in bytes: 200 texts of 2,000 characters, of 3 bytes each. */
export const CAMPAIGN_BODY_BYTES_MAX = 1_310_720;
/** A fingerprint in base64: 128 bytes. */
export const FINGERPRINT_CHARS = 172;
/** Rows that one run of the alarm removes or ends. The next run follows at once. */
export const CAMPAIGNS_AT_ONCE = 1_000;
