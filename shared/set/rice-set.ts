/**
 * Reader of a Rice section: a dense set of permuted suffixes, uniform over the part.
 * The part is divided into buckets of equal width, about 96 bits of code each. A bucket holds its suffixes as
 * Rice-coded gaps (Rice and Plaunt 1971). A look-up finds its bucket by one division, and the start of its
 * code as the sum of the lengths of the earlier buckets in the group, four to a word. It decodes until it
 * passes the suffix. Within 12 % of the entropy bound from 0.1 % to 30 % density.
 * A look-up costs one row of 36 bytes, and half a bucket: 8 gaps in 6 bytes where 5 % is listed.
 */
import { BitReader } from './bit-reader.ts';
import {
  FLAG_COMPLEMENT,
  RICE_GROUP_SHIFT,
  RICE_GROUP_WORDS,
  RICE_HEADER_WORDS,
  RICE_LENGTH_MASK,
} from './layout.ts';
import { KeyBatch, LayoutError, type NumberSet } from './number-set.ts';

/** Position of a bucket in its group. */
const IN_GROUP = (1 << RICE_GROUP_SHIFT) - 1;
/** Mask of every other byte of a word, so that one addition sums two bytes. */
const EVEN_BYTES = 0x00ff00ff;

export class RiceSet implements NumberSet {
  readonly count: number;
  /** Signed: V8 would allocate for each unsigned word of 2^30 or more. */
  readonly #words: Int32Array;
  /** First word of the group rows. */
  readonly #groups: number;
  /** First word of the bit stream. */
  readonly #bits: number;
  readonly #from: number;
  readonly #size: number;
  /** Suffixes in a bucket. */
  readonly #width: number;
  /** Keys for each suffix: 1 in a set of numbers, two for each client in a set of pairs. */
  readonly #slots: number;
  readonly #parameter: number;
  readonly #complement: boolean;

