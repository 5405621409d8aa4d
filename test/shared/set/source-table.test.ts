/**
 * The source table: folding of sender IDs, keyed fingerprints, and dates. Golden bytes are in
 * test/vectors/tables.json.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeSources, sortSources } from '../../../shared/build/tables.ts';
import { NOT_LISTED } from '../../../shared/set/number-set.ts';
import { type SourceRow, SourceTable } from '../../../shared/set/source-table.ts';
import { foldSenderId } from '../../../shared/sources/sender-id.ts';
import vectors from '../../vectors/tables.json' with { type: 'json' };
import { fromHex, hexOf } from '../support/bytes.ts';
import { naiveSourceTable } from '../support/naive-tables.ts';
import { holds } from '../support/properties.ts';
import { sourceFingerprint } from '../support/sources.ts';
import { testKeys } from '../support/test-keys.ts';

const FOREVER = 0xffffffff;
const U64_MAX = 2n ** 64n - 1n;

/** Sorts and encodes the lists, compares the naive bytes, and opens the table. */
function open(lists: readonly (readonly SourceRow[])[]): SourceTable {
  const rows = lists.map(sortSources);
  const bytes = encodeSources(rows);
  const naive = rows.map((list) =>
    list.map(({ fingerprint, since, until }) => [fingerprint, since, until] as const),
  );
  expect(hexOf(bytes)).toBe(hexOf(naiveSourceTable(naive)));
  return new SourceTable(bytes);
}

const wordsOf = (print: bigint): [high: number, low: number] => [
  ...([Number(print >> 32n), Number(print & 0xffffffffn)] as const),
];

describe('the golden source table', () => {
  const lists = vectors.sources.lists.map((list) =>
    list.map((each) => ({ ...each, fingerprint: BigInt(`0x${each.fingerprint}`) })),
  );

  it('has the same bytes from the naive encoder and from the builder', () => {
    expect(hexOf(encodeSources(lists.map(sortSources)))).toBe(vectors.sources.hex);
    open(lists);
  });

  it('is read correctly, text by text', () => {
    const table = new SourceTable(fromHex(vectors.sources.hex));
    lists.forEach((list, index) => {
      expect(table.count(index)).toBe(list.length);
      for (const { text } of list) {
        const print = sourceFingerprint(text, testKeys.sourceSeed);
        expect(table.until(index, print, 0)).toBe(FOREVER);
        expect(table.has(index, ...wordsOf(print))).toBe(true);
      }
    });
    const unlisted = sourceFingerprint('kb-bank2', testKeys.sourceSeed);
    expect([0, 1, 2, 3].map((list) => table.has(list, ...wordsOf(unlisted)))).not.toContain(true);
    expect([0, 1, 2, 3].map((list) => table.until(list, unlisted, 0))).toEqual([-1, -1, -1, -1]);
    expect(table.until(1, sourceFingerprint('kb-bank', testKeys.sourceSeed), 0)).toBe(NOT_LISTED);
  });
});

describe('a source', () => {
  it.each([
    ['KB-Bank', 'kb-bank'],
    ['ＫＢ-Ｂａｎｋ', 'kb-bank'],
    [' kb - bank\t', 'kb-bank'],
    ['kb\u200b-\u00adba\u2060nk\u0000', 'kb-bank'],
    ['kb\u2010bank', 'kb-bank'],
    ['kb\u2014bank', 'kb-bank'],
    ['국제 발신', '국제발신'],
    ['국제발신', '국제발신'],
  ])('is folded: %j is %j', (written, folded) => {
    expect(foldSenderId(written)).toBe(folded);
    expect(sourceFingerprint(written, testKeys.sourceSeed)).toBe(
      sourceFingerprint(folded, testKeys.sourceSeed),
    );
  });

  it('has another fingerprint with another seed', () => {
    expect(sourceFingerprint('kb-bank', 1n)).not.toBe(sourceFingerprint('kb-bank', 2n));
  });
});

describe('the source table', () => {
  it('may be empty or hold no list', () => {
    expect(open([]).until(0, 5n, 0)).toBe(NOT_LISTED);
    expect(open([[], []]).until(1, 5n, 0)).toBe(NOT_LISTED);
  });

  it('distinguishes fingerprints that differ in one half only', () => {
    const listed = [0n, 1n, 2n ** 32n, 2n ** 32n + 1n, 2n ** 63n, U64_MAX];
    const table = open([listed.map((fingerprint) => ({ fingerprint, since: 0, until: FOREVER }))]);
    for (const each of listed) expect(table.until(0, each, 0)).toBe(FOREVER);
    for (const each of [2n, 2n ** 32n - 1n, 2n ** 33n, 2n ** 63n + 1n, U64_MAX - 1n]) {
      expect(table.until(0, each, 0)).toBe(NOT_LISTED);
    }
  });

  it('agrees with plain lists for any order and repetition of its input', () => {
    const fingerprint = fc.oneof(
      fc.bigInt({ min: 0n, max: 6n }),
      fc.constantFrom(U64_MAX, 2n ** 32n, 2n ** 33n + 3n),
    );
    const second = fc.integer({ min: 0, max: 5 });
    const entry = fc.record({ fingerprint, since: second, until: fc.oneof(second, fc.constant(FOREVER)) });
    holds(
      fc.property(fc.array(fc.array(entry, { maxLength: 20 }), { maxLength: 3 }), (lists) => {
        const table = open(lists);
        const again = lists.map((list) => [...list.toReversed(), ...list]);
        expect(hexOf(encodeSources(again.map(sortSources)))).toBe(
          hexOf(encodeSources(lists.map(sortSources))),
        );
        lists.forEach((list, index) => {
          for (const source of [0n, 3n, 6n, 7n, U64_MAX, 2n ** 32n]) {
            for (const now of [0, 2, 4, 9]) {
              const inForce = list.filter(
                (each) => each.fingerprint === source && each.since <= now && now < each.until,
              );
              expect(table.until(index, source, now)).toBe(
                Math.max(NOT_LISTED, ...inForce.map(({ until }) => until)),
              );
            }
          }
        });
      }),
    );
  });
});
