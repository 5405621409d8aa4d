/**
 * A growing set of tails behind one head: an array of them, or, once that is smaller, one bit for each of
 * all tails (12.5 MB), which is sorted and distinct by itself.
 */
import { TAILS } from '../numbers/number.ts';

const BITMAP_WORDS = TAILS / 32;
/** From this many on they are sorted by way of a bitmap too. Fewer are sorted before it is even looked through. */
const BITMAP_SORTED_MIN = 100_000;

export class Tails {
  #values = new Uint32Array(64);
  #count = 0;
  #bits: Uint32Array | null = null;

  /** Those of `tails` from `from` to before `to`. A few ns each, most of them to wait for memory. */
  add(tails: Uint32Array, from: number, to: number): void {
    const count = this.#count + to - from;
    if (this.#bits === null && count > BITMAP_WORDS) {
      this.#bits = bitmapOf(this.#values, this.#count);
      this.#values = new Uint32Array(0);
    }
    if (this.#bits !== null) {
      setBits(this.#bits, tails, from, to);
      return;
    }
    if (count > this.#values.length) {
      const grown = new Uint32Array(Math.max(count, this.#values.length * 2));
      grown.set(this.#values);
      this.#values = grown;
    }
    for (let index = from; index < to; index++) this.#values[this.#count++] = tails[index]!;
  }

  /** Sorted and distinct. A few ns a tail, and 10 ms where there are many. Nothing can be added afterwards. */
  finish(): Uint32Array {
    if (this.#bits !== null) return tailsIn(this.#bits);
    if (this.#count >= BITMAP_SORTED_MIN) return tailsIn(bitmapOf(this.#values, this.#count));
    return distinct(this.#values.subarray(0, this.#count).sort());
  }
}

function bitmapOf(tails: Uint32Array, count: number): Uint32Array {
  const bits = new Uint32Array(BITMAP_WORDS);
  setBits(bits, tails, 0, count);
  return bits;
}

function setBits(bits: Uint32Array, tails: Uint32Array, from: number, to: number): void {
  for (let index = from; index < to; index++) {
    const tail = tails[index]!;
    bits[tail >>> 5]! |= 0x80000000 >>> (tail & 31);
  }
}

function tailsIn(bits: Uint32Array): Uint32Array {
  let count = 0;
  for (let word = 0; word < BITMAP_WORDS; word++) count += bitCount(bits[word]!);
  const tails = new Uint32Array(count);
  let at = 0;
  for (let word = 0; word < BITMAP_WORDS; word++) {
    for (let left = bits[word]!; left !== 0; ) {
      const bit = Math.clz32(left);
      tails[at++] = (word << 5) | bit;
      left &= ~(0x80000000 >>> bit);
    }
  }
  return tails;
}

/** Bits of a word that are set, added up in pairs, fours and bytes at once. */
function bitCount(word: number): number {
  const pairs = word - ((word >>> 1) & 0x55555555);
  const fours = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

function distinct(sorted: Uint32Array): Uint32Array {
  let count = 0;
  for (let index = 0; index < sorted.length; index++) {
    if (index === 0 || sorted[index] !== sorted[index - 1]) sorted[count++] = sorted[index]!;
  }
  return sorted.subarray(0, count);
}
