/**
 * A growing set of suffixes of one prefix. It is an array until a bitmap of all suffixes (12.5 MB) is smaller. The
 * bitmap is sorted and distinct by construction.
 */
import { SUFFIX_COUNT } from '../numbers/number.ts';

const BITMAP_WORDS = SUFFIX_COUNT / 32;
/** From this count on, suffixes are sorted with a bitmap. Below, sorting is faster than scanning a bitmap. */
const BITMAP_SORTED_MIN = 100_000;

export class SuffixSet {
  #values = new Uint32Array(64);
  /** Count of values, or of set bits once there is a bitmap. */
  #count = 0;
  #bits: Uint32Array | null = null;

  /** Adds `suffixes` from `from` to `to` (exclusive). Takes a few ns each, mostly memory latency. */
  add(suffixes: Uint32Array, from: number, to: number): void {
    const count = this.#count + to - from;
    if (this.#bits === null && count > BITMAP_WORDS) this.#toBitmap();
    if (this.#bits !== null) {
      this.#count += setBits(this.#bits, suffixes, from, to);
      return;
    }
    if (count > this.#values.length) {
      const grown = new Uint32Array(Math.max(count, this.#values.length * 2));
      grown.set(this.#values);
      this.#values = grown;
    }
    for (let index = from; index < to; index++) this.#values[this.#count++] = suffixes[index]!;
  }

  #toBitmap(): void {
    this.#bits = new Uint32Array(BITMAP_WORDS);
    this.#count = setBits(this.#bits, this.#values, 0, this.#count);
    this.#values = new Uint32Array(0);
  }

  /** Returns sorted distinct suffixes. Takes a few ns each, plus 10 ms if there are many. The set is then unusable. */
  finish(): Uint32Array {
    if (this.#bits === null && this.#count >= BITMAP_SORTED_MIN) this.#toBitmap();
    if (this.#bits !== null) return suffixesIn(this.#bits, this.#count);
    const sorted = this.#values.subarray(0, this.#count).sort();
    return sorted.filter((suffix, index) => suffix !== sorted[index - 1]);
  }
}

/** @returns how many of the bits were not set before */
function setBits(bits: Uint32Array, suffixes: Uint32Array, from: number, to: number): number {
  let added = 0;
  for (let index = from; index < to; index++) {
    const suffix = suffixes[index]!;
    const word = bits[suffix >>> 5]!;
    const bit = 0x80000000 >>> (suffix & 31);
    if ((word & bit) === 0) added++;
    bits[suffix >>> 5] = word | bit;
  }
  return added;
}

function suffixesIn(bits: Uint32Array, count: number): Uint32Array {
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
