/**
 * Rehearses a rule: what it would have blocked, had it been in force while the kept reports came in.
 */
import { durationMs } from './duration.ts';
import { type CountedReport, evaluate } from './evaluate.ts';
import type { Rule } from './rule.ts';

/**
 * When the rule would have blocked the subject for the first time, ms since 1970; null if never. Evaluates the rule at
 * the time of each report, as the service does. O(reports), plus an evaluation for each report while enough reporters are
 * in the window.
 * @param reports of one subject, in any order
 * @param weights effective weights by partner, of today
 * @param resetAt ms since 1970: from then on, earlier reports no longer count. A block before it is rehearsed in full
 */
export function rehearse(
  rule: Rule,
  reports: readonly CountedReport[],
  weights: ReadonlyMap<string, number>,
  resetAt = 0,
): number | null {
  const sorted = reports.toSorted((a, b) => a.at - b.at);
  const windowMs = durationMs(rule.window);
  /** Reports of each reporter in the window. */
  const inWindow = new Map<string, number>();
  let first = 0;
  for (const [last, { reporter, at }] of sorted.entries()) {
    inWindow.set(reporter, (inWindow.get(reporter) ?? 0) + 1);
    for (; sorted[first]!.at <= at - windowMs; first++) {
      const left = inWindow.get(sorted[first]!.reporter)! - 1;
      if (left === 0) inWindow.delete(sorted[first]!.reporter);
      else inWindow.set(sorted[first]!.reporter, left);
    }
    // Reports of the same moment count together.
    if (inWindow.size < rule.distinct || sorted[last + 1]?.at === at) continue;
    if (evaluate(rule, sorted.slice(first, last + 1), weights, at, at < resetAt ? 0 : resetAt).fires)
      return at;
  }
  return null;
}
