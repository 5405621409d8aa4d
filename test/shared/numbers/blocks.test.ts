/** Whole blocks and wide ranges: each bound from both sides, and blocks compared with the plan, number by number. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countWholeBlocks, isTooWide } from '../../../shared/numbers/blocks.ts';
import { krClassOf } from '../../../shared/numbers/plan.ts';
import { holds } from '../support/properties.ts';

const BLOCK = 10_000;

describe('whole blocks of Korean numbers', () => {
  it.each([
    ['one block of 010', 82_10_2000_0000, 82_10_2000_9999, 1],
    ['a tenth less at its end', 82_10_2000_0000, 82_10_2000_8999, 1],
    ['one number less', 82_10_2000_0000, 82_10_2000_8998, 0],
    ['a tenth less at its start', 82_10_2000_1000, 82_10_2000_9999, 1],
    ['one number less at its end', 82_10_2000_1000, 82_10_2000_9998, 0],
    ['as many numbers in two blocks', 82_10_2000_5000, 82_10_2001_4999, 0],
    ['two blocks and a half on each side', 82_10_2000_5000, 82_10_2003_4999, 2],
    ['unused 010', 82_10_0000_0000, 82_10_1999_9999, 0],
    ['unused 010 and one block', 82_10_0000_0000, 82_10_2000_9999, 1],
    ['an area code that is none', 82_34_000_0000, 82_39_999_9999, 0],
    ['an exchange that begins with 0', 82_31_0000_0000, 82_31_0999_9999, 0],
    ['a representative number', 82_1588_0000, 82_1588_9999, 1],
    ['Seoul, nine digits', 82_2_234_0000, 82_2_234_9999, 1],
    ['another country', 63_917_200_0000, 63_917_999_9999, 0],
    ['nothing', 5, 4, 0],
  ])('are counted in %s', (_, from, to, count) => {
    expect(countWholeBlocks(from, to)).toBe(count);
  });

  it('are those that contain a valid number', () => {
    const first = fc.oneof(
      fc.integer({ min: 8_200, max: 8_299 }).map((each) => each * 1_000 + 82),
      fc.integer({ min: 82_000, max: 82_999 }),
      fc.integer({ min: 8_200_000, max: 8_299_999 }),
      fc.integer({ min: 82_000_000, max: 82_999_999 }),
      fc.integer({ min: 0, max: 99_999_999 }),
    );
    holds(
      fc.property(first, (block) => {
        const from = block * BLOCK;
        const isUnused = from >= 82_10_0000_0000 && from <= 82_10_1999_9999;
        let isUsed = false;
        for (let n = from; n < from + BLOCK && !isUsed; n++)
          isUsed = (krClassOf(n) ?? 'unknown') !== 'unknown';
        expect(countWholeBlocks(from, from + BLOCK - 1)).toBe(isUsed && !isUnused ? 1 : 0);
      }),
      { numRuns: 300 },
    );
  });
});

describe('a range', () => {
  it.each([
    ['a network of the Philippines', 63_91_000_00000, 63_91_999_99999],
    ['a network of the United States', 1_212_000_0000, 1_212_999_9999],
    ['010 behind two digits', 82_10_2000_0000, 82_10_2099_9999],
    ['02 behind two digits', 82_2_220_0000, 82_2_229_9999],
    ['a representative number', 82_1588_0000, 82_1588_9999],
    ['unused 010', 82_10_0000_0000, 82_10_1999_9999],
    ['unused 010 and a little more', 82_10_0000_0000, 82_10_2099_9999],
    ['a country code that is none', 999_0_00000000, 999_9_99999999],
    ['one number', 82_10_2000_0000, 82_10_2000_0000],
  ])('of %s is not too wide', (_, from, to) => {
    expect(isTooWide(from, to)).toBe(false);
  });

  it.each([
    ['a network of the Philippines and one number', 63_91_000_00000, 63_92_000_00000],
    ['one digit of the Philippines', 63_9_0000_00000, 63_9_9999_99999],
    ['one digit of the United States', 1_2_00000_0000, 1_2_99999_9999],
    ['010 behind two digits and one number', 82_10_2000_0000, 82_10_2100_0000],
    ['010 behind one digit', 82_10_2000_0000, 82_10_2999_9999],
    ['02 behind one digit', 82_2_200_0000, 82_2_299_9999],
    ['1588 and 1589', 82_1588_0000, 82_1589_9999],
    ['everything', 0, 999_999_999_999_999],
    ['two countries', 63_99_999_00000, 64_19_999_00000],
  ])('of %s is too wide', (_, from, to) => {
    expect(isTooWide(from, to)).toBe(true);
  });
});
