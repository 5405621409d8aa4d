/**
 * The plain set that a release is compared with, for prefixes that are not checked completely.
 */
import { expect, it } from 'vitest';
import { addTo, isIn, numbersIn, type PlainSet, sizeOf } from '../../../cli/proof/plain-set.ts';
import { SUFFIX_COUNT } from '../../../shared/numbers/number.ts';

it.each([3, 300_000, 300_001])('has %i numbers with one prefix and some with others, each once', (count) => {
  const set: PlainSet = new Map();
  const suffix = (index: number): number => (index * 61_803_399) % SUFFIX_COUNT;
  const numbers = Array.from({ length: count }, (_, index) => 822 * SUFFIX_COUNT + suffix(index));
  const others = [0, 1201 * SUFFIX_COUNT + 99_999_999, 9_999_999 * SUFFIX_COUNT];
  for (const n of [...numbers, ...others, ...numbers.slice(0, 2)]) addTo(set, n);
  expect(sizeOf(set)).toBe(count + others.length);
  const ascending = (all: Iterable<number>): Float64Array => Float64Array.from(all).sort();
  expect(ascending(numbersIn(set))).toEqual(ascending([...numbers, ...others]));
  expect([...numbers.slice(0, 99), ...others].every((n) => isIn(set, n))).toBe(true);
  expect(
    [1, 822 * SUFFIX_COUNT + suffix(count), 823 * SUFFIX_COUNT, 1201 * SUFFIX_COUNT].some((n) =>
      isIn(set, n),
    ),
  ).toBe(false);
});
