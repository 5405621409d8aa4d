/**
 * Limits of the statistics by month.
 */

/** Smallest count that is published, except 0. A smaller count could be traced to the people behind it. */
export const SMALL_COUNT = 5;
/** Possible values that the published tables must leave open for a hidden small count, the true value included. */
export const OPEN_VALUES_MIN = 3;
/** Steps of a search for another solution in which a hidden cell has another value. */
export const WITNESS_STEPS_MAX = 20_000;
/** Figures of a month that is not closed are published in whole multiples of this. Smaller figures are not published. */
export const OPEN_MONTH_STEP = 10;
/** When a month is closed, in ms after its end: 8 days, because reports may be 7 days late. */
export const MONTH_CLOSED_AFTER_MS = 691_200_000;
/** When the checks of a month are read, in ms after its end. Isolates send their counts within minutes. */
export const MONTH_CHECKS_AFTER_MS = 7_200_000;
/** Rows of a table whose names have no fixed list: the 50 highest, as published for resellers. All others are summed. */
export const RANKED_ROWS_MAX = 50;
/** Sender codes, and operators, that an intake counts separately in one month. Reports that name others are summed. */
export const INTAKE_NAMES_MAX = 2_000;
/** Longest name of a cell, in characters. */
export const CELL_NAME_CHARS_MAX = 80;
/** How long an intake keeps months, in months. Reports are kept for 90 days, and corrections need no longer. */
export const INTAKE_MONTHS_KEPT = 6;
/** Intakes that the statistics know. A partner has at most 64. */
export const INTAKES_MAX = 10_000;
/** Sources that are read at the same time. The platform queues connections beyond 6. */
export const SOURCE_CALLS_MAX = 6;
/** Sources that one run of the alarm reads. The next run follows at once. */
export const SOURCES_AT_ONCE = 120;
/** How long a source may take to answer, in ms. */
export const SOURCE_WAIT_MS = 30_000;
/** First and longest pause before a failed reading is repeated, in ms. The pause doubles with each failure. */
export const SOURCE_RETRY_MS = 5_000;
export const SOURCE_RETRY_MS_MAX = 600_000;
/** Versions of a month: the first one and its corrections. */
export const MONTH_VERSIONS_MAX = 12;
/** Months on one page. */
export const MONTHS_PAGE_MAX = 120;
/** Sources in one trace. */
export const TRACE_SOURCES_MAX = 500;
