/**
 * A set of numbers as anyone would keep it: tails by head, in a Set, or as one bit for each of all tails where
 * they are many. A Set alone holds no more than 16 million.
 */
import { headOf, TAILS, tailOf } from '../shared/numbers/number.ts';

export type Bitmap = Uint8Array<SharedArrayBuffer>;
/** Tails by head. Plain data, which threads can be given. */
export type PlainSet = Map<number, Set<number> | Bitmap>;

/** From here on a bitmap (12.5 MB) is smaller than a Set. */
const SET_MAX = 300_000;

/** Shared between threads, not copied. */
export function bitmap(): Bitmap {
  return new Uint8Array(new SharedArrayBuffer(TAILS / 8));
}

export function setBit(bits: Bitmap, tail: number): void {
  bits[tail >>> 3]! |= 1 << (tail & 7);
}

export function hasBit(bits: Bitmap | null, tail: number): boolean {
  return bits !== null && (bits[tail >>> 3]! & (1 << (tail & 7))) !== 0;
}

/** How many bits are set. 20 ms where few are. */
export function countBits(bits: Bitmap): number {
  let count = 0;
  for (let at = 0; at < bits.length; at++) for (let left = bits[at]!; left !== 0; left &= left - 1) count++;
  return count;
}

/** The tails from `from` to before `to` that are set, ascending. */
export function* tailsIn(bits: Bitmap, from: number, to: number): Generator<number> {
  for (let byte = from >>> 3; byte < bits.length && byte * 8 < to; byte++) {
    if (bits[byte] === 0) continue;
    for (let tail = Math.max(from, byte * 8); tail < Math.min(to, byte * 8 + 8); tail++) {
      if (hasBit(bits, tail)) yield tail;
    }
  }
}

export function addTo(set: PlainSet, n: number): void {
  const head = headOf(n);
  const tails = set.get(head);
  if (tails === undefined) set.set(head, new Set([tailOf(n)]));
  else if (tails instanceof Uint8Array) setBit(tails, tailOf(n));
  else if (tails.add(tailOf(n)).size > SET_MAX) {
    const bits = bitmap();
    for (const tail of tails) setBit(bits, tail);
    set.set(head, bits);
  }
}

export function isIn(set: PlainSet, n: number): boolean {
  const tails = set.get(headOf(n));
  if (tails === undefined) return false;
  return tails instanceof Uint8Array ? hasBit(tails, tailOf(n)) : tails.has(tailOf(n));
}

export function sizeOf(set: PlainSet): number {
  let size = 0;
  for (const tails of set.values()) size += tails instanceof Uint8Array ? countBits(tails) : tails.size;
  return size;
}

export function* numbersIn(set: PlainSet): Generator<number> {
  for (const [head, tails] of set) {
    const each = tails instanceof Uint8Array ? tailsIn(tails, 0, TAILS) : tails;
    for (const tail of each) yield head * TAILS + tail;
  }
}
