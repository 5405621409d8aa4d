/** A second installation that follows the feed of a first one: whether both give the same verdicts, and how fast it is. */
import type { BenchOptions } from '../lib/options.ts';
import type { Row } from '../lib/table.ts';

export async function sharingFeed(_: BenchOptions): Promise<Row[]> {
  return [];
}
