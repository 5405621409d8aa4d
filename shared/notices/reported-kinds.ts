/** Limits what a sender learns about the reports against it, so that a small count cannot reveal a reporter. */
import { REPORTED_COUNT_MIN } from '../limits/notice-sources.ts';
import type { SpamKind } from '../reports/report.ts';
import type { ReportedKind } from './data.ts';

/**
 * Returns a count for each kind with at least REPORTED_COUNT_MIN reports. For all other kinds, it only says that there
 * are fewer. There is no total, because a total would reveal the hidden counts.
 */
export function reportedKinds(counts: ReadonlyMap<SpamKind, number>): ReportedKind[] {
  return [...counts].map(([kind, reports]) =>
    reports >= REPORTED_COUNT_MIN ? { kind, reports } : { kind, fewerThan: REPORTED_COUNT_MIN },
  );
}
