/**
 * Reader of a sparse section: keys (head, permuted tail) over many heads, down to single entries.
 * Sorted blocks of 32 keys: the first stands in the block row, the others follow as a bit
 * (1: same head) and a Rice-coded gap, or (0) a Rice-coded head gap and a plain tail. A query is a
 * binary search over the rows and one block decoded: bounded by 32 entries.
 */
import { TAILS } from '../numbers/number.ts';
import { BitReader } from './bit-reader.ts';
import {
  SPARSE_BLOCK_ENTRIES,
  SPARSE_HEADER_WORDS,
  SPARSE_PARAMETER_BITS,
  SPARSE_ROW_WORDS,
  TAIL_BITS,
} from './layout.ts';
import { LayoutError, type NumberSet, WALK_BATCH_KEYS } from './number-set.ts';

export class SparseSet implements NumberSet {
  readonly count: number;
  /** Signed, as in RiceSet; heads, tails and places are below 2^31. */
  readonly #words: Int32Array;
  readonly #rows: number;
  readonly #blocks: number;
  readonly #headParameter: number;
  readonly #bits: BitReader;
  readonly #bitsAt: number;
  readonly #end: number;

  /** @param words the shard @param at first word of the section @param end first word behind it @throws LayoutError */
  constructor(words: Uint32Array, at: number, end: number) {
    this.#headParameter = words[at]! >>> 16;
    this.count = words[at + 1]!;
    this.#blocks = words[at + 2]!;
    this.#words = new Int32Array(words.buffer, words.byteOffset, words.length);
    this.#rows = at + SPARSE_HEADER_WORDS;
    const bits = this.#rows + this.#blocks * SPARSE_ROW_WORDS;
    if (
      this.#headParameter > 31 ||
      this.#blocks !== Math.ceil(this.count / SPARSE_BLOCK_ENTRIES) ||
      bits > end
    ) {
      throw new LayoutError('sparse section: impossible header');
    }
    this.#bits = new BitReader(this.#words, bits, end);
    this.#bitsAt = bits;
    this.#end = end;
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

  *keys(): Generator<Float64Array> {
    const words = this.#words;
    // A reader of its own: queries may come between two batches.
    const bits = new BitReader(words, this.#bitsAt, this.#end);
    const batch = new Float64Array(WALK_BATCH_KEYS);
    let filled = 0;
    for (let block = 0; block < this.#blocks; block++) {
      const row = this.#rows + block * SPARSE_ROW_WORDS;
      let head = words[row]!;
      let tail = words[row + 1]!;
      bits.seek(words[row + 2]!);
      const parameter = bits.read(SPARSE_PARAMETER_BITS);
      const entries = Math.min(SPARSE_BLOCK_ENTRIES, this.count - block * SPARSE_BLOCK_ENTRIES);
      for (let entry = 0; entry < entries; entry++) {
        if (entry > 0 && bits.read(1) === 1) {
          tail += bits.readRice(parameter) + 1;
        } else if (entry > 0) {
          head += bits.readRice(this.#headParameter) + 1;
          tail = bits.read(TAIL_BITS);
        }
        batch[filled++] = head * TAILS + tail;
        if (filled === WALK_BATCH_KEYS) {
          yield batch;
          filled = 0;
        }
      }
    }
    if (filled > 0) yield batch.subarray(0, filled);
  }
}
