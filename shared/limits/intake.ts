/**
 * Limits of the intake and the counting of reports. Objects are sharded so that none gets more than 1,000 requests a
 * second, the most that the platform recommends.
 */

import { DAY_MS } from '../time.ts';
import { PROVISIONAL_MS_MAX } from './reports.ts';

/** Reports of one request. */
export const REPORTS_PER_REQUEST_MAX = 1_000;
/** Body of such a request, in bytes: 1,000 reports of some 700 bytes, with texts of 1,000 characters of 3 bytes. */
export const REPORTS_BODY_BYTES_MAX = 4_194_304;
/** Line of a stream of reports, in characters: some 700, and a text of 2,000 characters, all escaped (\uXXXX). */
export const REPORT_LINE_CHARS_MAX = 14_336;
/** How long reports are kept, in days. */
export const REPORTS_KEPT_DAYS = 90;
/** Reports that one step removes, or withdraws when all reports of a partner are withdrawn. */
export const REPORTS_REMOVED_AT_ONCE = 2_000;
/** How long an isolate uses the key of reports before it reads it again, in ms. */
export const REPORT_KEY_FRESH_MS = 60_000;
/** Slices over which the reports of one partner are divided. */
export const REPORT_SLICES_MAX = 64;
/**
 * Reports that a slice keeps per day: 90 days of the largest reports, 330 bytes each, take 7.5 GB of an object's 10 GB.
 */
export const REPORTS_PER_SLICE_DAY_MAX = 250_000;
/** Reports that a partner may send a day unless its settings say otherwise. */
export const PARTNER_REPORTS_PER_DAY_DEFAULT = 100_000;
/** Reports that a slice accepts per minute: 1,000 a second. */
export const REPORTS_PER_SLICE_MINUTE_MAX = 60_000;
/**
 * Objects over which reporters are divided, and as many over which subjects are divided. Never change it. A flush calls
 * each object at most once, so more objects mean more calls, but no less load on each. Only storage counts: 20 million
 * reports a day for 90 days, at some 90 bytes each, fill the 10 GB of each of 16 objects.
 */
export const REPORT_SHARDS = 16;
/** Time between two flushes of an intake, in ms: 100 busy intakes make 1,000 calls a second to each shard. */
export const FLUSH_INTERVAL_MS = 100;
/** Reports and withdrawals of one flush. Requests that arrive during a flush wait for the next one. */
export const REPORTS_PER_FLUSH_MAX = 5_000;
/** Objects that a flush calls at the same time: the platform holds back more than 6 connections. */
export const FLUSH_CALLS_MAX = 6;
/** How long a call of a flush, or of decisions, may take before it is made again, in ms. */
export const FLUSH_WAIT_MS = 30_000;
/** Subjects that one reporter may report a day through one partner. Further reports are kept, and do not count. */
export const REPORTER_SUBJECTS_PER_DAY_MAX = 20;
/** Reports of one subject that are kept to evaluate rules: the newest of each reporter, then the newest of each partner.
 * Spam and not spam count separately. A rule cannot require more reporters than this. */
export const REPORTS_PER_REPORTER_MAX = 3;
export const REPORTS_PER_PARTNER_MAX = 1_000;
/** How long rules and weights are used before they are read again from the desk, in ms. */
export const RULE_CONTEXT_FRESH_MS = 5_000;
/**
 * How long a decision is kept after its end, in ms. A person may approve its block up to that end, and the block then
 * lasts as long again.
 */
export const DECISIONS_KEPT_MS = PROVISIONAL_MS_MAX + DAY_MS;
/** Subjects that one step of the daily removal examines. */
export const SUBJECTS_SWEPT_AT_ONCE = 500;
/** Subjects that one page of a scan examines. */
export const SCAN_SUBJECTS_MAX = 2_000;
/** How long the admitted pairs of a day are kept, in days. */
export const REPORTER_DAYS_KEPT = 3;
/** Pause before the first retry of a flush or of decisions, and the longest one, in ms. It doubles with each failure. */
export const REPORT_RETRY_MS = 500;
export const REPORT_RETRY_MS_MAX = 60_000;
