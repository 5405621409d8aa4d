/**
 * Rice, complement and bitmap sections. The builder's bytes are compared with the naive encoder's and with a plain set, at the
 * edges and at random.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeDense } from '../../../shared/build/dense-section.ts';
import { randomFrom } from '../numbers/random.ts';
import { naiveBitmap, naiveComplement, naiveRice, type RiceChoice } from '../support/naive-sections.ts';
import { bytesOf, openDense } from '../support/one-part.ts';
import { holds } from '../support/properties.ts';
import { randomSet } from '../support/random-set.ts';

/** Reads the parameters that the builder chose from the section's header. */
function choiceIn(words: Uint32Array): RiceChoice {
  return { parameter: words[0]! >>> 16, width: words[2]! };
}

/** The naive encoding of the same set with the same choices. */
function naive(words: Uint32Array, suffixes: readonly number[], size: number): number[] {
  const [kind, flags] = [words[0]! & 0xff, (words[0]! >>> 8) & 0xff];
  if (kind === 2) return naiveBitmap(suffixes, size);
  return (flags === 1 ? naiveComplement : naiveRice)(suffixes, size, choiceIn(words));
}

/** Encodes a set, compares the bytes, and looks up every suffix of a small part, or `lookedUp` of a large one. */
function check(suffixes: readonly number[], size: number, from: number, lookedUp?: readonly number[]): void {
  const words = encodeDense(Uint32Array.from(suffixes), size);
  expect(bytesOf(words)).toEqual(naive(words, suffixes, size));
  const has = openDense(bytesOf(words), from, size);
  const model = new Set(suffixes);
  for (const suffix of lookedUp ?? Array.from({ length: size }, (_, each) => each)) {
    if (has(suffix) !== model.has(suffix)) expect.fail(`suffix ${suffix} of ${size}: ${has(suffix)}`);
  }
}

const every = (size: number): number[] => Array.from({ length: size }, (_, suffix) => suffix);

describe('a dense section', () => {
  const size = 2_000;
  it.each([
    ['nothing', []],
    ['only the first suffix', [0]],
    ['only the last suffix', [size - 1]],
    ['the first and the last suffix', [0, size - 1]],
    ['every suffix', every(size)],
    ['every suffix but the first', every(size).slice(1)],
    ['every suffix but the last', every(size).slice(0, -1)],
    ['every suffix but one', every(size).filter((suffix) => suffix !== 777)],
    ['a run of neighbours', every(size).slice(500, 620)],
    ['every second suffix', every(size).filter((suffix) => suffix % 2 === 0)],
    ['just under half', every(size).filter((suffix) => suffix % 2 === 1 && suffix > 3)],
    ['just over half', [0, ...every(size).filter((suffix) => suffix % 2 === 1)]],
    ['one in three', every(size).filter((suffix) => suffix % 3 === 0)],
  ])('lists %s', (_, suffixes) => {
    check(suffixes, size, 0);
  });

  it.each([1, 2, 31, 32, 33, 63, 64, 65])('may be %i suffixes wide', (width) => {
    check([], width, 5);
    check([width - 1], width, 5);
    check(every(width), width, 99_999_999 - width);
  });

  it('may start at any suffix of its prefix', () => {
    const suffixes = randomSet(randomFrom(7), 60, size);
    for (const from of [0, 1, 12_345_678, 100_000_000 - size]) check(suffixes, size, from);
  });

  it('holds a whole prefix', () => {
    const suffixes = [0, 1, 50_000_000, 99_999_998, 99_999_999];
    check(suffixes, 100_000_000, 0, [...suffixes, 2, 49_999_999, 50_000_001, 99_999_997, 77]);
  });

  it.each([
    ['dense enough for many groups of buckets', 60_000, 400_000],
    ['thin, with few buckets', 900, 10_000_000],
    ['near the middle, a bitmap', 21_000, 40_000],
    ['nearly full, a complement', 39_000, 40_000],
  ])('agrees with a set of random suffixes that is %s', (_, count, size) => {
    const below = randomFrom(count);
    const suffixes = randomSet(below, count, size);
    const lookedUp = [
      ...suffixes,
      ...suffixes.map((suffix) => Math.min(size - 1, suffix + 1)),
      ...randomSet(below, 5_000, size),
    ];
    check(suffixes, size, 0, lookedUp);
  });

  it('agrees with a plain set', () => {
    const set = fc
      .integer({ min: 1, max: 3_000 })
      .chain((size) =>
        fc.tuple(
          fc.constant(size),
          fc.uniqueArray(fc.integer({ min: 0, max: size - 1 }), { maxLength: size }),
        ),
      );
    holds(
      fc.property(set, ([size, suffixes]) => {
        check(
          suffixes.toSorted((a, b) => a - b),
          size,
          0,
        );
      }),
    );
  });

  it('agrees with a plain set when suffixes come in runs, as after no permutation', () => {
    const runs = fc.array(fc.tuple(fc.integer({ min: 0, max: 4_900 }), fc.integer({ min: 1, max: 100 })), {
      maxLength: 20,
    });
    holds(
      fc.property(runs, (each) => {
        const suffixes = new Set(
          each.flatMap(([start, length]) => every(length).map((suffix) => start + suffix)),
        );
        check(
          [...suffixes].sort((a, b) => a - b),
          5_000,
          0,
        );
      }),
    );
  });
});

describe('the reader of a Rice section', () => {
  const size = 700;

  it.each([1, 2, 3, 4, 5, 31, 32, 33, 63, 64, 65, 129])(
    'finds the bucket among %i, the last one short',
    (buckets) => {
      const extent = buckets * 11 - 3;
      const spread = randomSet(randomFrom(buckets), Math.ceil(extent / 8), extent);
      for (const make of [naiveRice, naiveComplement]) {
        const has = openDense(make(spread, extent, { parameter: 2, width: 11 }), 0, extent);
        for (let suffix = 0; suffix < extent; suffix++) expect(has(suffix)).toBe(spread.includes(suffix));
      }
    },
  );

  it.each([0, 1, 5, 27, 31])('reads parameter %i with any number of zeros before a one', (parameter) => {
    const has = openDense(naiveRice([0, 33, 65, 98, 600], size, { parameter, width: 150 }), 0, size);
    for (let suffix = 0; suffix < size; suffix++)
      expect(has(suffix)).toBe([0, 33, 65, 98, 600].includes(suffix));
  });

  it('reads quotients of about 32 zeros at every bit of a word', () => {
    for (let first = 0; first < 40; first++) {
      for (const gap of [28, 29, 30, 31, 32, 33, 63, 64, 65, 96, 130]) {
        for (const parameter of [0, 1, 3]) {
          const second = first + 1 + gap * 2 ** parameter;
          const extent = second + 2;
          const has = openDense(naiveRice([first, second], extent, { parameter, width: extent }), 0, extent);
          for (const suffix of [first - 1, first, first + 1, second - 1, second, second + 1]) {
            if (suffix >= 0 && has(suffix) !== (suffix === first || suffix === second)) {
              expect.fail(`parameter ${parameter}, suffixes ${first} and ${second}: wrong at ${suffix}`);
            }
          }
        }
      }
    }
  });
});
