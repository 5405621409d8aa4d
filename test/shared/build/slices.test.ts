/**
 * Slices of the key space. Every key belongs to exactly one part and one shard, dense prefixes have their own
 * parts, and cuts stay the same from day to day.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ListContent } from '../../../shared/build/list-entries.ts';
import { cutSlices, type Slice } from '../../../shared/build/slices.ts';
import { Release } from '../../../shared/release/release.ts';
import { build } from '../support/built-release.ts';
import { plainList } from '../support/plain-model.ts';
import { holds, holdsAsync, suffix } from '../support/properties.ts';
import { testKeys } from '../support/test-keys.ts';

const SUFFIXES = 100_000_000;
const LIMIT = 1_000_000_000_000_000;
const LAST_HEAD = 9_999_999;

/** A list that has only counts, because cutting uses nothing else. */
function counted(
  plain: readonly (readonly [number, number])[],
  dated: readonly (readonly [number, number])[] = [],
): ListContent {
  return {
    plain: new Map(plain.map(([prefix, count]) => [prefix, new Uint32Array(count)])),
    dated: dated.flatMap(([prefix, count]) =>
      Array.from({ length: count }, () => ({ key: prefix * SUFFIXES, since: 1, until: 2 })),
    ),
    ranges: [],
    sources: [],
  };
}

function expectTiling(slices: readonly Slice[]): void {
  expect(slices[0]!.start).toBe(0);
  expect(slices.at(-1)!.end).toBe(LIMIT);
  slices.forEach((slice, index) => {
    expect(slice.end).toBeGreaterThan(slice.start);
    expect(slice.end).toBe(slices[index + 1]?.start ?? LIMIT);
    if (slice.dense) expect(Math.floor((slice.end - 1) / SUFFIXES)).toBe(Math.floor(slice.start / SUFFIXES));
    else expect(slice.start % SUFFIXES).toBe(0);
  });
}

describe('the slices', () => {
  it('are none if nothing is listed', () => {
    expect(cutSlices([], 0)).toEqual([]);
    expect(cutSlices([counted([])], 0)).toEqual([]);
  });

  it('pool thin prefixes in one slice over everything', () => {
    expect(
      cutSlices(
        [
          counted([
            [8210, 1_023],
            [8211, 1],
          ]),
        ],
        0,
      ),
    ).toEqual([{ start: 0, end: LIMIT, dense: false }]);
  });

  it('give a prefix its own part from 1,024 entries on, over all lists, dated ones too', () => {
    for (const lists of [
      [counted([[8210, 1_024]])],
      [counted([[8210, 1_000]]), counted([[8210, 24]])],
      [counted([[8210, 1_000]]), counted([], [[8210, 24]])],
    ]) {
      expect(cutSlices(lists, 0)).toEqual([
        { start: 0, end: 8210 * SUFFIXES, dense: false },
        { start: 8210 * SUFFIXES, end: 8211 * SUFFIXES, dense: true },
        { start: 8211 * SUFFIXES, end: LIMIT, dense: false },
      ]);
    }
  });

  it('need no pool before the first prefix or after the last one', () => {
    const slices = cutSlices(
      [
        counted([
          [0, 2_000],
          [LAST_HEAD, 2_000],
        ]),
      ],
      0,
    );
    expect(slices.map(({ dense }) => dense)).toEqual([true, false, true]);
    expectTiling(slices);
  });

  it('cut a large prefix into a power of two, always at the same places', () => {
    const cutsOf = (count: number, finer = 0): number[] =>
      cutSlices([counted([[8210, count]])], finer)
        .filter(({ dense }) => dense)
        .map(({ start }) => start - 8210 * SUFFIXES);
    for (const count of [600_000, 2_000_000, 9_000_000]) {
      const cuts = cutsOf(count);
      expect(Math.log2(cuts.length) % 1).toBe(0);
      expect(cutsOf(count + 100)).toEqual(cuts);
      expect(cutsOf(count, 1)).toEqual(expect.arrayContaining(cuts));
      expect(cutsOf(count, 1)).toHaveLength(cuts.length * 2);
    }
  });

  it('tile the key space, whatever is listed', () => {
    const prefix = fc.oneof(fc.integer({ min: 8200, max: 8230 }), fc.integer({ min: 0, max: LAST_HEAD }));
    const size = fc.tuple(prefix, fc.constantFrom(1, 500, 1_023, 1_024, 30_000, 400_000));
    holds(
      fc.property(
        fc.array(fc.array(size, { maxLength: 8 }), { minLength: 1, maxLength: 3 }),
        fc.nat({ max: 3 }),
        (lists, finer) => {
          const slices = cutSlices(
            lists.map((list) => counted(list)),
            finer,
          );
          if (lists.some((list) => list.length > 0)) expectTiling(slices);
          else expect(slices).toEqual([]);
        },
      ),
      { numRuns: 50 },
    );
  });
});

describe('the shards of a release', () => {
  it('tile the key space, and each states where it begins and ends', async () => {
    const entry = fc.tuple(fc.constantFrom(0, 1201, 8210, 8211, LAST_HEAD), suffix);
    await holdsAsync(
      fc.asyncProperty(
        fc.array(entry, { minLength: 1, maxLength: 20 }),
        fc.constantFrom(8210, LAST_HEAD),
        async (entries, crowded) => {
          const crowd = Array.from({ length: 45_000 }, (_, index) => ({
            n: crowded * SUFFIXES + index * 2_000,
            since: 1,
            until: 2,
          }));
          const thin = entries.map(([prefix, at]) => ({
            n: prefix * SUFFIXES + at,
            since: 0,
            until: 0xffffffff,
          }));
          const { manifest, values } = await build([plainList('one', { numbers: [...crowd, ...thin] })]);
          const release = new Release(manifest, testKeys);
          expect(manifest.shards.length).toBeGreaterThan(1);
          manifest.shards.forEach(({ key, start }, index) => {
            const end = manifest.shards[index + 1]?.start ?? LIMIT;
            const bytes = values.get(key)!;
            const header = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
            expect(header[4]! * SUFFIXES + header[5]!).toBe(end);
            expect(header[6]! * SUFFIXES + header[7]!).toBe(start);
            for (const each of [start, end - 1]) {
              expect(release.shardIndexOf(Math.floor(each / SUFFIXES), each % SUFFIXES)).toBe(index);
            }
          });
        },
      ),
      { numRuns: 6 },
    );
  });
});
