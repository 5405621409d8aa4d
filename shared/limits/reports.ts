/**
 * Limits of the joint response: reports, rules, rule blocks, appeals.
 */

/** Oldest report that is accepted, in ms: 7 days. */
export const REPORT_AGE_MS_MAX = 604_800_000;
/** How far the clock of a partner may be ahead, in ms. */
export const REPORT_AHEAD_MS_MAX = 60_000;
/** Longest ID of a report, in characters. */
export const REPORT_ID_CHARS_MAX = 64;
/** Longest text that identifies a reporter, in characters. */
export const REPORTER_CHARS_MAX = 128;
/** Shortest and longest campaign fingerprint, in hex digits. */
export const CAMPAIGN_HEX_MIN = 16;
export const CAMPAIGN_HEX_MAX = 64;

/** Bounds of the weight that an installation gives to a partner, and of the weight after its record is applied. */
export const PARTNER_WEIGHT_MIN = 0.25;
export const PARTNER_WEIGHT_MAX = 2;
export const PARTNER_WEIGHT_DEFAULT = 1;

/** Rules of an installation. Each report is evaluated against all of them. */
export const RULES_MAX = 16;
/** Versions of one rule that are kept. Reasons of blocks name them. */
export const RULE_VERSIONS_MAX = 100;
/** IDs that rules ever had. They are kept after a removal, so that no version is assigned twice. */
export const RULE_IDS_MAX = 256;
/** Reports that one page of a rehearsal reads from the counts of subjects: some 4 MB of the 32 MiB of one RPC. */
export const REHEARSED_REPORTS_PER_PAGE = 20_000;
/** Cursor of a rehearsal, in characters. */
export const REHEARSAL_CURSOR_CHARS_MAX = 32;
/** The most reporters that a rule may require. */
export const RULE_DISTINCT_MAX = 1_000;
/** Largest weight that a rule may require: 16 partners with the largest weight. */
export const RULE_WEIGHT_MAX = 32;
/** Window of a rule, in ms: from a minute to the age of the oldest accepted report. */
export const RULE_WINDOW_MS_MIN = 60_000;
export const RULE_WINDOW_MS_MAX = REPORT_AGE_MS_MAX;
/** How long a provisional block of a rule lasts, in ms: an hour to 7 days. */
export const PROVISIONAL_MS_MIN = 3_600_000;
export const PROVISIONAL_MS_MAX = 604_800_000;
/** How long a confirmed block of a rule lasts, in ms: a day to a year. */
export const CONFIRMED_MS_MIN = 86_400_000;
export const CONFIRMED_MS_MAX = 31_536_000_000;

/**
 * Reports per thousand texts and calls that a registered sender sent in the window of a rule. Below this rate, a person
 * decides: a bank that sends millions of texts a day gets 50 reports anyway.
 */
export const REPORTS_PER_THOUSAND_MIN = 1;
/** Numbers with rule blocks in one block of 100 from which further numbers are proposed as a range, for a person to decide. */
export const RULE_RANGE_NUMBERS_MIN = 8;
