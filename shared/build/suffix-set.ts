/**
 * A growing set of suffixes of one prefix: an array, or once that is smaller, a bitmap of all suffixes (12.5
 * MB), which is sorted and distinct by construction.
 */
import { SUFFIX_COUNT } from '../numbers/number.ts';

const BITMAP_WORDS = SUFFIX_COUNT / 32;
/**
 * From this count on, sorting also uses a bitmap. Fewer suffixes are sorted faster than a bitmap is scanned.
 */
const BITMAP_SORTED_MIN = 100_000;

export class SuffixSet {
  #values = new Uint32Array(64);
  #count = 0;
  #bits: Uint32Array | null = null;

  /** Adds `suffixes` from `from` to `to` (exclusive). A few ns each, mostly memory latency. */
  add(suffixes: Uint32Array, from: number, to: number): void {
    const count = this.#count + to - from;
    if (this.#bits === null && count > BITMAP_WORDS) {
      this.#bits = bitmapOf(this.#values, this.#count);
      this.#values = new Uint32Array(0);
    }
    if (this.#bits !== null) {
      setBits(this.#bits, suffixes, from, to);
      return;
    }
    if (count > this.#values.length) {
      const grown = new Uint32Array(Math.max(count, this.#values.length * 2));
      grown.set(this.#values);
      this.#values = grown;
    }
    for (let index = from; index < to; index++) this.#values[this.#count++] = suffixes[index]!;
  }

  /**
   * Sorted and distinct. A few ns per suffix, plus 10 ms if there are many. Nothing can be added afterwards.
   */
  finish(): Uint32Array {
    if (this.#bits !== null) return suffixesIn(this.#bits);
    if (this.#count >= BITMAP_SORTED_MIN) return suffixesIn(bitmapOf(this.#values, this.#count));
    return distinct(this.#values.subarray(0, this.#count).sort());
  }
}

function bitmapOf(suffixes: Uint32Array, count: number): Uint32Array {
  const bits = new Uint32Array(BITMAP_WORDS);
  setBits(bits, suffixes, 0, count);
  return bits;
}

function setBits(bits: Uint32Array, suffixes: Uint32Array, from: number, to: number): void {
  for (let index = from; index < to; index++) {
    const suffix = suffixes[index]!;
    bits[suffix >>> 5]! |= 0x80000000 >>> (suffix & 31);
  }
}

function suffixesIn(bits: Uint32Array): Uint32Array {
  let count = 0;
  for (let word = 0; word < BITMAP_WORDS; word++) count += bitCount(bits[word]!);
  const suffixes = new Uint32Array(count);
  let at = 0;
  for (let word = 0; word < BITMAP_WORDS; word++) {
    for (let left = bits[word]!; left !== 0; ) {
      const bit = Math.clz32(left);
      suffixes[at++] = (word << 5) | bit;
      left &= ~(0x80000000 >>> bit);
    }
  }
  return suffixes;
}

/** Counts the set bits of a word by adding pairs, fours and bytes in parallel. */
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
