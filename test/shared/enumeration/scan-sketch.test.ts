/** Sketches of the numbers that clients check: merging and sampling. A sketch contains no number. */
import { describe, expect, it } from 'vitest';
import { CanaryNumbers } from '../../../shared/enumeration/canary-numbers.ts';
import { hashOfBlock, MARKS, scanKeyOf } from '../../../shared/enumeration/scan-key.ts';
import { mergedSketch, type ScanData, ScanSketch } from '../../../shared/enumeration/scan-sketch.ts';
import {
  MERGED_PLACES_MAX,
  SKETCH_FILLED_SHARE,
  SKETCH_PLACES_MAX,
} from '../../../shared/limits/enumeration.ts';
import { randomFrom } from '../numbers/random.ts';

const key = scanKeyOf(0x1234_5678);
const MOBILE = 82_10_2000_0000;

function sketchOf(numbers: Iterable<number>): ScanSketch {
  const sketch = new ScanSketch(key);
  for (const n of numbers) sketch.seeTo(n);
  return sketch;
}

/** Count and marks of each block. */
function entriesOf({ entries }: ScanData): Map<number, readonly number[]> {
  const found = new Map<number, readonly number[]>();
  for (let at = 0; at < entries.length; at += 4) {
    found.set(entries[at]! >>> 0, [...entries.subarray(at + 1, at + 4)]);
  }
  return found;
}

describe('a sketch', () => {
  it('counts the numbers of each block, and sets all marks of a full one', () => {
    const block = MOBILE / 10_000;
    const numbers = Array.from({ length: 10_000 }, (_, place) => MOBILE + place);
    expect(entriesOf(sketchOf(numbers).data())).toEqual(new Map([[block, [10_000, -1, -1]]]));
    expect(key.marks.filter((mark) => mark > 0)).toHaveLength(MARKS);
  });

  it('holds blocks and marks, and no number', () => {
    const { entries, numbers } = sketchOf([MOBILE + 1234, MOBILE + 1234, MOBILE + 99]).data();
    expect(numbers).toBe(3);
    expect([...entries.subarray(0, 2)]).toEqual([MOBILE / 10_000, 3]);
    expect(entries).toHaveLength(4);
  });

  it('adds up to the same, however the numbers are spread over isolates', () => {
    const below = randomFrom(7);
    const numbers = Array.from({ length: 30_000 }, () => MOBILE + below(80_000_000));
    const parts = Array.from({ length: 20 }, () => new ScanSketch(key));
    for (const n of numbers) parts[below(20)]!.seeTo(n);
    const merged = mergedSketch(key);
    for (const sketch of parts) merged.add(sketch.data());
    const whole = mergedSketch(key);
    for (const n of numbers) whole.seeTo(n);
    expect(entriesOf(merged.data())).toEqual(entriesOf(whole.data()));
    expect(merged.data().numbers).toBe(30_000);
  });

  it.each([
    ['an isolate', () => new ScanSketch(key), SKETCH_PLACES_MAX],
    ['an organisation', () => mergedSketch(key), MERGED_PLACES_MAX],
  ])('of %s stays within its bound, with exact counts of the blocks it keeps', (_whose, open, places) => {
    const sketch = open();
    const expected = new Map<number, number>();
    for (let run = 0; run < 100_000; run++) {
      const n = MOBILE + run * 10_000 + (run % 7);
      const times = 1 + (run % 3);
      for (let time = 0; time < times; time++) sketch.seeTo(n);
      expected.set(Math.floor(n / 10_000), times);
    }
    const data = sketch.data();
    expect(data.entries.length / 4).toBeLessThanOrEqual(places * SKETCH_FILLED_SHARE);
    expect(data.level).toBeGreaterThan(2);
    const kept = [...expected].filter(([block]) => hashOfBlock(block, key.seed) >>> (32 - data.level) === 0);
    const counts = [...entriesOf(data)].map(([block, [count]]) => [block, count]);
    expect(new Map(counts as [number, number][])).toEqual(new Map(kept));
  });

  it('merges sketches of different levels', () => {
    const few = sketchOf(Array.from({ length: 1_000 }, (_, at) => MOBILE + at * 10_000));
    const many = sketchOf(Array.from({ length: 20_000 }, (_, at) => MOBILE + at * 10_000));
    for (const [first, second] of [
      [few, many],
      [many, few],
    ] as const) {
      const merged = mergedSketch(key);
      merged.add(first.data());
      merged.add(second.data());
      const { level } = merged.data();
      expect(level).toBeGreaterThan(0);
      for (const [block, [count]] of entriesOf(merged.data())) {
        expect(hashOfBlock(block, key.seed) >>> (32 - level)).toBe(0);
        expect(count).toBe(block < MOBILE / 10_000 + 1_000 ? 2 : 1);
      }
    }
  });

  it('counts a sender that stays the same once', () => {
    const sketch = new ScanSketch(key);
    for (let at = 0; at < 100; at++) sketch.seeFrom(82_2_1234_5678);
    expect(sketch.data().numbers).toBe(1);
  });

  it('puts the first and the last number of each block into it', () => {
    const below = randomFrom(11);
    for (let run = 0; run < 2_000; run++) {
      // From blocks with few digits to blocks of 32 bits.
      const block = 1 + below(2 ** (1 + (run % 32)) - 1);
      const sketch = sketchOf([block * 10_000, block * 10_000 + 9_999]);
      expect([...entriesOf(sketch.data())].map(([own, [count]]) => [own, count])).toEqual([[block, 2]]);
    }
  });

  it('recognises canary numbers among those that wait, once each', () => {
    const sketch = new ScanSketch(key);
    sketch.canaries = new CanaryNumbers([MOBILE + 1, MOBILE + 2, 82_2_1234_5678]);
    for (const n of [MOBILE, MOBILE + 1, MOBILE + 1, MOBILE + 3]) sketch.seeTo(n);
    sketch.seeFrom(82_2_1234_5678);
    expect(sketch.data().canaries).toHaveLength(2);
  });

  it('does not look at numbers whose block has more than 32 bits', () => {
    expect(sketchOf([999_999_999_999_999, 42_949_672_960_000]).data().entries).toHaveLength(0);
    expect(sketchOf([42_949_672_959_999]).data().entries).toHaveLength(4);
  });

  it('does not count numbers of four digits for other blocks', () => {
    expect(sketchOf([1_335, MOBILE, 9_999]).data().entries.subarray(0, 2)).toEqual(
      Int32Array.of(MOBILE / 10_000, 1),
    );
  });

  it.each([256, 2_048, 8_192])('gives the same blocks with %i places at first', (places) => {
    const below = randomFrom(9);
    const numbers = Array.from({ length: 20_000 }, () => MOBILE + below(80_000_000));
    const sketch = new ScanSketch(key, SKETCH_PLACES_MAX, places);
    for (const n of numbers) sketch.seeTo(n);
    const plain = new Map<number, number>();
    for (const n of numbers) plain.set(Math.floor(n / 10_000), (plain.get(Math.floor(n / 10_000)) ?? 0) + 1);
    const { entries, level } = sketch.data();
    const kept = [...plain].filter(([block]) => hashOfBlock(block, key.seed) >>> (32 - level) === 0);
    const counts = [...entriesOf({ ...sketch.data(), entries })].map(([block, [count]]) => [block, count]);
    expect(level).toBe(1);
    expect(new Map(counts as [number, number][])).toEqual(new Map(kept));
  });
});
