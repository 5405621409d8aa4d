/**
 * The builder's choices for dense sections: the smallest kind, sizes near the entropy bound, and termination
 * even for suffixes that no permutation would produce.
 */
import { describe, expect, it } from 'vitest';
import { bestRice, encodeDense } from '../../../shared/build/dense-section.ts';
import { encodeShard } from '../../../shared/build/shard.ts';
import { Shard } from '../../../shared/set/shard.ts';
import { randomFrom } from '../numbers/random.ts';
import { entropyBits } from '../support/entropy.ts';
import { isListed } from '../support/one-part.ts';
import { randomSuffixes } from '../support/random-set.ts';

const SIZE = 400_000;
const KIND = { rice: 1, bitmap: 2, complement: 257 };

function kindOf(words: Uint32Array): number {
  return words[0]! & 0xffff;
}

describe('the kind of a dense section', () => {
  it.each([
    [0.001, KIND.rice],
    [0.1, KIND.rice],
    [0.3, KIND.rice],
    [0.45, KIND.bitmap],
    [0.5, KIND.bitmap],
    [0.55, KIND.bitmap],
    [0.7, KIND.complement],
    [0.9, KIND.complement],
    [0.999, KIND.complement],
  ])('at density %f is %i', (density, kind) => {
    const suffixes = randomSuffixes(randomFrom(9), Math.round(SIZE * density), SIZE);
    expect(kindOf(encodeDense(suffixes, SIZE))).toBe(kind);
  });
});

describe('the size of a dense section', () => {
  it.each([0.001, 0.003, 0.01, 0.03, 0.1, 0.2, 0.3, 0.7, 0.9, 0.99])(
    'at density %f is within 12 % of the entropy bound',
    (density) => {
      // The product uses 10^8. A smaller section takes as many bits per entry.
      const size = density < 0.01 ? 10_000_000 : 1_000_000;
      const count = Math.round(size * density);
      const words = encodeDense(randomSuffixes(randomFrom(3), count, size), size);
      const ratio = (words.length * 32) / entropyBits(count, size);
      expect(ratio).toBeGreaterThan(1);
      expect(ratio).toBeLessThan(1.12);
    },
  );

  it('is never more than that of a bitmap', () => {
    for (const count of [0, 1, 100, 5_000, 9_999, 10_000]) {
      const words = encodeDense(randomSuffixes(randomFrom(count), count, 10_000), 10_000);
      expect(words.length).toBeLessThanOrEqual(2 + Math.ceil(10_000 / 32));
    }
  });
});

describe('suffixes chosen to be adverse', () => {
  it('overflow no offset when they lie close together', () => {
    // 12,000 neighbouring suffixes put all code bits into a few buckets of a part of 10^8 suffixes.
    const suffixes = Uint32Array.from({ length: 12_000 }, (_, suffix) => 70_000_000 + suffix);
    const part = { start: 8210 * 100_000_000, plain: [encodeDense(suffixes, 100_000_000)], dated: [null] };
    const shard = new Shard(encodeShard([part], 8211 * 100_000_000, 1));
    const has = (suffix: number): boolean => isListed(shard, 8210, suffix);
    for (const suffix of [0, 69_999_999, 70_000_000, 70_006_000, 70_011_999, 70_012_000, 99_999_999]) {
      expect(has(suffix)).toBe(suffix >= 70_000_000 && suffix < 70_012_000);
    }
  });
});

describe('the Rice parameter', () => {
  it('follows the density', () => {
    expect(bestRice(1, 100_000_000).parameter).toBeGreaterThan(24);
    expect(bestRice(50_000_000, 100_000_000).parameter).toBe(0);
    let last = 28;
    for (let count = 1; count < 100_000_000; count *= 4) {
      const { parameter, bitsPerEntry } = bestRice(count, 100_000_000);
      expect(parameter).toBeLessThanOrEqual(last);
      expect(bitsPerEntry).toBeGreaterThan(parameter + 1);
      last = parameter;
    }
  });
});
