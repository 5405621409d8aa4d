/**
 * The plain set that a release is compared with: sorted numbers, and bitmaps for prefixes with many numbers.
 */
import { expect, it } from 'vitest';
import { isIn, PlainSetBuilder, sizeOf } from '../../../cli/proof/plain-set.ts';
import { SUFFIX_COUNT } from '../../../shared/numbers/number.ts';

const DENSE = 8210;

it.each([3, 1_500_000, 1_600_000])(
  'has %i numbers with one prefix and some with others, each once',
  (count) => {
    const builder = new PlainSetBuilder(DENSE);
    const suffix = (index: number): number => (index * 61_803_399) % SUFFIX_COUNT;
    const numberAt = (index: number): number => 822 * SUFFIX_COUNT + suffix(index);
    const others = [0, 1201 * SUFFIX_COUNT + 99_999_999, 9_999_999 * SUFFIX_COUNT, DENSE * SUFFIX_COUNT + 7];
    for (let index = 0; index < count; index++) builder.add(numberAt(index));
    for (const n of [...others, ...others, numberAt(0), numberAt(count - 1)]) builder.add(n);
    const set = builder.finish();
    expect(sizeOf(set)).toBe(count + others.length);
    expect([...set.bitmaps.keys()].sort((a, b) => a - b)).toEqual(count > 1_562_500 ? [822, DENSE] : [DENSE]);
    expect(set.sorted).toEqual(set.sorted.toSorted());
    const listed = Array.from({ length: Math.min(count, 99) }, (_, index) => numberAt(count - 1 - index));
    expect([...listed, ...others].every((n) => isIn(set, n))).toBe(true);
    const unlisted = [1, numberAt(count), 823 * SUFFIX_COUNT, 1201 * SUFFIX_COUNT, DENSE * SUFFIX_COUNT];
    expect(unlisted.some((n) => isIn(set, n))).toBe(false);
  },
);
