/**
 * Dated sections. An entry applies from `since` and ends in the second of `until`. If a number has several
 * entries, the latest end counts.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeDated } from '../../../shared/build/shard.ts';
import { DatedRows } from '../../../shared/set/dated-rows.ts';
import { DATED_HEADER_WORDS } from '../../../shared/set/layout.ts';
import { LayoutError, NOT_LISTED } from '../../../shared/set/number-set.ts';
import { type NaiveDated, naiveDated } from '../support/naive-sections.ts';
import { bytesOf } from '../support/one-part.ts';
import { holds } from '../support/properties.ts';

const FOREVER = 0xffffffff;

function encode(rows: readonly NaiveDated[]): Uint32Array {
  return encodeDated(
    rows.map(([prefix, suffix, since, until]) => ({ key: prefix * 100_000_000 + suffix, since, until })),
  );
}

function open(rows: readonly NaiveDated[]): DatedRows {
  return new DatedRows(encode(rows), DATED_HEADER_WORDS, rows.length);
}

describe('a dated section', () => {
  it('applies from the second of since to the second before until', () => {
    const set = open([[8210, 5, 1000, 2000]]);
    const answers = [0, 999, 1000, 1999, 2000, FOREVER].map((now) => set.until(8210, 5, now));
    expect(answers).toEqual([NOT_LISTED, NOT_LISTED, 2000, 2000, NOT_LISTED, NOT_LISTED]);
  });

  it('returns the latest end of the entries in force', () => {
    const set = open([
      [8210, 5, 0, 3000],
      [8210, 5, 1000, 2000],
      [8210, 5, 2500, FOREVER],
    ]);
    expect([0, 1500, 2499, 2500, 5000].map((now) => set.until(8210, 5, now))).toEqual([
      3000,
      3000,
      3000,
      FOREVER,
      FOREVER,
    ]);
  });

  it('distinguishes adjacent numbers', () => {
    const set = open([
      [0, 0, 0, 10],
      [8210, 99_999_999, 0, 20],
      [8211, 0, 0, 30],
      [9_999_999, 99_999_999, 0, 40],
    ]);
    expect(set.until(0, 0, 1)).toBe(10);
    expect(set.until(0, 1, 1)).toBe(NOT_LISTED);
    expect(set.until(8210, 99_999_999, 1)).toBe(20);
    expect(set.until(8210, 99_999_998, 1)).toBe(NOT_LISTED);
    expect(set.until(8211, 0, 1)).toBe(30);
    expect(set.until(8211, 1, 1)).toBe(NOT_LISTED);
    expect(set.until(9_999_999, 99_999_999, 1)).toBe(40);
  });

  it('may be empty', () => {
    expect(open([]).until(8210, 5, 0)).toBe(NOT_LISTED);
  });

  it('is refused if it ends after the shard', () => {
    const words = encode([[8210, 5, 0, 10]]);
    const cut = words.subarray(0, -1);
    expect(() => new DatedRows(cut, DATED_HEADER_WORDS, 1)).toThrow(LayoutError);
  });

  it('has the bytes of the naive encoder and agrees with a plain list of rows', () => {
    const small = fc.integer({ min: 0, max: 9 });
    const row = fc.tuple(small, small, small, fc.oneof(small, fc.constant(FOREVER)));
    holds(
      fc.property(fc.array(row, { maxLength: 60 }), (unsorted) => {
        const rows = unsorted.toSorted((a, b) => a[0] - b[0] || a[1] - b[1] || a[2] - b[2] || a[3] - b[3]);
        expect(bytesOf(encode(rows))).toEqual(naiveDated(rows));
        const set = open(rows);
        for (let prefix = 0; prefix < 10; prefix++) {
          for (let suffix = 0; suffix < 10; suffix++) {
            for (let now = 0; now < 10; now++) {
              const inForce = rows.filter(
                (each) => each[0] === prefix && each[1] === suffix && each[2] <= now && now < each[3],
              );
              const want = Math.max(NOT_LISTED, ...inForce.map((each) => each[3]));
              if (set.until(prefix, suffix, now) !== want)
                expect.fail(`${prefix},${suffix} at ${now}, not ${want}`);
            }
          }
        }
      }),
    );
  });
});
