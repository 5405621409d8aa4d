/**
 * Iteration over sections, shards and tables returns the encoded entries in order, and the same ones as
 * lookups, for every encoding and every choice of its encoder.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeDense } from '../../../shared/build/dense-section.ts';
import { encodeDated } from '../../../shared/build/shard.ts';
import { encodeSparse } from '../../../shared/build/sparse-section.ts';
import { encodeRanges, encodeSources, flattenRanges, sortSources } from '../../../shared/build/tables.ts';
import { FLAG_COMPLEMENT, SECTION_BITMAP, SECTION_RICE } from '../../../shared/set/layout.ts';
import { LayoutError } from '../../../shared/set/number-set.ts';
import { RangeTable } from '../../../shared/set/range-table.ts';
import { Shard } from '../../../shared/set/shard.ts';
import { SourceTable } from '../../../shared/set/source-table.ts';
import { type RandomBelow, randomFrom } from '../numbers/random.ts';
import { fromHex, hexOf } from '../support/bytes.ts';
import { flips } from '../support/damage.ts';
import { naiveBitmap, naiveComplement, naiveRice } from '../support/naive-sections.ts';
import { naiveShard } from '../support/naive-tables.ts';
import { bytesOf, isListed, shardWith } from '../support/one-part.ts';
import { holds } from '../support/properties.ts';
import { randomSet } from '../support/random-set.ts';

const SUFFIXES = 100_000_000;
const PREFIX = 8210;

function keysOf(shard: Shard, list = 0): number[] {
  const keys: number[] = [];
  for (const batch of shard.keys(list)) {
    expect(batch.length).toBeGreaterThan(0);
    keys.push(...batch);
  }
  return keys;
}

/** A dense section of `size` suffixes of PREFIX, beginning at suffix `from`. */
function denseShard(section: readonly number[], from: number, size: number): Shard {
  const end = from + size;
  return new Shard(shardWith(section, [PREFIX, from], end === SUFFIXES ? [PREFIX + 1, 0] : [PREFIX, end]));
}

/** @returns the kind of the section and whether it stores the unlisted keys */
function checkDense(suffixes: readonly number[], size: number, from: number): readonly [number, boolean] {
  const words = encodeDense(Uint32Array.from(suffixes), size);
  const shard = denseShard(bytesOf(words), from, size);
  expect(keysOf(shard)).toEqual(suffixes.map((suffix) => PREFIX * SUFFIXES + from + suffix));
  return [words[0]! & 0xff, ((words[0]! >>> 8) & 1) === 1];
}

