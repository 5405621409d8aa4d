/**
 * Damaged range and source tables, opened without their seal. They are refused with a LayoutError or read.
 * They cause no other exception, and the cost stays in proportion to their bytes.
 */
import { describe, expect, it } from 'vitest';
import { LayoutError } from '../../../shared/set/number-set.ts';
import { RangeTable } from '../../../shared/set/range-table.ts';
import { SourceTable } from '../../../shared/set/source-table.ts';
import vectors from '../../vectors/tables.json' with { type: 'json' };
import { fromHex } from '../support/bytes.ts';
import { cuts, type Damaged, extremes, flips } from '../support/damage.ts';

const MASKS = [1, 4, 32, 128, 255];
/** The word with the list count of a source table. Its damage has a separate test. */
const LIST_COUNT_WORD = 2;

function survive({ what, bytes }: Damaged, lookUp: (bytes: Uint8Array<ArrayBuffer>) => number[]): boolean {
  try {
    for (const answer of lookUp(bytes)) if (!Number.isInteger(answer)) expect.fail(`${what}: not a result`);
    return true;
  } catch (error) {
    if (error instanceof LayoutError) return false;
    throw new Error(`${what}: ${String(error)}`, { cause: error });
  }
}

function lookUpRanges(bytes: Uint8Array<ArrayBuffer>): number[] {
  const table = new RangeTable(bytes);
  const numbers = [0, 821_000_000_000, 821_020_000_000, 999_999_999_999_999];
  return numbers.flatMap((n) => [0, 1, 2, 3].map((list) => table.until(list, n, 1_760_000_000)));
}

function lookUpSources(bytes: Uint8Array<ArrayBuffer>): number[] {
  const table = new SourceTable(bytes);
  return [0n, 2n ** 63n, 2n ** 64n - 1n].flatMap((each) =>
    [0, 1, 2, 3].map((list) => table.until(list, each, 1)),
  );
}

describe('a damaged range table', () => {
  const bytes = fromHex(vectors.ranges.hex);

  it('survives any flipped byte and any extreme word', () => {
    for (const damaged of [...flips(bytes, MASKS), ...extremes(bytes)]) survive(damaged, lookUpRanges);
  });

  it('is refused at any other length', () => {
    for (const damaged of cuts(bytes)) expect(survive(damaged, lookUpRanges)).toBe(false);
  });
});

describe('a damaged source table', () => {
  const bytes = fromHex(vectors.sources.hex);
  const inCount = ({ bytes: damaged }: Damaged): boolean =>
    [0, 1, 2, 3].some((byte) => damaged[LIST_COUNT_WORD * 4 + byte] !== bytes[LIST_COUNT_WORD * 4 + byte]);

  it('survives any flipped byte and any extreme word', () => {
    for (const damaged of [...flips(bytes, MASKS), ...extremes(bytes)]) {
      if (damaged.bytes.length === bytes.length && !inCount(damaged)) survive(damaged, lookUpSources);
    }
  });

  it('is refused at any other length', () => {
    for (const damaged of cuts(bytes)) expect(survive(damaged, lookUpSources)).toBe(false);
  });

  it('is refused at once when it states more lists than fit', () => {
    // Too many lists for the test to store them, or to wait for them.
    const damaged = bytes.slice();
    new DataView(damaged.buffer).setUint32(LIST_COUNT_WORD * 4, 2 ** 32 - 1, true);
    expect(() => new SourceTable(damaged)).toThrow(LayoutError);
  });
});
