/**
 * A shard as a whole: the part of each key, the refusals on opening, and reading in place.
 */
import { describe, expect, it } from 'vitest';
import { LayoutError } from '../../../shared/set/number-set.ts';
import { Shard } from '../../../shared/set/shard.ts';
import { fromHex, hexOf, word } from '../support/bytes.ts';
import { naiveBitmap, naiveDated, naiveRice, naiveSparse } from '../support/naive-sections.ts';
import { type NaivePart, naiveShard } from '../support/naive-tables.ts';
import { isListed } from '../support/one-part.ts';

const empty: Pick<NaivePart, 'plain' | 'dated'> = { plain: [null], dated: [null] };
const sparse = naiveSparse([[7, 3]], { headParameter: 0, blockParameters: [0] });
const parts: NaivePart[] = [
  { start: [0, 0], plain: [sparse], dated: [null] },
  { start: [8210, 0], plain: [naiveBitmap([0, 63], 64)], dated: [null] },
  {
    start: [8210, 64],
    plain: [naiveRice([0, 99_999_935], 99_999_936, { parameter: 20, width: 99_999_936 })],
    dated: [null],
  },
  { start: [8211, 0], ...empty },
];

function bytesOf(shard: readonly number[]): Uint8Array<ArrayBuffer> {
  return fromHex(hexOf(shard));
}

/** The shard above with one word replaced. */
function withWord(index: number, value: number): Uint8Array<ArrayBuffer> {
  const bytes = bytesOf(naiveShard(parts, [10_000_000, 0], 1));
  bytes.set(word(value), index * 4);
  return bytes;
}

describe('a shard', () => {
  const shard = new Shard(bytesOf(naiveShard(parts, [10_000_000, 0], 1)));

  it('finds the part of each key, at every boundary', () => {
    expect(shard.partOf(0, 0).start).toBe(0);
    expect(shard.partOf(8209, 99_999_999).start).toBe(0);
    expect(shard.partOf(8210, 0).start).toBe(821_000_000_000);
    expect(shard.partOf(8210, 63).start).toBe(821_000_000_000);
    expect(shard.partOf(8210, 64).start).toBe(821_000_000_064);
    expect(shard.partOf(8210, 99_999_999).start).toBe(821_000_000_064);
    expect(shard.partOf(8211, 0).start).toBe(821_100_000_000);
    expect(shard.partOf(9_999_999, 99_999_999).start).toBe(821_100_000_000);
  });

  it('lists exactly the keys of its sections', () => {
    const listed = [
      [7, 3],
      [8210, 0],
      [8210, 63],
      [8210, 64],
      [8210, 99_999_999],
    ] as const;
    for (const [prefix, suffix] of listed) expect(isListed(shard, prefix, suffix)).toBe(true);
    for (const [prefix, suffix] of [
      [7, 2],
      [7, 4],
      [8, 3],
      [8210, 1],
      [8210, 62],
      [8210, 65],
      [8211, 0],
    ] as const) {
      expect(isListed(shard, prefix, suffix)).toBe(false);
    }
    expect(shard.count(0)).toBe(5);
  });

  it('finds nothing for an unknown list', () => {
    expect(shard.partOf(7, 3).until(1, 7, 3, 0)).toBe(-1);
    expect(shard.count(1)).toBe(0);
  });

  it('prefers a plain entry to a dated one of the same number', () => {
    const both = { start: [0, 0] as const, plain: [sparse], dated: [naiveDated([[7, 3, 0, 99]])] };
    const opened = new Shard(bytesOf(naiveShard([both], [10_000_000, 0], 1)));
    expect(opened.partOf(7, 3).until(0, 7, 3, 5)).toBe(0xffffffff);
  });

  it('is read in place, even inside a larger buffer', () => {
    const bytes = bytesOf(naiveShard(parts, [10_000_000, 0], 1));
    const larger = new Uint8Array(bytes.length + 32).fill(255);
    larger.set(bytes, 16);
    const inside = new Shard(larger.subarray(16, 16 + bytes.length));
    expect(isListed(inside, 7, 3)).toBe(true);
    expect(isListed(inside, 8210, 99_999_999)).toBe(true);
    expect(isListed(inside, 8210, 99_999_998)).toBe(false);
  });
});

describe('opening a shard', () => {
  it.each<[string, Uint8Array<ArrayBuffer>]>([
    ['no bytes at all', new Uint8Array(0)],
    ['another magic', withWord(0, 0x3153474f)],
    ['another format version', withWord(1, 1)],
    ['no parts', withWord(3, 0)],
    ['more parts than there is room for', withWord(3, 0xffffffff)],
    ['more lists than there is room for', withWord(2, 0xffffffff)],
    ['an end before the last part', withWord(4, 8210)],
    ['parts out of order', withWord(10, 9000)],
    ['a section inside the part table', withWord(8, 7)],
    ['a section past the end', withWord(8, 1_000_000)],
    ['a plain section where a dated one belongs', withWord(9, withWordAt(8))],
  ])('refuses %s', (_, bytes) => {
    expect(() => new Shard(bytes)).toThrow(LayoutError);
  });

  it('refuses a dense section over several prefixes', () => {
    const wide = { start: [8210, 0] as const, plain: [naiveBitmap([0], 64)], dated: [null] };
    expect(() => new Shard(bytesOf(naiveShard([wide], [8211, 1], 1)))).toThrow(LayoutError);
  });

  it('refuses bytes that do not start on a word', () => {
    const bytes = bytesOf(naiveShard(parts, [10_000_000, 0], 1));
    const larger = new Uint8Array(bytes.length + 1);
    larger.set(bytes, 1);
    expect(() => new Shard(larger.subarray(1))).toThrow(LayoutError);
  });
});

/** The position of the first part's plain section. */
function withWordAt(index: number): number {
  const bytes = bytesOf(naiveShard(parts, [10_000_000, 0], 1));
  return new DataView(bytes.buffer).getUint32(index * 4, true);
}
