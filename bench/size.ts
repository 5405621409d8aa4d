/**
 * Bytes of an exact set against the entropy bound, and against structures that are not exact.
 */
import { entropyBits } from '../cli/report.ts';
import { headOf, TAILS, tailOf } from '../shared/numbers/number.ts';
import { NOT_LISTED } from '../shared/set/number-set.ts';
import type { BenchOptions } from './options.ts';
import { type Row, row } from './row.ts';
import { benchKeys, HEAD, hasTail, randomFrom, randomTails, releaseOf } from './sets.ts';

const COUNTS = [100_000, 1_000_000, 5_000_000, 20_000_000];
const COUNTS_SMALL = [100_000, 1_000_000];
/** Issue: 5 million of 10^8 in at most so many bits each. */
const BITS_REACH = 7;
const RATIO_REACH = 1.12;
/** Binary fuse filter, 8-bit fingerprints (Graf and Lemire 2022): 1.13 x 8 bits, 0.39 % wrong. */
const FUSE8_BITS = 9.04;
/** Bloom filter with 1 % wrong answers: ln(100) / ln(2)^2. */
const BLOOM_BITS = Math.log(100) / Math.LN2 ** 2;
const CHECKS = 2_000_000;

export async function sizeBench({ small, seed }: BenchOptions): Promise<Row[]> {
  const keys = await benchKeys();
  const rows: Row[] = [];
  for (const count of small ? COUNTS_SMALL : COUNTS) {
    const bits = randomTails(count, seed);
    const { built, release } = await releaseOf(bits, keys);
    const random = randomFrom(seed + 1);
    for (let check = 0; check < CHECKS; check++) {
      const n = HEAD * TAILS + (random() % TAILS);
      const image = keys.permutation.permute(tailOf(n));
      const part = release.shard(release.shardIndexOf(HEAD, image))?.partOf(headOf(n), image);
      const listed = (part?.until(0, HEAD, image, 0) ?? NOT_LISTED) !== NOT_LISTED;
      if (listed !== hasTail(bits, tailOf(n))) throw new Error(`wrong answer at ${count} numbers`);
    }
    const bytes = [...built.values.values()].reduce((sum, value) => sum + value.length, 0);
    const each = (bytes * 8) / count;
    const bound = entropyBits(count, TAILS);
    const name = `exact set, ${count.toLocaleString('en')} of 10^8`;
    rows.push(row(name, each, 'bit/number', `entropy bound ${bound.toFixed(2)}`, each / bound, RATIO_REACH));
    if (count === 5_000_000) rows.push(row(`${name}, absolute`, each, 'bit/number', '', null, BITS_REACH));
    rows.push(
      row(
        `${name}`,
        each,
        'bit/number',
        `binary fuse 8: ${FUSE8_BITS}, 0.39 % wrong`,
        each / FUSE8_BITS,
        null,
      ),
    );
    rows.push(
      row(
        `${name}`,
        each,
        'bit/number',
        `Bloom: ${BLOOM_BITS.toFixed(1)}, 1 % wrong`,
        each / BLOOM_BITS,
        null,
      ),
    );
  }
  return rows;
}
