/**
 * Reader of a sparse section: keys (head, permuted tail) over many heads, down to single entries.
 * Sorted blocks of 32 keys: the first stands in the block row, the others follow as a bit
 * (1: same head) and a Rice-coded gap, or (0) a Rice-coded head gap and a plain tail. A query is a
 * binary search over the rows and one block decoded: bounded by 32 entries.
 */
import { BitReader } from './bit-reader.ts';
import {
  SPARSE_BLOCK_ENTRIES,
  SPARSE_HEADER_WORDS,
  SPARSE_PARAMETER_BITS,
  SPARSE_ROW_WORDS,
  TAIL_BITS,
} from './layout.ts';
import { LayoutError, type NumberSet } from './number-set.ts';

export class SparseSet implements NumberSet {
  readonly count: number;
  readonly #words: Uint32Array;
  readonly #rows: number;
  readonly #blocks: number;
  readonly #headParameter: number;
  readonly #bits: BitReader;

  /** @param words the shard @param at first word of the section @param end first word behind it @throws LayoutError */
  constructor(words: Uint32Array, at: number, end: number) {
    this.#headParameter = words[at]! >>> 16;
    this.count = words[at + 1]!;
    this.#blocks = words[at + 2]!;
    this.#words = words;
    this.#rows = at + SPARSE_HEADER_WORDS;
    const bits = this.#rows + this.#blocks * SPARSE_ROW_WORDS;
    if (
      this.#headParameter > 31 ||
      this.#blocks !== Math.ceil(this.count / SPARSE_BLOCK_ENTRIES) ||
      bits > end
    ) {
      throw new LayoutError('sparse section: impossible header');
    }
    this.#bits = new BitReader(words, bits, end);
  }

  has(head: number, permutedTail: number): boolean {
    const words = this.#words;
    let low = 0;
    let high = this.#blocks;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const row = this.#rows + middle * SPARSE_ROW_WORDS;
      const rowHead = words[row]!;
      if (rowHead < head || (rowHead === head && words[row + 1]! <= permutedTail)) low = middle + 1;
      else high = middle;
    }
    if (low === 0) return false;
    return this.#scan(low - 1, head, permutedTail);
  }

  #scan(block: number, head: number, permutedTail: number): boolean {
    const row = this.#rows + block * SPARSE_ROW_WORDS;
    const bits = this.#bits;
    let atHead = this.#words[row]!;
    let atTail = this.#words[row + 1]!;
    bits.seek(this.#words[row + 2]!);
    const parameter = bits.read(SPARSE_PARAMETER_BITS);
    const entries = Math.min(SPARSE_BLOCK_ENTRIES, this.count - block * SPARSE_BLOCK_ENTRIES);
    for (let entry = 1; ; entry++) {
      if (atHead === head && atTail === permutedTail) return true;
      if (entry === entries || atHead > head || (atHead === head && atTail > permutedTail)) return false;
      if (bits.read(1) === 1) {
        atTail += bits.readRice(parameter) + 1;
      } else {
        atHead += bits.readRice(this.#headParameter) + 1;
        atTail = bits.read(TAIL_BITS);
      }
    }
  }
}
