/** What a sender may learn of the reports about it: nobody can be recognised by being one of two. */
import { REPORTED_COUNT_MIN } from '../limits/notice-sources.ts';
import type { SpamKind } from '../reports/report.ts';
import type { ReportedKind } from './data.ts';

/**
 * A count for each kind with at least REPORTED_COUNT_MIN reports; of the others, that there are fewer. Without a total,
 * which would give them back.
 */
export function reportedKinds(counts: ReadonlyMap<SpamKind, number>): ReportedKind[] {
  return [...counts].map(([kind, reports]) =>
    reports >= REPORTED_COUNT_MIN ? { kind, reports } : { kind, fewerThan: REPORTED_COUNT_MIN },
  );
}
