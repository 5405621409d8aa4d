/** The rules that detect enumeration. Each one runs on traffic that it must detect and on traffic that it must not. */
import { describe, expect, it } from 'vitest';
import { detect, type ScanKind, type ScanWindow } from '../../../shared/enumeration/detect.ts';
import { scanKeyOf } from '../../../shared/enumeration/scan-key.ts';
import { mergedSketch, ScanSketch } from '../../../shared/enumeration/scan-sketch.ts';
import { randomFrom } from '../numbers/random.ts';

const key = scanKeyOf(0x2b5f_8a01);
const MOBILE = 82_10_2000_0000;
const USED = 80_000_000;

/** The kinds of scans that are detected in these numbers, spread at random over `isolates` isolates. */
function found(
  numbers: Iterable<number>,
  isolates = 1,
  window: Partial<ScanWindow> = {},
  canaries = 0,
): ScanKind[] {
  const below = randomFrom(11);
  const sketches = Array.from({ length: isolates }, () => new ScanSketch(key));
  for (const n of numbers) sketches[below(isolates)]!.seeTo(n);
  // The first canary number is checked twice.
  for (let at = 0; at <= canaries; at++) if (canaries > 0) sketches[0]!.seeCanary(MOBILE + (at % canaries));
  const merged = mergedSketch(key);
  for (const sketch of sketches) merged.add(sketch.data());
  const given = { sketch: merged.data(), days: 1, declaredNumbers: null, ...window };
  return detect(given).map(({ kind }) => kind);
}

function steps(step: number, count: number, start = MOBILE + 1_234_567): number[] {
  return Array.from({ length: count }, (_, at) => start + at * step);
}

function randomList(count: number, seed: number, from = MOBILE, size = USED): number[] {
  const below = randomFrom(seed);
  return Array.from({ length: count }, () => from + below(size));
}

describe('scans', () => {
  it.each([1, -1, 2, 3, 7, 10])('in steps of %i are found in any order of arrival', (step) => {
    const start = MOBILE + 40_000_000;
    expect(found(steps(step, 100_000, start), 1)).toContain('steps');
    expect(found(steps(step, 100_000, start), 100)).not.toEqual([]);
  });

  it.each([64, 97, 100, 256, 997, 1_000])('in steps of %i give level blocks', (step) => {
    const count = Math.min(50_000, Math.floor(USED / step) - 2_000);
    expect(found(steps(step, count), 100)).toContain('evenBlocks');
  });

  it.each([3_333, 5_000, 9_973, 10_000])('in steps of %i take one block after the other', (step) => {
    const start = MOBILE + 4_321;
    expect(found(steps(step, Math.floor(USED / step), start), 100)).toContain('evenBlocks');
  });

  it('of one block in any order are found', () => {
    expect(
      found(
        steps(7, 10_000, 0).map((at) => MOBILE + (at % 10_000)),
        100,
      ),
    ).toEqual(['fullBlocks']);
  });

  it('of all of 010 are found by the blocks that are not in use', () => {
    expect(found(randomList(5_000, 3, 82_10_0000_0000, 100_000_000), 100)).toContain('unallocated');
  });

  it('of numbers that are all in use are not found by their order, but by canaries and volume', () => {
    const numbers = randomList(100_000, 5);
    expect(found(numbers, 100)).toEqual([]);
    expect(found(numbers, 100, {}, 3)).toEqual(['canaries']);
    expect(found(numbers, 100, { declaredNumbers: 10_000 })).toEqual(['volume']);
  });
});

describe('ordinary traffic', () => {
  it.each([
    ['a campaign', randomList(100_000, 21)],
    ['a sorted campaign', randomList(100_000, 22).sort((a, b) => a - b)],
    ['a list of one exchange', randomList(6_000, 23, 82_31_700_0000, 10_000).sort((a, b) => a - b)],
    ['a company with 1,000 extensions in a row', steps(1, 1_000)],
    ['two typing errors in canary numbers', randomList(1_000, 24)],
  ])('%s is not found', (_what, numbers) => {
    expect(found(numbers, 1, { declaredNumbers: 100_000 }, 2)).toEqual([]);
  });

  it('a few numbers again and again have level counts, but are not different', () => {
    const numbers = randomList(500, 25);
    expect(found(Array.from({ length: 24 }, () => numbers).flat())).toEqual([]);
  });

  it('a few wrong numbers are no share of the traffic', () => {
    const wrong = randomList(1_000, 26, 82_10_0000_0000, 20_000_000);
    expect(found([...randomList(20_000, 27), ...wrong])).toEqual([]);
  });

  it('more than declared on some days is within the volume of the longer window', () => {
    const window = { days: 30, declaredNumbers: 1_000 };
    expect(found(randomList(60_000, 28), 1, window)).toEqual([]);
    expect(found(randomList(60_001, 28), 1, window)).toEqual(['volume']);
  });
});
