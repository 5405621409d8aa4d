/**
 * Limits of the statistics by month.
 */

/** Smallest count that is published, except 0. A smaller one could be traced to the people behind it. */
export const SMALL_COUNT = 5;
/** Possible values that a hidden small count must leave open, its own included. */
export const OPEN_VALUES_MIN = 3;
/** Steps of a search for another solution in which a hidden cell has another value. */
export const WITNESS_STEPS_MAX = 20_000;
/** Figures of a month that is not closed are published in whole multiples of this, and not below it. */
export const OPEN_MONTH_STEP = 10;
/** When a month is closed, in ms after its end: 8 days, as reports may come 7 days late. */
export const MONTH_CLOSED_AFTER_MS = 691_200_000;
/** When the checks of a month are read, in ms after its end: isolates send their counts within minutes. */
export const MONTH_CHECKS_AFTER_MS = 7_200_000;
/** Rows of a table with names that have no fixed list, the others summed: the 50 highest, as published for resellers. */
export const RANKED_ROWS_MAX = 50;
/** Sender codes, and operators, that an intake counts apart in one month. Reports that name further ones are summed. */
export const INTAKE_NAMES_MAX = 2_000;
/** Longest name of a cell, in characters. */
export const CELL_NAME_CHARS_MAX = 80;
/** How long months are kept at an intake, in months: reports are kept for 90 days, and corrections need no longer. */
export const INTAKE_MONTHS_KEPT = 6;
/** Intakes that statistics know. A partner has at most 64. */
export const INTAKES_MAX = 10_000;
/** Sources that are read at the same time: the platform holds back more than 6 connections. */
export const SOURCE_CALLS_MAX = 6;
/** Sources that one run of the alarm reads. The next run follows at once. */
export const SOURCES_AT_ONCE = 120;
/** How long a source may take to answer, in ms. */
export const SOURCE_WAIT_MS = 30_000;
/** Pause before a failed reading is repeated, and the longest one, in ms. It doubles with each failure. */
export const SOURCE_RETRY_MS = 5_000;
export const SOURCE_RETRY_MS_MAX = 600_000;
/** Versions of a month: the first one and its corrections. */
export const MONTH_VERSIONS_MAX = 12;
/** Months on one page. */
export const MONTHS_PAGE_MAX = 120;
/** Sources in one trace. */
export const TRACE_SOURCES_MAX = 500;
