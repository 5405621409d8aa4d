/** The joint response: seconds from a report to a block and from an appeal to an allow, and whether counts are exact. */
import type { BenchOptions } from '../lib/options.ts';
import type { Row } from '../lib/table.ts';
import { reportsCounts } from './reports-counts.ts';
import { reportsVisible } from './reports-visible.ts';

export async function reportsBench(options: BenchOptions): Promise<Row[]> {
  return [...(await reportsVisible(options)), ...(await reportsCounts(options))];
}
