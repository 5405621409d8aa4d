/** The suffixes of one prefix while a list is collected are sorted and distinct, for any count. */
import { expect, it } from 'vitest';
import { SuffixSet } from '../../../shared/build/suffix-set.ts';
import { SUFFIX_COUNT } from '../../../shared/numbers/number.ts';

it.each([0, 1, 64, 65, 99_999, 100_000, 3_124_999, 3_125_000, 3_125_001, 4_000_000])(
  'returns %i suffixes sorted and distinct, added in pieces and some twice',
  (count) => {
    // The step has no common divisor with 10^8, so no suffix repeats.
    const suffix = (index: number): number => (index * 61_803_399) % SUFFIX_COUNT;
    const added = new Uint32Array(count + (count >>> 3));
    for (let index = 0; index < added.length; index++) added[index] = suffix(index % count);
    const suffixes = new SuffixSet();
    for (let from = 0, size = 1; from < added.length; from += size, size = (size * 3) % 5_003) {
      suffixes.add(added, from, Math.min(added.length, from + size));
    }
    const finished = suffixes.finish();
    expect(finished.length).toBe(count);
    const expected = added.slice(0, count).sort();
    expect(finished.every((each, index) => each === expected[index])).toBe(true);
  },
);
