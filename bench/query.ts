/**
 * One query against the floor: the same permutation and one probe of a plain bitmap. And against a Set.
 * In Node, which has the engine of workerd.
 */

import { TAILS } from '../shared/numbers/number.ts';
import { NOT_LISTED } from '../shared/set/number-set.ts';
import type { BenchOptions } from './options.ts';
import { type Row, row } from './row.ts';
import { benchKeys, HEAD, hasTail, randomFrom, randomTails, releaseOf } from './sets.ts';

const ROUNDS = 5;

/** Least time of several rounds, in ns a call. */
function nanoseconds(calls: number, run: () => number): number {
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now();
    run();
    least = Math.min(least, ((performance.now() - start) * 1e6) / calls);
  }
  return least;
}

export async function queryBench({ small, seed }: BenchOptions): Promise<Row[]> {
  const keys = await benchKeys();
  const calls = small ? 300_000 : 3_000_000;
  const random = randomFrom(seed + 2);
  const tails = Uint32Array.from({ length: calls }, () => random() % TAILS);
  const rows: Row[] = [];
  for (const count of small ? [1_000_000] : [1_000_000, 5_000_000, 20_000_000]) {
    const bits = randomTails(count, seed);
    const { release } = await releaseOf(bits, keys);
    const images = new Uint8Array(TAILS / 8);
    for (let tail = 0; tail < TAILS; tail++) {
      if (hasTail(bits, tail)) {
        const image = keys.permutation.permute(tail);
        images[image >>> 3]! |= 1 << (image & 7);
      }
    }
    const ours = (): number => {
      let listed = 0;
      for (const tail of tails) {
        const image = keys.permutation.permute(tail);
        const part = release.shard(release.shardIndexOf(HEAD, image))?.partOf(HEAD, image);
        if ((part?.until(0, HEAD, image, 0) ?? NOT_LISTED) !== NOT_LISTED) listed++;
      }
      return listed;
    };
    const floor = (): number => {
      let listed = 0;
      for (const tail of tails) if (hasTail(images, keys.permutation.permute(tail))) listed++;
      return listed;
    };
    if (ours() !== floor()) throw new Error('the two do not agree');
    const ourTime = nanoseconds(calls, ours);
    const floorTime = nanoseconds(calls, floor);
    const name = `query, ${count.toLocaleString('en')} listed`;
    rows.push(
      row(
        name,
        ourTime,
        'ns',
        `permutation and bitmap: ${floorTime.toFixed(0)} ns`,
        ourTime / floorTime,
        null,
      ),
    );
  }
  return rows;
}
