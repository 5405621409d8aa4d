/**
 * The joint response: seconds from a report to a block and from an appeal to an allow, whether counts are exact, and the cost
 * for a check.
 */
import type { BenchOptions } from '../lib/options.ts';
import type { Row } from '../lib/table.ts';
import { reportsChecks } from './reports-checks.ts';
import { reportsCounts } from './reports-counts.ts';
import { reportsVisible } from './reports-visible.ts';

export async function reportsBench(options: BenchOptions): Promise<Row[]> {
  return [
    ...(await reportsVisible(options)),
    ...(await reportsCounts(options)),
    ...(await reportsChecks(options)),
  ];
}
