/**
 * The range table. The builder cuts overlapping ranges, with and without dates, into disjoint or equal ones,
 * and the reader finds them again. Golden bytes are in test/vectors/tables.json.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeRanges, flattenRanges } from '../../../shared/build/tables.ts';
import { NOT_LISTED } from '../../../shared/set/number-set.ts';
import { type RangeRow, RangeTable } from '../../../shared/set/range-table.ts';
import vectors from '../../vectors/tables.json' with { type: 'json' };
import { fromHex, hexOf } from '../support/bytes.ts';
import { type NaiveRange, naiveRangeTable } from '../support/naive-tables.ts';
import { holds } from '../support/properties.ts';

const FOREVER = 0xffffffff;

function range(from: number, to: number, since = 0, until = FOREVER): RangeRow {
  return { from, to, since, until };
}
const row = ({ from, to, since, until }: RangeRow): NaiveRange => [from, to, since, until];

/** Flattens and encodes one list, compares the naive bytes, and opens the table. */
function open(ranges: readonly RangeRow[]): RangeTable {
  const flat = flattenRanges(ranges);
  const bytes = encodeRanges([flat]);
  expect(hexOf(bytes)).toBe(hexOf(naiveRangeTable([flat.map(row)])));
  return new RangeTable(bytes);
}

function model(ranges: readonly RangeRow[], n: number, now: number): number {
  const inForce = ranges.filter(
    ({ from, to, since, until }) => from <= n && n <= to && since <= now && now < until,
  );
  return Math.max(NOT_LISTED, ...inForce.map(({ until }) => until));
}

const small = fc.integer({ min: 0, max: 30 });
const dates = fc.constantFrom([0, FOREVER], [5, 20], [5, FOREVER], [0, 20], [12, 13]);
const entry = fc
  .tuple(small, small, dates)
  .map(([a, b, [since, until]]) => range(Math.min(a, b), Math.max(a, b), since, until));

describe('the golden range table', () => {
  const lists = vectors.ranges.lists.map((list) =>
    list.map(([from, to, since, until]) => range(from!, to!, since, until)),
  );

  it('has the same bytes from the naive encoder and from the builder', () => {
    expect(hexOf(naiveRangeTable(lists.map((list) => list.map(row))))).toBe(vectors.ranges.hex);
    expect(hexOf(encodeRanges(lists.map((ranges) => flattenRanges(ranges))))).toBe(vectors.ranges.hex);
  });

  it('is read correctly', () => {
    const table = new RangeTable(fromHex(vectors.ranges.hex));
    expect([0, 1, 2, 3].map((list) => table.count(list))).toEqual([3, 0, 1, 0]);
    for (const n of lists.flat().flatMap(({ from, to }) => [from - 1, from, from + 1, to - 1, to, to + 1])) {
      for (const now of [0, 1_700_000_000, 1_760_000_000, 1_799_999_999, 1_800_000_000]) {
        lists.forEach((list, index) => {
          expect(table.until(index, n, now)).toBe(model(list, n, now));
        });
      }
    }
    expect(table.until(3, 821000000000, 0)).toBe(NOT_LISTED);
  });
});

describe('the range table', () => {
  it('may be empty, hold no list, or end a list at the largest number', () => {
    expect(open([]).until(0, 5, 0)).toBe(NOT_LISTED);
    expect(new RangeTable(encodeRanges([])).until(0, 5, 0)).toBe(NOT_LISTED);
    const last = open([range(999_999_999_999_999, 999_999_999_999_999)]);
    expect(last.until(0, 999_999_999_999_999, 0)).toBe(FOREVER);
    expect(last.until(0, 999_999_999_999_998, 0)).toBe(NOT_LISTED);
  });

  it('joins neighbours with the same dates only', () => {
    expect(flattenRanges([range(0, 4), range(5, 9), range(10, 14, 0, 100)])).toEqual([
      range(0, 9),
      range(10, 14, 0, 100),
    ]);
    expect(flattenRanges([range(0, 4), range(6, 9)])).toHaveLength(2);
    expect(flattenRanges([range(0, 9), range(3, 5), range(0, 9)])).toEqual([range(0, 9)]);
  });

  it('returns the latest end of overlapping dated ranges', () => {
    const table = open([range(0, 100, 0, 50), range(40, 60, 10, 200), range(50, 50, 20, FOREVER)]);
    const answers = [39, 40, 50, 60, 61].map((n) => table.until(0, n, 30));
    expect(answers).toEqual([50, 200, FOREVER, 200, 50]);
    expect(table.until(0, 50, 60)).toBe(FOREVER);
    expect(table.until(0, 39, 60)).toBe(NOT_LISTED);
  });

  it('agrees with a plain list of ranges, for any overlap', () => {
    holds(
      fc.property(fc.array(entry, { maxLength: 12 }), (ranges) => {
        const table = open(ranges);
        for (let n = 0; n <= 31; n++) {
          const isListed = ranges.some(({ from, to, since, until }) => from <= n && n <= to && since < until);
          if (table.has(0, n) !== isListed) expect.fail(`${n} at any time`);
          for (const now of [0, 4, 5, 12, 13, 19, 20, 40]) {
            if (table.until(0, n, now) !== model(ranges, n, now)) expect.fail(`${n} at ${now}`);
          }
        }
      }),
      { numRuns: 500 },
    );
  });

  it('splits ranges so that any two are disjoint or equal', () => {
    holds(
      fc.property(fc.array(entry, { maxLength: 12 }), (ranges) => {
        const flat = flattenRanges(ranges);
        flat.slice(1).forEach((each, index) => {
          const before = flat[index]!;
          const equal = each.from === before.from && each.to === before.to;
          expect(equal || each.from > before.to).toBe(true);
        });
      }),
    );
  });

  it('has the same bytes for any order and repetition of its input', () => {
    holds(
      fc.property(
        fc.array(entry, { maxLength: 8 }),
        fc.array(fc.nat({ max: 7 }), { maxLength: 8 }),
        (ranges, again) => {
          const repeats = again.flatMap((index) => ranges[index] ?? []);
          const other = [...repeats, ...ranges.toReversed()];
          expect(hexOf(encodeRanges([flattenRanges(other)]))).toBe(
            hexOf(encodeRanges([flattenRanges(ranges)])),
          );
        },
      ),
      { numRuns: 500 },
    );
  });
});