describe('the keys of a dense section', () => {
  it.each([
    ['thin', 5_000, 4_000_000, SECTION_RICE, false],
    ['dense', 60_000, 400_000, SECTION_RICE, false],
    ['a bitmap', 21_000, 40_003, SECTION_BITMAP, false],
    ['a complement', 39_000, 40_000, SECTION_RICE, true],
  ])('are the listed numbers of a section that is %s', (_, count, size, kind, complement) => {
    const suffixes = randomSet(randomFrom(count), count, size);
    for (const from of [0, 12_345, SUFFIXES - size]) {
      const chosen = checkDense(suffixes, size, from);
      expect(chosen[0]).toBe(kind);
      if (kind === SECTION_RICE) expect(chosen[1]).toBe(complement);
    }
  });

  it('are none, all, or all but the first or the last', () => {
    const every = Array.from({ length: 5_000 }, (_, suffix) => suffix);
    for (const suffixes of [[], every, every.slice(1), every.slice(0, -1), [0], [4_999]])
      checkDense(suffixes, 5_000, 7);
  });

  it('agree with a plain set', () => {
    const set = fc
      .integer({ min: 1, max: 3_000 })
      .chain((size) =>
        fc.tuple(
          fc.constant(size),
          fc.uniqueArray(fc.integer({ min: 0, max: size - 1 }), { maxLength: size }),
        ),
      );
    holds(
      fc.property(set, fc.nat({ max: 1_000 }), ([size, suffixes], from) => {
        checkDense(
          suffixes.toSorted((a, b) => a - b),
          size,
          from,
        );
      }),
    );
  });

  it.each([
    [0, 250],
    [1, 120],
    [5, 42],
    [27, 9],
    [31, 7],
  ])('are read with parameter %i in buckets of up to 255 bits', (parameter, widest) => {
    const suffixes = [0, 33, 65, 98, 600];
    for (const width of [1, 7, widest]) {
      const listed = keysOf(denseShard(naiveRice(suffixes, 700, { parameter, width }), 0, 700));
      expect(listed).toEqual(suffixes.map((suffix) => PREFIX * SUFFIXES + suffix));
      const rest = keysOf(denseShard(naiveComplement(suffixes, 700, { parameter, width }), 0, 700));
      expect(rest).toEqual(suffixes.map((suffix) => PREFIX * SUFFIXES + suffix));
    }
  });

  it('do not include bits after the last suffix of a bitmap', () => {
    const section = naiveBitmap([0, 3], 5);
    // The third byte of a word holds its bits 8 to 15, which all come after the fifth suffix.
    section[section.length - 3] = 0xff;
    expect(keysOf(denseShard(section, 0, 5))).toEqual([0, 3].map((suffix) => PREFIX * SUFFIXES + suffix));
  });

  it.each([
    ['short', 20, (below: RandomBelow) => below(2 ** 32)],
    ['longer than a word', 320, (below: RandomBelow) => 2 ** below(32)],
  ])(
    'equal the keys that look-ups find, even if a bucket ends inside a code that is %s',
    (_, width, draw) => {
      const below = randomFrom(width);
      const size = 640;
      for (let round = 0; round < 200; round++) {
        const lengths = Array.from({ length: size / width }, () => below(256));
        const bits = Array.from({ length: lengths.length * 8 }, () => draw(below));
        for (const flags of [0, FLAG_COMPLEMENT]) {
          const first = SECTION_RICE | (flags << 8) | (2 << 16);
          const words = Uint32Array.of(first, 0, width, lengths.length, 0, ...new Uint32Array(8), ...bits, 0);
          new Uint8Array(words.buffer).set(lengths, 5 * 4);
          const shard = denseShard(bytesOf(words), 0, size);
          const found = Array.from({ length: size }, (__, suffix) => PREFIX * SUFFIXES + suffix);
          expect(keysOf(shard)).toEqual(
            found.filter((key) => isListed(shard, PREFIX, key - PREFIX * SUFFIXES)),
          );
        }
      }
    },
  );

  it('end, and stay in the slice, for any damaged byte', () => {
    const size = 700;
    const suffixes = randomSet(randomFrom(3), 90, size);
    for (const make of [naiveRice, naiveComplement]) {
      const bytes = shardWith(make(suffixes, size, { parameter: 2, width: 80 }), [PREFIX, 0], [PREFIX, size]);
      for (const { what, bytes: damaged } of flips(bytes, [0x01, 0x80, 0xff])) {
        let shard: Shard;
        try {
          shard = new Shard(damaged);
        } catch (error) {
          if (error instanceof LayoutError) continue;
          throw error;
        }
        if (shard.end - shard.start > 100_000) continue;
        const outside = keysOf(shard).filter((key) => key < shard.start || key >= shard.end);
        if (outside.length > 0) expect.fail(`${what}: ${outside[0]} is outside`);
      }
    }
  });
});

describe('the keys of a sparse section', () => {
  const check = (unsorted: readonly (readonly [number, number])[]): void => {
    const keys = [...new Set(unsorted.map(([prefix, suffix]) => prefix * SUFFIXES + suffix))].sort(
      (a, b) => a - b,
    );
    const section = encodeSparse(Float64Array.from(keys));
    expect(keysOf(new Shard(shardWith(bytesOf(section), [0, 0], [10_000_000, 0])))).toEqual(keys);
  };

  it('are the listed numbers, with few prefixes and with many', () => {
    const below = randomFrom(5);
    for (const prefixes of [1, 3, 10_000_000]) {
      for (const count of [0, 1, 31, 32, 33, 1_023, 1_024, 1_025, 5_000])
        check(Array.from({ length: count }, () => [below(prefixes), below(SUFFIXES)]));
    }
  });

  it('agree with a plain set', () => {
    const key = fc.tuple(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 0, max: 300 }));
    holds(fc.property(fc.array(key, { maxLength: 300 }), check));
  });

  it('are not affected by look-ups between batches', () => {
    const suffixes = randomSet(randomFrom(8), 3_000, SUFFIXES);
    const section = encodeSparse(Float64Array.from(suffixes, (suffix) => PREFIX * SUFFIXES + suffix));
    const shard = new Shard(shardWith(bytesOf(section), [0, 0], [10_000_000, 0]));
    const walked: number[] = [];
    for (const batch of shard.keys(0)) {
      walked.push(...batch);
      expect(isListed(shard, PREFIX, suffixes[7]!)).toBe(true);
    }
    expect(walked).toEqual(suffixes.map((suffix) => PREFIX * SUFFIXES + suffix));
  });
});

