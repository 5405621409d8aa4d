/**
 * Reader of a sparse section: keys (prefix, permuted suffix) over many prefixes, down to single entries.
 * Sorted blocks of 32 keys. The first key is in the block row. Each further key is a bit 1 (same prefix) and
 * a Rice-coded gap, or a bit 0, a Rice-coded prefix gap and an uncompressed suffix. A look-up is a binary
 * search over the rows and decodes one block of at most 32 entries.
 */
import { SUFFIX_COUNT } from '../numbers/number.ts';
import { BitReader } from './bit-reader.ts';
import { findRow } from './dated-rows.ts';
import {
  SPARSE_BLOCK_ENTRIES,
  SPARSE_HEADER_WORDS,
  SPARSE_PARAMETER_BITS,
  SPARSE_ROW_WORDS,
  SUFFIX_BITS,
} from './layout.ts';
import { KeyBatch, LayoutError, type NumberSet } from './number-set.ts';

export class SparseSet implements NumberSet {
  readonly count: number;
  /** First prefix, first suffix and bit offset of each block. */
  readonly #rows: Uint32Array;
  /** Signed, as in RiceSet. */
  readonly #words: Int32Array;
  /** First word of the bit stream. */
  readonly #origin: number;
  readonly #prefixParameter: number;
  readonly #bits: BitReader;

  /** @param words the shard @param at first word of the section @throws LayoutError */
  constructor(words: Uint32Array, at: number) {
    this.#prefixParameter = words[at]! >>> 16;
    this.count = words[at + 1]!;
    const blocks = words[at + 2]!;
    const rowsAt = at + SPARSE_HEADER_WORDS;
    this.#origin = rowsAt + blocks * SPARSE_ROW_WORDS;
    if (
      this.#prefixParameter > 31 ||
      blocks !== Math.ceil(this.count / SPARSE_BLOCK_ENTRIES) ||
      this.#origin > words.length
    ) {
      throw new LayoutError('sparse section: impossible header');
    }
    this.#rows = words.subarray(rowsAt, this.#origin);
    this.#words = new Int32Array(words.buffer, words.byteOffset, words.length);
    this.#bits = new BitReader(this.#words, this.#origin);
  }

  has(prefix: number, permutedSuffix: number): boolean {
    // The key is in the last block that does not start after it.
    const row = findRow(this.#rows, SPARSE_ROW_WORDS, prefix, permutedSuffix + 1) - SPARSE_ROW_WORDS;
    if (row < 0) return false;
    const bits = this.#bits;
    let atPrefix = this.#rows[row]!;
    let atSuffix = this.#rows[row + 1]!;
    bits.seek(this.#rows[row + 2]!);
    const parameter = bits.read(SPARSE_PARAMETER_BITS);
    const entries = this.#entriesOf(row / SPARSE_ROW_WORDS);
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

  /** Entries in a block: the last one may have fewer. */
  #entriesOf(block: number): number {
    return Math.min(SPARSE_BLOCK_ENTRIES, this.count - block * SPARSE_BLOCK_ENTRIES);
  }

  *keys(): Generator<Float64Array> {
    const rows = this.#rows;
    // Needs its own reader: look-ups may happen between two batches.
    const bits = new BitReader(this.#words, this.#origin);
    const batch = new KeyBatch();
    for (let row = 0; row < rows.length; row += SPARSE_ROW_WORDS) {
      let prefix = rows[row]!;
      let suffix = rows[row + 1]!;
      bits.seek(rows[row + 2]!);
      const parameter = bits.read(SPARSE_PARAMETER_BITS);
      const entries = this.#entriesOf(row / SPARSE_ROW_WORDS);
      for (let entry = 0; entry < entries; entry++) {
        if (entry > 0 && bits.read(1) === 1) {
          suffix += bits.readRice(parameter) + 1;
        } else if (entry > 0) {
          prefix += bits.readRice(this.#prefixParameter) + 1;
          suffix = bits.read(SUFFIX_BITS);
        }
        if (batch.add(prefix * SUFFIX_COUNT + suffix)) yield batch.take();
      }
    }
    if (batch.count > 0) yield batch.take();
  }
}
