/**
 * The cost of counting: ns of processor time per number in the isolate, and dollars per month on Cloudflare, which follow from
 * the price list and the limits. The same loops run with and without counting, in short turns, one right after the other in one
 * isolate. A figure is the median of the differences of neighbouring turns, so that neither other work on the machine nor a
 * slower processor clock affects only one of them. If both are slower, the difference is larger too; the loop without counting
 * shows how fast the machine was.
 *
 * Each kind of traffic has its own isolates, one without sketches and one with them, because the engine compiles code that
 * loops share for all of them. Counting can be slower next to a sketch; that slowdown is part of the sketch's figure.
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
import { runtimes, threadNs } from '../lib/process-usage.ts';
import { median } from '../lib/statistics.ts';
import { type Row, row, short, withCommas } from '../lib/table.ts';
import {
  COUNTING_KINDS,
  type CountingKind,
  type CountingLoop,
  type CountingTurn,
} from '../lib/worker-results.ts';

/** ns per number. */
const TARGET = 15;

interface Sizes {
  readonly rounds: number;
  /** Warm-up rounds, which do not count, because the engine compiles the loops. */
  readonly warmRounds: number;
  /** Listed numbers of 010. As many recipients of a campaign are blocked. Most requests have no finding. */
  readonly listed: number;
}

const FULL: Sizes = { rounds: 41, warmRounds: 4, listed: 5_000_000 };
const SMALL: Sizes = { rounds: 1, warmRounds: 0, listed: 50_000 };
/** Passes over all requests in a turn. A turn takes some 20 ms, so that the call of the Worker does not show. */
const PASSES = 100;
const PASSES_SCREENED = 4;
const ISOLATES = [1_000, 10_000, 100_000];
/** Rows of one commit: the hour, the flush numbers, and their removal when they are merged. */
const ROWS_PER_COMMIT = 3;

/** ns per number of each loop, one value for each round. */
type Times<Loop extends CountingLoop> = Readonly<Record<Loop, number[]>>;
const COUNTED = ['read', 'counted'] as const;
const WATCHED = ['read', 'watched', 'screened', 'screenedAndCounted'] as const;

export async function usageRows({ small }: BenchOptions): Promise<Row[]> {
  const rows: Row[] = [];
  for (const kind of COUNTING_KINDS) {
    const time = <Loop extends CountingLoop>(loops: readonly Loop[]) =>
      timeLoops(kind, loops, small ? SMALL : FULL);
    rows.push(...countingRows(kind, await time(COUNTED), await time(WATCHED)));
  }
  return [...rows, ...usageCostRows()];
}

/** Times these loops in their own isolate. */
async function timeLoops<Loop extends CountingLoop>(
  kind: CountingKind,
  loops: readonly Loop[],
  { rounds, warmRounds, listed }: Sizes,
): Promise<Times<Loop>> {
  const worker = await startBenchWorker('usage', { LISTED: String(listed) });
  try {
    const pids = runtimes();
    const times = Object.fromEntries(loops.map((loop) => [loop, [] as number[]])) as Record<Loop, number[]>;
    for (let round = -warmRounds; round < rounds; round++) {
      // The order alternates, so that neighbouring loops take turns to be first.
      for (const loop of round % 2 === 0 ? loops : loops.toReversed()) {
        const passes = loop.startsWith('screened') ? PASSES_SCREENED : PASSES;
        const query = new URLSearchParams({ kind, loop, passes: String(passes) });
        const before = threadNs(pids);
        const { numbers } = await worker.call<CountingTurn>(`/turn?${query}`);
        if (round >= 0) times[loop].push((threadNs(pids) - before) / numbers);
      }
    }
    return times;
  } finally {
    await worker.stop();
  }
}

function countingRows(
  kind: CountingKind,
  { read, counted }: Times<(typeof COUNTED)[number]>,
  watched: Times<(typeof WATCHED)[number]>,
): Row[] {
  const added = (times: readonly number[], without: readonly number[]): number =>
    median(times.map((ns, round) => ns - without[round]!));
  const counting = added(counted, read);
  const screening = `screening: ${short(median(watched.screened))} ns, with counting: ${short(median(watched.screenedAndCounted))} ns`;
  const both = added(watched.watched, watched.read);
  return [
    row(
      `counting, ${kind}`,
      counting,
      'ns/number',
      `the loop alone: ${short(median(read))} ns; ${screening}`,
      null,
      TARGET,
    ),
    row(
      `sketch, ${kind}`,
      both - counting,
      'ns/number',
      `the loop alone: ${short(median(watched.read))} ns, counting and sketch: ${short(both)} ns`,
      null,
    ),
  ];
}

/** The cost of a month in which each isolate counts for one client all the time. */
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
