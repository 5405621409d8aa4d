/**
 * Exactness at a larger scale. A release of 200,000 random numbers of one prefix is built, opened and looked
 * up, with 2,000,000 numbers that are not listed. No result may be wrong. `npx numgate prove` looks up all
 * 10^8 suffixes of a real release.
 */
import { describe, expect, it } from 'vitest';
import { randomFrom } from '../numbers/random.ts';
import { build, exactUntil, install } from '../support/built-release.ts';
import { entropyBits } from '../support/entropy.ts';
import { EVER, plainList } from '../support/plain-model.ts';
import { randomSet } from '../support/random-set.ts';

const FIRST = 821_000_000_000;
const UNIVERSE = 100_000_000;
const LISTED = 200_000;
const UNLISTED = 2_000_000;

describe('a prefix with 200,000 numbers', () => {
  const below = randomFrom(20_261_124);
  const suffixes = randomSet(below, LISTED, UNIVERSE);

  it('has no wrong result for every listed number and 2,000,000 others, near the entropy bound', async () => {
    const built = await build([
      plainList('one', { numbers: suffixes.map((suffix) => ({ n: FIRST + suffix, ...EVER })) }),
    ]);
    const release = await install(built);
    const listed = new Set(suffixes);
    let missed = 0;
    for (const suffix of suffixes) if (exactUntil(release, 0, FIRST + suffix, 0) !== EVER.until) missed++;
    let invented = 0;
    let lookedUp = 0;
    while (lookedUp < UNLISTED) {
      const suffix = below(UNIVERSE);
      if (listed.has(suffix)) continue;
      if (exactUntil(release, 0, FIRST + suffix, 0) !== -1) invented++;
      lookedUp++;
    }
    const bits = (built.manifest.shards.reduce((sum, { bytes }) => sum + bytes, 0) * 8) / LISTED;
    const bound = entropyBits(LISTED, UNIVERSE) / LISTED;
    process.stdout.write(
      `${LISTED} listed: ${missed} missed; ${lookedUp} not listed: ${invented} invented; ` +
        `${bits.toFixed(2)} bits a number, entropy bound ${bound.toFixed(2)}\n`,
    );
    expect([missed, invented]).toEqual([0, 0]);
    expect(bits / bound).toBeLessThan(1.12);
  });

  it('has the right result for all neighbours of listed numbers', async () => {
    const run = suffixes.slice(0, 20_000);
    const numbers = run.flatMap((suffix) => [suffix, suffix + 1]).filter((suffix) => suffix < UNIVERSE);
    const release = await install(
      await build([plainList('one', { numbers: numbers.map((suffix) => ({ n: FIRST + suffix, ...EVER })) })]),
    );
    const listed = new Set(numbers);
    let wrong = 0;
    for (const suffix of run) {
      for (let beside = Math.max(0, suffix - 3); beside < Math.min(UNIVERSE, suffix + 5); beside++) {
        if ((exactUntil(release, 0, FIRST + beside, 0) !== -1) !== listed.has(beside)) wrong++;
      }
    }
    expect(wrong).toBe(0);
  });
});
