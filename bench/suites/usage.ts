/**
 * What counting costs: ns per number in the isolate, measured in pairs, and dollars per month on Cloudflare, which
 * follow from the price list and the bounds.
 */
import { USAGE_COMMIT_MS, USAGE_FLUSHES_PER_SECOND } from '../../shared/limits/control.ts';
import { USAGE_FLUSH_MS } from '../../shared/limits/edge.ts';
import { startBenchWorker } from '../lib/bench-worker.ts';
import {
  cost,
  OBJECT_DURATION,
  OBJECT_GB,
  OBJECT_REQUESTS,
  OBJECT_ROWS_WRITTEN,
  SECONDS_PER_MONTH,
} from '../lib/cloudflare-prices.ts';
import type { BenchOptions } from '../lib/options.ts';
import { type Row, row, short, withCommas } from '../lib/table.ts';
import type { CountingTimes } from '../lib/worker-results.ts';

/** ns per number. */
const TARGET = 15;
const ROUNDS = 101;
const ROUNDS_SMALL = 5;
const ISOLATES = [1_000, 10_000, 100_000];
/** Rows of one commit: the hour, the flush numbers, and their removal when they are merged. */
const ROWS_PER_COMMIT = 3;

export async function usageRows({ small }: BenchOptions): Promise<Row[]> {
  const worker = await startBenchWorker('usage');
  try {
    const rounds = small ? ROUNDS_SMALL : ROUNDS;
    const times = await worker.call<Record<string, CountingTimes>>(`/time?rounds=${rounds}`);
    return [...Object.entries(times).map(countingRow), ...usageCostRows()];
  } finally {
    await worker.stop();
  }
}

/** Every time is the minimum of all rounds. */
function countingRow([kind, times]: [string, CountingTimes]): Row {
  const least = (loop: keyof CountingTimes): number => Math.min(...times[loop]);
  const screened = `screening: ${short(least('screened'))} ns, with counting: ${short(least('screenedAndCounted'))} ns`;
  const ns = least('readAndCounted') - least('read');
  return row(`counting, ${kind}`, ns, 'ns/number', screened, null, TARGET);
}

/** A month in which each isolate counts for one client all the time. */
export function usageCostRows(): Row[] {
  return ISOLATES.map((isolates) => {
    const perSecond = (isolates * 1000) / USAGE_FLUSH_MS;
    const objects = 2 ** Math.max(0, Math.ceil(Math.log2(perSecond / USAGE_FLUSHES_PER_SECOND)));
    const flushes = perSecond * SECONDS_PER_MONTH;
    const commits = Math.min(flushes, (objects * SECONDS_PER_MONTH * 1000) / USAGE_COMMIT_MS);
    const month = (rows: number): number =>
      cost(OBJECT_REQUESTS, flushes) +
      cost(OBJECT_DURATION, objects * OBJECT_GB * SECONDS_PER_MONTH) +
      cost(OBJECT_ROWS_WRITTEN, rows);
    const [own, single] = [month(commits * ROWS_PER_COMMIT), month(flushes * ROWS_PER_COMMIT)];
    const name = `counts of ${withCommas(isolates)} isolates, ${withCommas(objects)} ${objects === 1 ? 'object' : 'objects'} of ${short(perSecond / objects)} flushes/s`;
    return row(name, own, '$ a month', `one commit per flush: $${short(single)}`, own / single, 1);
  });
}
