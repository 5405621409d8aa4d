/**
 * Reader of a bitmap section: one bit for each suffix of the part, for densities where nothing is smaller
 * (about 35 % to 65 %). A look-up reads one word.
 */
import { BITMAP_HEADER_WORDS } from './layout.ts';
import { KeyBatch, LayoutError, type NumberSet } from './number-set.ts';

export class BitmapSet implements NumberSet {
  readonly count: number;
  /** Signed, as in RiceSet. */
  readonly #words: Int32Array;
  readonly #bits: number;
  readonly #from: number;
  readonly #size: number;

  /** Parameters as in RiceSet. @throws LayoutError */
  constructor(words: Uint32Array, at: number, from: number, size: number) {
    this.count = words[at + 1]!;
    this.#words = new Int32Array(words.buffer, words.byteOffset, words.length);
    this.#bits = at + BITMAP_HEADER_WORDS;
    this.#from = from;
    this.#size = size;
    if (this.#bits + Math.ceil(size / 32) > words.length)
      throw new LayoutError('bitmap section: past the end');
  }

  has(_prefix: number, permutedSuffix: number): boolean {
    const local = permutedSuffix - this.#from;
    return ((this.#words[this.#bits + (local >>> 5)]! << (local & 31)) & 0x80000000) !== 0;
  }

  *keys(start: number): Generator<Float64Array> {
    const batch = new KeyBatch();
    for (let first = 0; first < this.#size; first += 32) {
      let left = this.#words[this.#bits + (first >>> 5)]!;
      // Bits after the last suffix have no meaning.
      if (this.#size - first < 32) left &= ~(0xffffffff >>> (this.#size - first));
      while (left !== 0) {
        const bit = Math.clz32(left);
        left &= ~(0x80000000 >>> bit);
        if (batch.add(start + first + bit)) yield batch.take();
      }
    }
    if (batch.count > 0) yield batch.take();
  }
}
