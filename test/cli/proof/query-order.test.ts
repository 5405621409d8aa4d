/**
 * The order in which `prove` asks leaves no suffix out and asks none twice.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { queryOrder } from '../../../cli/proof/query-order.ts';
import { SUFFIX_COUNT } from '../../../shared/numbers/number.ts';
import type { Permutation } from '../../../shared/set/permutation.ts';
import { holds, suffix } from '../../shared/support/properties.ts';
import { testKeys } from '../../shared/support/test-keys.ts';

const { permutation } = testKeys;

it('has every suffix as often as it came, near each other where their images are', () => {
  holds(
    fc.property(
      fc.array(fc.oneof(suffix, fc.constantFrom(0, 1, 99_999_999)), { maxLength: 200 }),
      (tails) => {
        const ordered = [...queryOrder(Uint32Array.from(tails), permutation)];
        expect(ordered.toSorted((a, b) => a - b)).toEqual(tails.toSorted((a, b) => a - b));
        const places = ordered.map((each) => permutation.permute(each) >>> 10);
        expect(places).toEqual(places.toSorted((a, b) => a - b));
      },
    ),
    { numRuns: 30 },
  );
});

it('does not ask at all where the images of some tails would leave them out', () => {
  const broken = {
    permute: (each: number) => (each === 5 ? 10 * SUFFIX_COUNT : each),
  } as unknown as Permutation;
  expect(() => queryOrder(Uint32Array.of(4, 5, 6), broken)).toThrow(RangeError);
});
