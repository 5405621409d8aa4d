/**
 * The order in which `prove` looks up suffixes has every suffix exactly as often as the input.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { queryOrder } from '../../../cli/proof/query-order.ts';
import { SUFFIX_COUNT } from '../../../shared/numbers/number.ts';
import type { Permutation } from '../../../shared/set/permutation.ts';
import { holds, suffix } from '../../shared/support/properties.ts';
import { testKeys } from '../../shared/support/test-keys.ts';

const { permutation } = testKeys;

it('has every suffix as often as the input, and adjacent entries next to each other', () => {
  holds(
    fc.property(
      fc.array(fc.oneof(suffix, fc.constantFrom(0, 1, 99_999_999)), { maxLength: 200 }),
      (suffixes) => {
        const ordered = [...queryOrder(Uint32Array.from(suffixes), permutation)];
        expect(ordered.toSorted((a, b) => a - b)).toEqual(suffixes.toSorted((a, b) => a - b));
        const places = ordered.map((each) => permutation.permute(each) >>> 10);
        expect(places).toEqual(places.toSorted((a, b) => a - b));
      },
    ),
    { numRuns: 30 },
  );
});

it('fails if permuted values outside the range would drop suffixes', () => {
  const broken = {
    permute: (each: number) => (each === 5 ? 10 * SUFFIX_COUNT : each),
  } as unknown as Permutation;
  expect(() => queryOrder(Uint32Array.of(4, 5, 6), broken)).toThrow(RangeError);
});
