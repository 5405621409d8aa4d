/**
 * The integer form: prefix and suffix, and the written form.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  digitCountOf,
  NUMBER_LIMIT,
  prefixOf,
  SUFFIX_COUNT,
  suffixOf,
  toE164,
} from '../../../shared/numbers/number.ts';

const SEED = 20_261_124;
const numbers = fc.integer({ min: 1, max: NUMBER_LIMIT - 1 });

describe('the integer form', () => {
  it("splits Korea's 010-1234-5678 into prefix 8210 and suffix 12345678", () => {
    expect(prefixOf(821012345678)).toBe(8210);
    expect(suffixOf(821012345678)).toBe(12345678);
    expect(toE164(821012345678)).toBe('+821012345678');
  });

  it(`is head, tail and digit count put together (seed ${SEED})`, () => {
    const holds = fc.property(numbers, (n) => {
      expect(prefixOf(n) * SUFFIX_COUNT + suffixOf(n)).toBe(n);
      expect(digitCountOf(n)).toBe(String(n).length);
    });
    fc.assert(holds, { seed: SEED });
  });

  it('is written as plus and digits, at every length and around every power of ten', () => {
    const twelve = fc.integer({ min: 100_000_000_000, max: 999_999_999_999 });
    const holds = fc.property(fc.oneof(numbers, twelve), (n) => {
      expect(toE164(n)).toBe(`+${n}`);
    });
    fc.assert(holds, { seed: SEED, numRuns: 5_000 });
    for (let digits = 1; digits < 15; digits++) {
      for (const n of [10 ** digits - 1, 10 ** digits, 10 ** digits + 1]) expect(toE164(n)).toBe(`+${n}`);
    }
  });

  it('counts digits correctly at every power of ten', () => {
    for (let digits = 1; digits < 15; digits++) {
      expect(digitCountOf(10 ** digits - 1)).toBe(digits);
      expect(digitCountOf(10 ** digits)).toBe(digits + 1);
    }
    expect(digitCountOf(0)).toBe(1);
  });
});
