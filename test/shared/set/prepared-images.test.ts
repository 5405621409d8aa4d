/**
 * Prepared images equal those of the permutation, after any sequence of preparations and reads. Images that
 * are read in order are computed once.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Permutation } from '../../../shared/set/permutation.ts';
import { PREPARED_IMAGES_MAX, PreparedImages } from '../../../shared/set/prepared-images.ts';
import { holds, suffix } from '../support/properties.ts';
import { testKeys } from '../support/test-keys.ts';

const { permutation } = testKeys;

/** A random operation. Few suffixes, so that they repeat. */
const step = fc.oneof(
  fc.constant('clear' as const),
  fc.tuple(fc.constantFrom('prepare' as const, 'read' as const), fc.oneof(suffix, fc.nat(3))),
);

/** Counts the computed images. */
class Counting {
  computed = 0;

  permute(each: number): number {
    this.computed++;
    return permutation.permute(each);
  }
}

function counted(): { counting: Counting; images: PreparedImages } {
  const counting = new Counting();
  return { counting, images: new PreparedImages(counting as unknown as Permutation) };
}

describe('prepared images', () => {
  it('are those of the permutation, in whatever order they are read', () => {
    holds(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const images = new PreparedImages(permutation);
        for (const each of steps) {
          if (each === 'clear') images.clear();
          else if (each[0] === 'prepare') images.prepare(each[1]);
          else expect(images.imageOf(each[1])).toBe(permutation.permute(each[1]));
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('are computed once each if they are read in order', () => {
    const { counting, images } = counted();
    const suffixes = Array.from({ length: 100 }, (_, at) => at * 7);
    for (const each of suffixes) images.prepare(each);
    for (const each of suffixes) {
      images.imageOf(each);
      images.imageOf(each + 1);
    }
    expect(counting.computed).toBe(2 * suffixes.length);
  });

  it('are discarded when they are cleared', () => {
    const { counting, images } = counted();
    images.prepare(1);
    images.clear();
    expect(images.imageOf(1)).toBe(permutation.permute(1));
    expect(counting.computed).toBe(2);
  });

  it('are bounded: further images are computed on demand', () => {
    const { counting, images } = counted();
    for (let each = 0; each < PREPARED_IMAGES_MAX + 10; each++) images.prepare(each);
    expect(counting.computed).toBe(PREPARED_IMAGES_MAX);
    for (let each = 0; each < PREPARED_IMAGES_MAX + 10; each++) {
      expect(images.imageOf(each)).toBe(permutation.permute(each));
    }
    expect(counting.computed).toBe(PREPARED_IMAGES_MAX + 10);
  });
});
