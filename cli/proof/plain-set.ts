/**
 * A plain set of numbers: suffixes by prefix, in a Set, or in a bitmap if there are many. A single Set holds
 * at most 16 million numbers.
 */
import { prefixOf, SUFFIX_COUNT, suffixOf } from '../../shared/numbers/number.ts';

export type Bitmap = Uint8Array<SharedArrayBuffer>;
/** Suffixes by prefix. Plain data that can be passed to threads. */
export type PlainSet = Map<number, Set<number> | Bitmap>;

/** Above this size a bitmap (12.5 MB) is smaller than a Set. */
const SET_MAX = 300_000;

/** Shared between threads, not copied. */
export function bitmap(): Bitmap {
  return new Uint8Array(new SharedArrayBuffer(SUFFIX_COUNT / 8));
}

export function setBit(bits: Bitmap, suffix: number): void {
  bits[suffix >>> 3]! |= 1 << (suffix & 7);
}

export function hasBit(bits: Bitmap | null, suffix: number): boolean {
  return bits !== null && (bits[suffix >>> 3]! & (1 << (suffix & 7))) !== 0;
}

/** Number of set bits. 20 ms if few are set. */
export function countBits(bits: Bitmap): number {
  let count = 0;
  for (let at = 0; at < bits.length; at++) for (let left = bits[at]!; left !== 0; left &= left - 1) count++;
  return count;
}

/** The set suffixes in [from, to), ascending. */
export function* suffixesIn(bits: Bitmap, from: number, to: number): Generator<number> {
  for (let byte = from >>> 3; byte < bits.length && byte * 8 < to; byte++) {
    if (bits[byte] === 0) continue;
    for (let suffix = Math.max(from, byte * 8); suffix < Math.min(to, byte * 8 + 8); suffix++) {
      if (hasBit(bits, suffix)) yield suffix;
    }
  }
}

export function addTo(set: PlainSet, n: number): void {
  const prefix = prefixOf(n);
  const suffixes = set.get(prefix);
  if (suffixes === undefined) set.set(prefix, new Set([suffixOf(n)]));
  else if (suffixes instanceof Uint8Array) setBit(suffixes, suffixOf(n));
  else if (suffixes.add(suffixOf(n)).size > SET_MAX) {
    const bits = bitmap();
    for (const suffix of suffixes) setBit(bits, suffix);
    set.set(prefix, bits);
  }
}

export function isIn(set: PlainSet, n: number): boolean {
  const suffixes = set.get(prefixOf(n));
  if (suffixes === undefined) return false;
  return suffixes instanceof Uint8Array ? hasBit(suffixes, suffixOf(n)) : suffixes.has(suffixOf(n));
}

export function sizeOf(set: PlainSet): number {
  let size = 0;
  for (const suffixes of set.values())
    size += suffixes instanceof Uint8Array ? countBits(suffixes) : suffixes.size;
  return size;
}

export function* numbersIn(set: PlainSet): Generator<number> {
  for (const [prefix, suffixes] of set) {
    const each = suffixes instanceof Uint8Array ? suffixesIn(suffixes, 0, SUFFIX_COUNT) : suffixes;
    for (const suffix of each) yield prefix * SUFFIX_COUNT + suffix;
  }
}
