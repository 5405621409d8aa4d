/**
 * A cold isolate. Measures how many sequential KV reads precede its first verdict, how long that takes
 * compared with one read of the same shard, and whether its other lists load without making any request wait
 * long. Runs the edge itself in workerd. KV is slowed down where reads are counted.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { SUFFIX_COUNT } from '../../shared/numbers/number.ts';
import { type BenchOptions, sizesOf } from '../lib/options.ts';
import {
  benchKeys,
  FIRST_SUFFIX,
  hasSuffix,
  PREFIX,
  randomFrom,
  randomSuffixes,
  releaseOf,
} from '../lib/random-lists.ts';
import { median } from '../lib/statistics.ts';
import { type Row, row, withCommas } from '../lib/table.ts';
import type { CheckResult } from '../lib/worker-results.ts';
import { startEdge } from '../simulation/edge.ts';

/** Target: one read for the values that the head names, then one for the shard of the number. */
const READS_TARGET = 2;
/** Target during warm-up: a request waits for its own shard, and perhaps for a read that began just before. */
const WARM_UP_TARGET = 2;
/** Duration of a read where reads are counted, in ms. It is much longer than everything else. */
const SLOW_MS = 100;
const SLOW_ROUNDS = 3;
const ROUNDS = 7;
/** Maximum number of requests during warm-up. */
const WARM_UP_MAX = 500;

export async function coldBench(options: BenchOptions): Promise<Row[]> {
  const [count] = sizesOf(options, [20_000_000], [200_000]);
  const keys = await benchKeys();
  const images = randomSuffixes(count!, options.seed);
  const { built } = await releaseOf(images, keys);
  const random = randomFrom(options.seed + 4);
  const edge = await startEdge();
  /** Checks a random number of 010 that exists. */
  const check = async (): Promise<CheckResult> => {
    const suffix = FIRST_SUFFIX + (random() % (SUFFIX_COUNT - FIRST_SUFFIX));
    const result = await edge.check([`+${PREFIX * SUFFIX_COUNT + suffix}`]);
    const expected = hasSuffix(images, keys.permutation.permute(suffix)) ? 'block' : 'allow';
    if (result.verdicts[0] !== expected)
      throw new Error(`${suffix}: ${result.verdicts[0]} instead of ${expected}`);
    return result;
  };
  await edge.publish(built, 1);
  // Without a copy in the data centre and without the coordinator, the number of reads is at its maximum.
  await edge.set({ kvMs: SLOW_MS, coordinatorResponds: false });
  const fallback = depthOf(await check());
  await edge.set({ coordinatorResponds: true });
  let [depth, longest] = [0, 0];
  for (let round = 0; round < SLOW_ROUNDS; round++) {
    await edge.worker.call('/cold');
    depth = Math.max(depth, depthOf(await check()));
    longest = Math.max(longest, await warmUp(check));
  }
  await edge.set({ kvMs: 0 });
  const firsts: number[] = [];
  const reads: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    await edge.worker.call('/cold');
    const { from, to } = await check();
    firsts.push(to - from);
    const shard = built.manifest.shards[round % built.manifest.shards.length]!;
    reads.push(await edge.worker.call<number>(`/read?key=${encodeURIComponent(shard.key)}`));
  }
  await edge.worker.stop();
  const [first, read] = [median(firsts), Math.max(1, median(reads))];
  const name = `cold isolate, ${withCommas(count!)} listed`;
  const slowed = `one KV read, slowed: ${SLOW_MS} ms`;
  return [
    row(`${name}: sequential KV reads`, depth, 'read', '', null, READS_TARGET),
    row(`${name}, coordinator down: sequential KV reads`, fallback, 'read'),
    row(`${name}: first verdict`, first, 'ms', `one read of a shard: ${read.toFixed(0)} ms`, first / read),
    row(
      `${name}: longest response while warming up`,
      longest,
      'ms',
      slowed,
      longest / SLOW_MS,
      WARM_UP_TARGET,
    ),
  ];
}

/** Length of the longest chain of reads before the response. Each read of a chain begins after another one has ended. */
export function depthOf({ reads, to }: CheckResult): number {
  let depth = 0;
  let last = Number.NEGATIVE_INFINITY;
  for (const read of reads.filter((each) => each.to <= to).sort((a, b) => a.to - b.to)) {
    if (read.from < last) continue;
    depth++;
    last = read.to;
  }
  return depth;
}

/** Sends requests until twice SLOW_MS has passed without a read. @returns ms of the slowest response */
async function warmUp(check: () => Promise<CheckResult>): Promise<number> {
  let longest = 0;
  let quietSince = performance.now();
  for (let sent = 0; sent < WARM_UP_MAX && performance.now() - quietSince < 2 * SLOW_MS; sent++) {
    const { from, to, reads } = await check();
    longest = Math.max(longest, to - from);
    if (reads.length > 0 || to - from > SLOW_MS / 4) quietSince = performance.now();
    await sleep(1);
  }
  return longest;
}
