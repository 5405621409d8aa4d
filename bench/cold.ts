/**
 * A cold isolate: how many sequential KV reads precede its first verdict, how long that takes compared with
 * one read of the same shard, and whether its other lists warm up without making any request wait long. Runs
 * the edge itself in workerd. KV is slowed down where reads are counted.
 */
import { SUFFIX_COUNT } from '../shared/numbers/number.ts';
import { EdgeWorld } from './edge-world.ts';
import { type BenchOptions, sizesOf } from './options.ts';
import { type Row, row } from './row.ts';
import { median } from './runtime.ts';
import { benchKeys, HEAD, hasTail, randomFrom, randomTails, releaseOfImages } from './sets.ts';
import type { Asked } from './told.ts';

/** Target: the values that the head names, then the shard of the number. */
const READS_REACH = 2;
/** During warm-up, a request waits for its own shard, which may have been requested just before. */
const WARMING_REACH = 2;
/** Duration of a read where reads are counted, in ms. Much longer than everything else. */
const SLOW_MS = 100;
const SLOW_ROUNDS = 3;
const ROUNDS = 7;
/** Maximum number of requests during warm-up. */
const WARMING_MAX = 500;

export async function coldBench(options: BenchOptions): Promise<Row[]> {
  const [count] = sizesOf(options, [20_000_000], [1_000_000]);
  const keys = await benchKeys();
  const images = randomTails(count!, options.seed);
  const { built } = await releaseOfImages(images, keys);
  const random = randomFrom(options.seed + 4);
  /** A number of 010 that exists, and its verdict. */
  const question = (): { number: string; verdict: string } => {
    const tail = 20_000_000 + (random() % (SUFFIX_COUNT - 20_000_000));
    const verdict = hasTail(images, keys.permutation.permute(tail)) ? 'block' : 'allow';
    return { number: `+${HEAD * SUFFIX_COUNT + tail}`, verdict };
  };
  const askOne = async (world: EdgeWorld): Promise<Asked> => {
    const { number, verdict } = question();
    const asked = await world.askAbout([number]);
    if (asked.verdicts[0] !== verdict) throw new Error(`${number}: ${asked.verdicts[0]}, not ${verdict}`);
    return asked;
  };
  const world = await EdgeWorld.start();
  try {
    await world.publish(built, 1);
    const name = `cold isolate, ${count!.toLocaleString('en')} listed`;
    // Without a copy in the data centre and without the coordinator: the maximum number of reads.
    await world.set({ kvMs: SLOW_MS, authorityAnswers: false });
    const fallback = depthOf(await askOne(world));
    await world.set({ authorityAnswers: true });
    const depths: number[] = [];
    const longest: number[] = [];
    for (let round = 0; round < SLOW_ROUNDS; round++) {
      await world.worker.ask('/cold');
      depths.push(depthOf(await askOne(world)));
      longest.push(await warm(() => askOne(world)));
    }
    await world.set({ kvMs: 0 });
    const firsts: number[] = [];
    const reads: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      await world.worker.ask('/cold');
      const { from, to } = await askOne(world);
      firsts.push(to - from);
      const shard = built.manifest.shards[round % built.manifest.shards.length]!;
      const read = await world.worker.told<{ ms: number }>(`/read?key=${encodeURIComponent(shard.key)}`);
      reads.push(read.ms);
    }
    const [first, one] = [median(firsts), Math.max(1, median(reads))];
    const depth = Math.max(...depths);
    return [
      row(`${name}: reads of KV one behind the other`, depth, 'read', '', null, READS_REACH),
      row(`${name}, authority down: reads one behind the other`, fallback, 'read', '', null, null),
      row(
        `${name}: first verdict`,
        first,
        'ms',
        `one read of a shard: ${one.toFixed(0)} ms`,
        first / one,
        null,
      ),
      row(
        `${name}, getting warm: longest answer`,
        Math.max(...longest),
        'ms',
        `one read of KV, made slow: ${SLOW_MS} ms`,
        Math.max(...longest) / SLOW_MS,
        WARMING_REACH,
      ),
    ];
  } finally {
    await world.stop();
  }
}

/** The longest chain of reads before the response, each of which began after another had ended. */
function depthOf({ reads, to }: Asked): number {
  let depth = 0;
  let last = Number.NEGATIVE_INFINITY;
  for (const read of reads.filter((each) => each.to <= to).sort((a, b) => a.to - b.to)) {
    if (read.from < last) continue;
    depth++;
    last = read.to;
  }
  return depth;
}

/** Sends requests until two SLOW_MS have passed without a read. @returns ms of the slowest response */
async function warm(ask: () => Promise<Asked>): Promise<number> {
  let longest = 0;
  let quietSince = performance.now();
  for (let asked = 0; asked < WARMING_MAX && performance.now() - quietSince < 2 * SLOW_MS; asked++) {
    const { from, to, reads } = await ask();
    longest = Math.max(longest, to - from);
    if (reads.length > 0 || to - from > SLOW_MS / 4) quietSince = performance.now();
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  return longest;
}
