/**
 * Sharing: a second installation that follows the feed, notices, what both add to a check, and whether
 * published statistics hide small counts.
 */
import type { BenchOptions } from '../lib/options.ts';
import type { Row } from '../lib/table.ts';
import { sharingChecks } from './sharing-checks.ts';
import { sharingFeed } from './sharing-feed.ts';
import { sharingNotices } from './sharing-notices.ts';
import { sharingStatistics } from './sharing-statistics.ts';

export async function sharingBench(options: BenchOptions): Promise<Row[]> {
  return [
    ...(await sharingFeed(options)),
    ...(await sharingNotices(options)),
    ...(await sharingStatistics(options)),
    ...(await sharingChecks(options)),
  ];
}