describe('the rows of a dated section', () => {
  const rows = [
    { key: PREFIX * SUFFIXES + 4, since: 5, until: 9 },
    { key: PREFIX * SUFFIXES + 4, since: 6, until: 8 },
    { key: (PREFIX + 1) * SUFFIXES, since: 0, until: 2 },
  ];

  it('are all returned', () => {
    const section = bytesOf(encodeDated(rows));
    const bytes = naiveShard([{ start: [0, 0], plain: [null], dated: [section] }], [10_000_000, 0], 1);
    const shard = new Shard(fromHex(hexOf(bytes)));
    expect([...shard.dated(0)]).toEqual(rows);
    expect(keysOf(shard)).toEqual([]);
  });

  it('are found by number, with any dates', () => {
    const section = bytesOf(encodeDated(rows));
    const bytes = naiveShard([{ start: [0, 0], plain: [null], dated: [section] }], [10_000_000, 0], 1);
    const { parts } = new Shard(fromHex(hexOf(bytes)));
    const lookedUp = [
      [PREFIX, 3],
      [PREFIX, 4],
      [PREFIX, 5],
      [PREFIX + 1, 0],
      [PREFIX + 1, 1],
    ] as const;
    expect(lookedUp.map(([prefix, suffix]) => parts[0]!.has(0, prefix, suffix))).toEqual([
      false,
      true,
      false,
      true,
      false,
    ]);
  });
});

describe('the keys of a shard', () => {
  it('continue from part to part, for each list separately', () => {
    const dense = (suffixes: readonly number[], size: number): number[] =>
      bytesOf(encodeDense(Uint32Array.from(suffixes), size));
    const parts = [
      { start: [PREFIX, 0], plain: [dense([1, 2], 50), null], dated: [null, null] },
      { start: [PREFIX, 50], plain: [null, dense([0, 49], 50)], dated: [null, null] },
      { start: [PREFIX, 100], plain: [dense([3], 900), dense([5], 900)], dated: [null, null] },
    ] as const;
    const shard = new Shard(fromHex(hexOf(naiveShard(parts, [PREFIX, 1_000], 2))));
    expect([shard.start, shard.end]).toEqual([PREFIX * SUFFIXES, PREFIX * SUFFIXES + 1_000]);
    expect([0, 1].map((list) => keysOf(shard, list).map((key) => key - PREFIX * SUFFIXES))).toEqual([
      [1, 2, 103],
      [50, 99, 105],
    ]);
    expect(keysOf(shard, 2)).toEqual([]);
  });
});

describe('the rows of a table', () => {
  it('are all ranges', () => {
    const lists = [
      [],
      flattenRanges([
        { from: 5, to: 9, since: 0, until: 7 },
        { from: 8, to: 20, since: 1, until: 2 },
      ]),
    ];
    const table = new RangeTable(encodeRanges(lists));
    expect(table.lists).toBe(2);
    expect([0, 1, 2, -1].map((list) => [...table.rows(list)])).toEqual([...lists, [], []]);
  });

  it('are all sources', () => {
    const lists = [
      sortSources([
        { fingerprint: 2n ** 64n - 1n, since: 0, until: 7 },
        { fingerprint: 5n, since: 1, until: 2 },
      ]),
      [],
    ];
    const table = new SourceTable(encodeSources(lists));
    expect(table.lists).toBe(2);
    expect([0, 1, 2, -1].map((list) => [...table.rows(list)])).toEqual([...lists, [], []]);
  });
});
