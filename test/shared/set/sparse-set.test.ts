/**
 * Sparse sections: single entries of many prefixes, many entries of few prefixes, and every count around a
 * block of 32. The builder is compared with the naive encoder, and the reader with a plain set.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeSparse } from '../../../shared/build/sparse-section.ts';
import { Shard } from '../../../shared/set/shard.ts';
import { randomFrom } from '../numbers/random.ts';
import { type NaiveKey, naiveSparse, type SparseChoice } from '../support/naive-sections.ts';
import { bytesOf, isListed, shardWith } from '../support/one-part.ts';
import { holds, suffix } from '../support/properties.ts';

const LAST_HEAD = 9_999_999;
const LAST_SUFFIX = 99_999_999;

function sorted(keys: readonly NaiveKey[]): NaiveKey[] {
  const distinct = new Map(keys.map((key) => [String(key), key]));
  return [...distinct.values()].sort((a, b) => a[0] - b[0] || a[1] - b[1]);
}

function encode(keys: readonly NaiveKey[]): Uint32Array {
  return encodeSparse(Float64Array.from(keys, ([prefix, suffix]) => prefix * 100_000_000 + suffix));
}

/** The builder's choices: the prefix parameter from the header, and a block's from the bits that its row points to. */
function choiceIn(section: Uint32Array): SparseChoice {
  const blocks = section[2]!;
  const bits = [...section.slice(3 + 3 * blocks)].map((each) => each.toString(2).padStart(32, '0')).join('');
  const blockParameters = Array.from({ length: blocks }, (_, block) => {
    const at = section[3 + 3 * block + 2]!;
    return Number.parseInt(bits.slice(at, at + 5), 2);
  });
  return { headParameter: section[0]! >>> 16, blockParameters };
}

function open(section: readonly number[]): Shard {
  return new Shard(shardWith(section, [0, 0], [LAST_HEAD + 1, 0]));
}

/** The keys and their neighbours. */
function around(keys: readonly NaiveKey[]): NaiveKey[] {
  const edges: NaiveKey[] = [
    [0, 0],
    [0, LAST_SUFFIX],
    [LAST_HEAD, 0],
    [LAST_HEAD, LAST_SUFFIX],
  ];
  const beside = keys.flatMap(([prefix, at]): NaiveKey[] => [
    [prefix, at],
    [prefix, Math.max(0, at - 1)],
    [prefix, Math.min(LAST_SUFFIX, at + 1)],
    [Math.max(0, prefix - 1), at],
    [Math.min(LAST_HEAD, prefix + 1), at],
    [prefix, 0],
    [prefix, LAST_SUFFIX],
  ]);
  return [...edges, ...beside];
}

function check(unsorted: readonly NaiveKey[]): void {
  const keys = sorted(unsorted);
  const section = encode(keys);
  expect(bytesOf(section)).toEqual(naiveSparse(keys, choiceIn(section)));
  const shard = open(bytesOf(section));
  expect(shard.count(0)).toBe(keys.length);
  const model = new Set(keys.map(String));
  for (const [prefix, at] of around(keys)) {
    if (isListed(shard, prefix, at) !== model.has(`${prefix},${at}`)) expect.fail(`wrong at ${prefix},${at}`);
  }
}

const run = (count: number, key: (index: number) => NaiveKey): NaiveKey[] =>
  Array.from({ length: count }, (_, index) => key(index));

describe('a sparse section', () => {
  it.each<[string, NaiveKey[]]>([
    ['nothing', []],
    ['the first key of all', [[0, 0]]],
    ['the last key of all', [[LAST_HEAD, LAST_SUFFIX]]],
    [
      'the first and the last key',
      [
        [0, 0],
        [LAST_HEAD, LAST_SUFFIX],
      ],
    ],
    [
      'the last key of one prefix and the first of the next',
      [
        [8210, LAST_SUFFIX],
        [8211, 0],
      ],
    ],
    ['one key a prefix, prefixes next to each other', run(100, (index) => [1000 + index, 5])],
    ['one key a prefix, distant prefixes', run(100, (index) => [index * 99_000, LAST_SUFFIX - index])],
    [
      'one prefix close by and one at the end',
      [
        [1, 1],
        [2, 2],
        [LAST_HEAD, 3],
      ],
    ],
    ['neighbours behind one prefix', run(100, (index) => [8210, 500 + index])],
    ['distant suffixes of one prefix', run(90, (index) => [8210, index * 1_100_000])],
    [
      'many gaps of nothing, then one of nearly all',
      [...run(40, (index): NaiveKey => [7, index]), [7, LAST_SUFFIX]],
    ],
  ])('lists %s', (_, keys) => {
    check(keys);
  });

  it.each([1, 2, 31, 32, 33, 63, 64, 65, 95, 96, 97])(
    'lists %i keys, behind one prefix and behind many',
    (count) => {
      const below = randomFrom(count);
      check(run(count, () => [8210, below(100_000_000)]));
      check(run(count, () => [below(10_000_000), below(100_000_000)]));
      check(run(count, (index) => [8200 + Math.floor(index / 32), index]));
    },
  );

  it('agrees with a plain set', () => {
    const key = fc.tuple(
      fc.oneof(fc.integer({ min: 8200, max: 8220 }), fc.integer({ min: 0, max: LAST_HEAD })),
      suffix,
    );
    holds(fc.property(fc.array(key, { maxLength: 300 }), check));
  });

  it('agrees with a plain set when keys are close together', () => {
    const key = fc.tuple(fc.integer({ min: 0, max: 4 }), fc.integer({ min: 0, max: 200 }));
    holds(fc.property(fc.array(key, { maxLength: 300 }), check));
  });

  it('is read correctly with any parameters of the encoder', () => {
    const below = randomFrom(11);
    const keys = sorted(run(70, () => [below(300), below(300)]));
    const model = new Set(keys.map(String));
    for (const headParameter of [0, 1, 8, 31]) {
      for (const parameter of [0, 3, 9, 31]) {
        const shard = open(
          naiveSparse(keys, { headParameter, blockParameters: [parameter, 31 - parameter, parameter] }),
        );
        for (const [prefix, at] of around(keys)) {
          expect(isListed(shard, prefix, at)).toBe(model.has(`${prefix},${at}`));
        }
      }
    }
  });
});
