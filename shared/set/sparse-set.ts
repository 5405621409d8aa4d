/**
 * Reader of a sparse section: keys (prefix, permuted suffix) over many prefixes, down to single entries.
 * Sorted blocks of 32 keys. The first key is in the block row. Each further key is a bit 1 (same prefix) and
 * a Rice-coded gap, or a bit 0, a Rice-coded prefix gap and an uncompressed suffix. A look-up is a binary
 * search over the rows and decodes one block of at most 32 entries.
 */
import { SUFFIX_COUNT } from '../numbers/number.ts';
import { BitReader } from './bit-reader.ts';
import {
  SPARSE_BLOCK_ENTRIES,
  SPARSE_HEADER_WORDS,
  SPARSE_PARAMETER_BITS,
  SPARSE_ROW_WORDS,
  SUFFIX_BITS,
} from './layout.ts';
import { LayoutError, type NumberSet, WALK_BATCH_KEYS } from './number-set.ts';

export class SparseSet implements NumberSet {
  readonly count: number;
  /** Signed, as in RiceSet; prefixes, suffixes and offsets are below 2^31. */
  readonly #words: Int32Array;
  readonly #rows: number;
  readonly #blocks: number;
  readonly #prefixParameter: number;
  readonly #bits: BitReader;
  readonly #bitsAt: number;
  readonly #end: number;

  /**
   * @param words the shard @param at first word of the section @param end first word after it @throws
   * LayoutError
   */
  constructor(words: Uint32Array, at: number, end: number) {
    this.#prefixParameter = words[at]! >>> 16;
    this.count = words[at + 1]!;
    this.#blocks = words[at + 2]!;
    this.#words = new Int32Array(words.buffer, words.byteOffset, words.length);
    this.#rows = at + SPARSE_HEADER_WORDS;
    const bits = this.#rows + this.#blocks * SPARSE_ROW_WORDS;
    if (
      this.#prefixParameter > 31 ||
      this.#blocks !== Math.ceil(this.count / SPARSE_BLOCK_ENTRIES) ||
      bits > end
    ) {
      throw new LayoutError('sparse section: impossible header');
    }
    this.#bits = new BitReader(this.#words, bits, end);
    this.#bitsAt = bits;
    this.#end = end;
  }

  has(prefix: number, permutedSuffix: number): boolean {
    const words = this.#words;
    let low = 0;
    let high = this.#blocks;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const row = this.#rows + middle * SPARSE_ROW_WORDS;
      const rowPrefix = words[row]!;
      if (rowPrefix < prefix || (rowPrefix === prefix && words[row + 1]! <= permutedSuffix)) low = middle + 1;
      else high = middle;
    }
    if (low === 0) return false;
    return this.#scan(low - 1, prefix, permutedSuffix);
  }

  #scan(block: number, prefix: number, permutedSuffix: number): boolean {
    const row = this.#rows + block * SPARSE_ROW_WORDS;
    const bits = this.#bits;
    let atPrefix = this.#words[row]!;
    let atSuffix = this.#words[row + 1]!;
    bits.seek(this.#words[row + 2]!);
    const parameter = bits.read(SPARSE_PARAMETER_BITS);
    const entries = Math.min(SPARSE_BLOCK_ENTRIES, this.count - block * SPARSE_BLOCK_ENTRIES);
    for (let entry = 1; ; entry++) {
      if (atPrefix === prefix && atSuffix === permutedSuffix) return true;
      if (entry === entries || atPrefix > prefix || (atPrefix === prefix && atSuffix > permutedSuffix))
        return false;
      if (bits.read(1) === 1) {
        atSuffix += bits.readRice(parameter) + 1;
      } else {
        atPrefix += bits.readRice(this.#prefixParameter) + 1;
        atSuffix = bits.read(SUFFIX_BITS);
      }
    }
  }

  *keys(): Generator<Float64Array> {
    const words = this.#words;
    // Needs its own reader: look-ups may happen between two batches.
    const bits = new BitReader(words, this.#bitsAt, this.#end);
    const batch = new Float64Array(WALK_BATCH_KEYS);
    let filled = 0;
    for (let block = 0; block < this.#blocks; block++) {
      const row = this.#rows + block * SPARSE_ROW_WORDS;
      let prefix = words[row]!;
      let suffix = words[row + 1]!;
      bits.seek(words[row + 2]!);
      const parameter = bits.read(SPARSE_PARAMETER_BITS);
      const entries = Math.min(SPARSE_BLOCK_ENTRIES, this.count - block * SPARSE_BLOCK_ENTRIES);
      for (let entry = 0; entry < entries; entry++) {
        if (entry > 0 && bits.read(1) === 1) {
          suffix += bits.readRice(parameter) + 1;
        } else if (entry > 0) {
          prefix += bits.readRice(this.#prefixParameter) + 1;
          suffix = bits.read(SUFFIX_BITS);
        }
        batch[filled++] = prefix * SUFFIX_COUNT + suffix;
        if (filled === WALK_BATCH_KEYS) {
          yield batch;
          filled = 0;
        }
      }
    }
    if (filled > 0) yield batch.subarray(0, filled);
  }
}
