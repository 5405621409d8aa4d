/**
 * The permutation of suffixes is a bijection for any tables, spreads evenly, and differs for another key.
 * keys.test.ts has its exact images.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { deriveListKeys } from '../../../shared/set/keys.ts';
import { HALF, Permutation, ROUNDS } from '../../../shared/set/permutation.ts';
import { randomFrom } from '../numbers/random.ts';
import { holds, suffix } from '../support/properties.ts';
import { TEST_LIST_KEY, testKeys } from '../support/test-keys.ts';

const { permutation } = testKeys;
const SUFFIX_COUNT = 100_000_000;

/** Tables that no key gives: all equal, extreme, or random. */
const tables = fc.oneof(
  fc.integer({ min: 0, max: HALF - 1 }).map((value) => new Uint16Array(ROUNDS * HALF).fill(value)),
  fc.integer({ min: 0, max: 2 ** 31 }).map((seed) => {
    const below = randomFrom(seed);
    return Uint16Array.from({ length: ROUNDS * HALF }, () => below(HALF));
  }),
);

describe('the permutation', () => {
  it('is undone by its inverse, in both orders', () => {
    holds(
      fc.property(suffix, (each) => {
        expect(permutation.invert(permutation.permute(each))).toBe(each);
        expect(permutation.permute(permutation.invert(each))).toBe(each);
      }),
      { numRuns: 10_000 },
    );
  });

  it('maps suffixes to suffixes', () => {
    for (const edge of [0, 1, HALF - 1, HALF, SUFFIX_COUNT - HALF, SUFFIX_COUNT - 1]) {
      const image = permutation.permute(edge);
      expect(Number.isInteger(image) && image >= 0 && image < SUFFIX_COUNT).toBe(true);
      expect(permutation.invert(image)).toBe(edge);
    }
  });

  it('is a bijection whatever its tables are', () => {
    holds(
      fc.property(tables, fc.array(suffix, { minLength: 50, maxLength: 50 }), (rounds, suffixes) => {
        const other = new Permutation(rounds);
        for (const each of suffixes) expect(other.invert(other.permute(each))).toBe(each);
      }),
      { numRuns: 30 },
    );
  });

  it('maps a million neighbouring suffixes to a million images', () => {
    const seen = new Uint8Array(SUFFIX_COUNT / 8);
    for (let each = 50_000_000; each < 51_000_000; each++) {
      const image = permutation.permute(each);
      const bit = 1 << (image & 7);
      if ((seen[image >>> 3]! & bit) !== 0) expect.fail(`image ${image} comes twice`);
      seen[image >>> 3]! |= bit;
    }
  });

  it('spreads neighbouring suffixes evenly', () => {
    const buckets = new Float64Array(100);
    for (let each = 0; each < 100_000; each++) buckets[Math.floor(permutation.permute(each) / 1_000_000)]!++;
    const chiSquare = buckets.reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0);
    // 99 degrees of freedom: mean 99, standard deviation 14. The key is fixed, so the test is not flaky.
    expect(chiSquare).toBeGreaterThan(40);
    expect(chiSquare).toBeLessThan(180);
  });

  it('differs for another key', async () => {
    const secret = TEST_LIST_KEY.slice();
    secret[31]! ^= 1;
    const other = await deriveListKeys(secret);
    let equal = 0;
    for (let each = 0; each < 10_000; each++) {
      if (other.permutation.permute(each) === permutation.permute(each)) equal++;
    }
    expect(equal).toBeLessThan(3);
    expect(other.keyId).not.toBe(testKeys.keyId);
    expect(other.sourceSeed).not.toBe(testKeys.sourceSeed);
  });

  it('refuses tables of another size', () => {
    expect(() => new Permutation(new Uint16Array(ROUNDS * HALF - 1))).toThrow(RangeError);
  });
});
