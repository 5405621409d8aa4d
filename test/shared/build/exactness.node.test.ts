/**
 * Exactness at a larger scale: 200,000 random numbers behind one head, built, signed off by checksum, opened
 * again and asked; then 2,000,000 numbers that are not listed. Not one answer may be wrong.
 * All 10^8 tails of a real release are asked by `npx numgate prove`.
 */
import { describe, expect, it } from 'vitest';
import { randomFrom } from '../numbers/random.ts';
import { build, exactUntil, install } from '../support/built-release.ts';
import { entropyBits } from '../support/entropy.ts';
import { EVER, plainList } from '../support/plain-model.ts';
import { randomSet } from '../support/random-set.ts';

const HEAD = 821_000_000_000;
const UNIVERSE = 100_000_000;
const LISTED = 200_000;
const UNLISTED = 2_000_000;

describe('a head with 200,000 numbers', () => {
  const below = randomFrom(20_261_124);
  const tails = randomSet(below, LISTED, UNIVERSE);

  it('answers every listed number and 2,000,000 others, 0 wrong, near the entropy bound', async () => {
    const built = await build([
      plainList('one', { numbers: tails.map((tail) => ({ n: HEAD + tail, ...EVER })) }),
    ]);
    const release = await install(built);
    const listed = new Set(tails);
    let missed = 0;
    for (const tail of tails) if (exactUntil(release, 0, HEAD + tail, 0) !== EVER.until) missed++;
    let invented = 0;
    let asked = 0;
    while (asked < UNLISTED) {
      const tail = below(UNIVERSE);
      if (listed.has(tail)) continue;
      if (exactUntil(release, 0, HEAD + tail, 0) !== -1) invented++;
      asked++;
    }
    const bits = (built.manifest.shards.reduce((sum, { bytes }) => sum + bytes, 0) * 8) / LISTED;
    const bound = entropyBits(LISTED, UNIVERSE) / LISTED;
    process.stdout.write(
      `${LISTED} listed: ${missed} missed; ${asked} not listed: ${invented} invented; ` +
        `${bits.toFixed(2)} bits a number, entropy bound ${bound.toFixed(2)}\n`,
    );
    expect([missed, invented]).toEqual([0, 0]);
    expect(bits / bound).toBeLessThan(1.12);
  });

  it('answers all neighbours of listed numbers rightly', async () => {
    const run = tails.slice(0, 20_000);
    const numbers = run.flatMap((tail) => [tail, tail + 1]).filter((tail) => tail < UNIVERSE);
    const release = await install(
      await build([plainList('one', { numbers: numbers.map((tail) => ({ n: HEAD + tail, ...EVER })) })]),
    );
    const listed = new Set(numbers);
    let wrong = 0;
    for (const tail of run) {
      for (let beside = Math.max(0, tail - 3); beside < Math.min(UNIVERSE, tail + 5); beside++) {
        if ((exactUntil(release, 0, HEAD + beside, 0) !== -1) !== listed.has(beside)) wrong++;
      }
    }
    expect(wrong).toBe(0);
  });
});