  /**
   * @param words the shard @param at first word of the section
   * @param from first suffix of the part @param size suffixes in the part
   * @param slots keys for each suffix: 1 in a set of numbers
   * @throws LayoutError
   */
  constructor(words: Uint32Array, at: number, from: number, size: number, slots = 1) {
    const first = words[at]!;
    this.#complement = ((first >>> 8) & FLAG_COMPLEMENT) !== 0;
    this.#parameter = first >>> 16;
    const width = words[at + 2]!;
    const buckets = words[at + 3]!;
    // A look-up computes with signed words.
    const isWide = width * slots > 0x7fffffff;
    if (this.#parameter > 31 || width === 0 || isWide || buckets !== Math.ceil(size / width)) {
      throw new LayoutError('rice section: impossible header');
    }
    const encoded = words[at + 1]!;
    this.count = this.#complement ? size * slots - encoded : encoded;
    this.#words = new Int32Array(words.buffer, words.byteOffset, words.length);
    this.#from = from;
    this.#size = size;
    this.#width = width;
    this.#slots = slots;
    this.#groups = at + RICE_HEADER_WORDS;
    const groups = Math.ceil(buckets / (1 << RICE_GROUP_SHIFT));
    this.#bits = this.#groups + groups * RICE_GROUP_WORDS;
    if (this.#bits > words.length) throw new LayoutError('rice section: index past the end');
    // A look-up reads two words at a time. One read past the shard would make all later reads slow.
    this.#checkIndex(groups, (words.length - this.#bits - 1) * 32);
  }

  /** Checks that every group starts where the previous one ends, so that no look-up leaves the section. */
  #checkIndex(groups: number, bits: number): void {
    let end = 0;
    for (let group = 0; group < groups; group++) {
      const row = this.#groups + group * RICE_GROUP_WORDS;
      if (this.#words[row] !== end) throw new LayoutError('rice section: groups out of order');
      for (let word = row + 1; word < row + RICE_GROUP_WORDS; word++) end += sumOfBytes(this.#words[word]!);
      if (end > bits) throw new LayoutError('rice section: a bucket past the end');
    }
  }

  /** Bits of a bucket's code. */
  #length(bucket: number): number {
    const row = this.#groups + (bucket >>> RICE_GROUP_SHIFT) * RICE_GROUP_WORDS;
    return (this.#words[row + 1 + ((bucket & IN_GROUP) >>> 2)]! >>> ((bucket & 3) << 3)) & RICE_LENGTH_MASK;
  }

  /** @param slot below the slots of the set @param mask -1, or -2 to find the slot after this one too */
  has(_prefix: number, permutedSuffix: number, slot = 0, mask = -1): boolean {
    const words = this.#words;
    const parameter = this.#parameter;
    const origin = this.#bits;
    const local = (permutedSuffix - this.#from) | 0;
    const bucket = (local / this.#width) | 0;
    const target = (Math.imul(local - Math.imul(bucket, this.#width), this.#slots) + slot) | 0;
    const row = (this.#groups + Math.imul(bucket >>> RICE_GROUP_SHIFT, RICE_GROUP_WORDS)) | 0;
    const full = (bucket & IN_GROUP) >>> 2;
    const last = (row + 1 + full) | 0;
    let pairs = 0;
    // Reads all length words and masks those from `last` on: a loop end that always varies costs more.
    for (let word = 0; word < RICE_GROUP_WORDS - 2; word++) {
      const lengths = words[row + 1 + word]! & ((word - full) >> 31);
      pairs = (pairs + (lengths & EVEN_BYTES) + ((lengths >>> 8) & EVEN_BYTES)) | 0;
    }
    const lengths = words[last]!;
    const shift = (bucket & 3) << 3;
    const before = lengths & ~(-1 << shift);
    pairs = (pairs + (before & EVEN_BYTES) + ((before >>> 8) & EVEN_BYTES)) | 0;
    // `| 0` keeps the look-up in 32-bit integers: a section has fewer than 2^31 bits.
    let bit = (words[row]! + (pairs & 0xffff) + (pairs >>> 16)) | 0;
    const end = (bit + ((lengths >>> shift) & RICE_LENGTH_MASK)) | 0;
    let value = -1;
    let fits = true;
    while (fits && bit < end) {
      const word = (origin + (bit >>> 5)) | 0;
      let window = (words[word]! << bit) | ((words[word + 1]! >>> 1) >>> ~bit);
      // Decodes all codes that the window holds completely: reading the words for each code takes half as
      // long again.
      for (let left = 32; ; ) {
        const quotient = Math.clz32(window);
        const length = (quotient + 1 + parameter) | 0;
        if (length > left) {
          // The call is outside the loop: a call in here, even one that is never made, halves the speed of the loop.
          fits = left < 32;
          break;
        }
        bit = (bit + length) | 0;
        left = (left - length) | 0;
        // Two shifts: in JavaScript a shift by 32 is a shift by 0, and the parameter may be 0.
        const behind = (window << quotient) << 1;
        value = (value + (quotient << parameter) + ((behind >>> 1) >>> (31 - parameter)) + 1) | 0;
        // A code past the end belongs to the next bucket.
        if (value >= target) return ((value & mask) === target && bit <= end) !== this.#complement;
        window = behind << parameter;
      }
    }
    return fits ? this.#complement : this.#hasLong(bit, end, value, target, mask);
  }

  /** Decodes the rest of a bucket, from an entry that is longer than a window. */
  #hasLong(bit: number, end: number, value: number, target: number, mask: number): boolean {
    const bits = new BitReader(this.#words, this.#bits);
    bits.seek(bit);
    while (bits.position < end) {
      value += bits.readRice(this.#parameter) + 1;
      if (value >= target) return ((value & mask) === target && bits.position <= end) !== this.#complement;
    }
    return this.#complement;
  }

  /** With several slots, a key is `start` + (suffix - first suffix of the part) * slots + slot. */
  keys(start: number): Iterable<Float64Array> {
    const encoded = this.#encoded(start);
    return this.#complement ? between(encoded, start, start + this.#size * this.#slots) : encoded;
  }

  /** The encoded keys, whether they are the listed ones or the complement; the same keys that `has` finds. */
  *#encoded(start: number): Generator<Float64Array> {
    const words = this.#words;
    const parameter = this.#parameter;
    const origin = this.#bits;
    const bits = new BitReader(words, origin);
    const batch = new KeyBatch();
    const size = this.#size * this.#slots;
    const width = this.#width * this.#slots;
    let code = 0;
    for (let bucket = 0, first = 0; first < size; bucket++, first += width) {
      const behind = Math.min(first + width, size);
      let bit = code;
      const end = bit + this.#length(bucket);
      let suffix = first - 1;
      while (bit < end) {
        // As in `has`.
        const word = (origin + (bit >>> 5)) | 0;
        const window = (words[word]! << bit) | ((words[word + 1]! >>> 1) >>> ~bit);
        const quotient = Math.clz32(window);
        const length = (quotient + 1 + parameter) | 0;
        if (length > 32) {
          bits.seek(bit);
          suffix += bits.readRice(parameter) + 1;
          bit = bits.position;
        } else {
          bit = (bit + length) | 0;
          suffix += (quotient << parameter) + ((((window << quotient) << 1) >>> 1) >>> (31 - parameter)) + 1;
        }
        // A look-up for a suffix of another bucket never reads this bucket, and none accepts a code that the
        // bucket truncates.
        if (suffix >= behind || bit > end) break;
        if (batch.add(start + suffix)) yield batch.take();
      }
      code = end;
    }
    if (batch.count > 0) yield batch.take();
  }
}

function sumOfBytes(word: number): number {
  const pairs = (word & EVEN_BYTES) + ((word >>> 8) & EVEN_BYTES);
  return (pairs & 0xffff) + (pairs >>> 16);
}

/** The keys from `start` to `end` (exclusive) that `batches` omits. */
function* between(batches: Iterable<Float64Array>, start: number, end: number): Generator<Float64Array> {
  const batch = new KeyBatch();
  let key = start;
  for (const left of batches) {
    for (let index = 0; index < left.length; index++) {
      for (; key < left[index]!; key++) {
        if (batch.add(key)) yield batch.take();
      }
      key++;
    }
  }
  for (; key < end; key++) {
    if (batch.add(key)) yield batch.take();
  }
  if (batch.count > 0) yield batch.take();
}
