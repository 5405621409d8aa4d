/**
 * Damaged shards, opened without their checksum. Either a LayoutError refuses them, or lookups return a
 * possibly wrong result, which the checksum exists to prevent. They never throw or loop.
 */
import { describe, expect, it } from 'vitest';
import { LayoutError } from '../../../shared/set/number-set.ts';
import { Shard } from '../../../shared/set/shard.ts';
import file from '../../vectors/shards.json' with { type: 'json' };
import { randomFrom } from '../numbers/random.ts';
import { fromHex } from '../support/bytes.ts';
import { cuts, type Damaged, extremes, flips } from '../support/damage.ts';

const MASKS = [1, 2, 4, 8, 16, 32, 64, 128, 255];

/** Keys inside and outside every part of the golden shards. */
const KEYS: readonly (readonly [number, number])[] = [
  ...[0, 1, 1201, 1202, 6591, 8209, 8210, 8211, 9_999_999].flatMap((prefix) =>
    [0, 1, 5, 40, 112, 399, 400, 401, 999, 1000, 99_999_999].map((suffix) => [prefix, suffix] as const),
  ),
];

/** Opens a shard and looks up keys. @returns whether it opened */
function survive({ what, bytes }: Damaged): boolean {
  try {
    const shard = new Shard(bytes);
    for (const [prefix, suffix] of KEYS) {
      const part = shard.partOf(prefix, suffix);
      for (let list = 0; list < 3; list++) {
        if (!Number.isInteger(part.until(list, prefix, suffix, 1_750_000_000)))
          expect.fail(`${what}: not an answer`);
      }
    }
    expect(Number.isFinite(shard.count(0))).toBe(true);
    return true;
  } catch (error) {
    if (error instanceof LayoutError) return false;
    throw new Error(`${what}: ${String(error)}`, { cause: error });
  }
}

describe.each(file.shards)('the golden shard "$name", damaged,', ({ hex }) => {
  const bytes = fromHex(hex);

  it('survives any flipped byte', () => {
    let refused = 0;
    for (const damaged of flips(bytes, MASKS)) if (!survive(damaged)) refused++;
    expect(refused).toBeGreaterThan(0);
  });

  it('survives any word of extreme value', () => {
    for (const damaged of extremes(bytes)) survive(damaged);
  });

  it('is refused with its header or part table cut, and survives any other cut', () => {
    for (const damaged of cuts(bytes)) {
      const opened = survive(damaged);
      if (damaged.bytes.length % 4 !== 0 || damaged.bytes.length < 40) expect(opened).toBe(false);
    }
  });

  it('survives ten thousand random changes of several bytes', () => {
    const below = randomFrom(hex.length);
    for (let run = 0; run < 10_000; run++) {
      const damaged = Uint8Array.from(bytes);
      const wounds = 1 + below(6);
      // Half of the damage is near the front, where the headers and tables are.
      for (let wound = 0; wound < wounds; wound++)
        damaged[below(run % 2 === 0 ? 120 : bytes.length)] = below(256);
      survive({ what: `random wounds, run ${run}`, bytes: damaged });
    }
  });
});
