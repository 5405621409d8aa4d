/**
 * Reader of a bitmap section: one bit for each tail of the part, for densities where nothing is
 * smaller (about 35 % to 65 %). Cost of a query: one word.
 */
import { BITMAP_HEADER_WORDS } from './layout.ts';
import { LayoutError, type NumberSet } from './number-set.ts';

export class BitmapSet implements NumberSet {
  readonly count: number;
  readonly #words: Uint32Array;
  readonly #bits: number;
  readonly #from: number;

  /** Parameters as in RiceSet. @throws LayoutError */
  constructor(words: Uint32Array, at: number, end: number, from: number, size: number) {
    this.count = words[at + 1]!;
    this.#words = words;
    this.#bits = at + BITMAP_HEADER_WORDS;
    this.#from = from;
    if (this.#bits + Math.ceil(size / 32) > end) throw new LayoutError('bitmap section: past the end');
  }

  has(_head: number, permutedTail: number): boolean {
    const local = permutedTail - this.#from;
    return ((this.#words[this.#bits + (local >>> 5)]! << (local & 31)) & 0x80000000) !== 0;
  }
}
