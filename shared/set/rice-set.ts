/**
 * Reader of a Rice section: a dense set of permuted tails, uniform over the part.
 * The part is cut into buckets of equal width, about 96 bits of code each; a bucket holds its tails
 * as Rice-coded gaps (Rice and Plaunt 1971). A query finds its bucket by one division, where its code
 * starts by adding up the lengths of the buckets before it in their group, four to a word, and decodes
 * until it passes the tail. Within 12 % of the entropy bound from 0.1 % to 30 % density.
 * Cost of a query: one row of 36 bytes, and half a bucket: 8 gaps in 6 bytes where 5 % is listed.
 */
import { BitReader } from './bit-reader.ts';
import {
  FLAG_COMPLEMENT,
  RICE_GROUP_SHIFT,
  RICE_GROUP_WORDS,
  RICE_HEADER_WORDS,
  RICE_LENGTH_MASK,
} from './layout.ts';
import { LayoutError, type NumberSet, WALK_BATCH_KEYS } from './number-set.ts';

/** Place of a bucket in its group. */
const IN_GROUP = (1 << RICE_GROUP_SHIFT) - 1;
/** Every other byte of a word: two sums of bytes in one addition. */
const EVEN_BYTES = 0x00ff00ff;

export class RiceSet implements NumberSet {
  readonly count: number;
  /** Signed: an unsigned word of 2^30 or more is no small integer to V8, and each one read is allocated. */
  readonly #words: Int32Array;
  /** First word of the group rows. */
  readonly #groups: number;
  /** First word of the bit stream. */
  readonly #bits: number;
  readonly #from: number;
  readonly #size: number;
  readonly #width: number;
  readonly #parameter: number;
  readonly #complement: boolean;

  /**
   * @param words the shard @param at first word of the section
   * @param end first word behind the section's space @param from first tail of the part @param size tails in the part
   */
  constructor(words: Uint32Array, at: number, end: number, from: number, size: number) {
    const first = words[at]!;
    this.#complement = ((first >>> 8) & FLAG_COMPLEMENT) !== 0;
    this.#parameter = first >>> 16;
    const width = words[at + 2]!;
    const buckets = words[at + 3]!;
    if (this.#parameter > 31 || width === 0 || buckets !== Math.ceil(size / width)) {
      throw new LayoutError('rice section: impossible header');
    }
    const encoded = words[at + 1]!;
    this.count = this.#complement ? size - encoded : encoded;
    this.#words = new Int32Array(words.buffer, words.byteOffset, words.length);
    this.#from = from;
    this.#size = size;
    this.#width = width;
    this.#groups = at + RICE_HEADER_WORDS;
    const groups = Math.ceil(buckets / (1 << RICE_GROUP_SHIFT));
    this.#bits = this.#groups + groups * RICE_GROUP_WORDS;
    if (this.#bits > end) throw new LayoutError('rice section: index past the end');
    // A query reads two words at a time: a read behind the shard, once, would make all later ones slow.
    this.#checkIndex(groups, (end - this.#bits - 1) * 32);
  }

  /** Every group must start where the one before ends, so that no query leaves the section. */
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

  has(_head: number, permutedTail: number): boolean {
    const words = this.#words;
    const parameter = this.#parameter;
    const origin = this.#bits;
    const local = (permutedTail - this.#from) | 0;
    const bucket = (local / this.#width) | 0;
    const target = (local - Math.imul(bucket, this.#width)) | 0;
    const row = (this.#groups + Math.imul(bucket >>> RICE_GROUP_SHIFT, RICE_GROUP_WORDS)) | 0;
    const full = (bucket & IN_GROUP) >>> 2;
    const last = (row + 1 + full) | 0;
    let pairs = 0;
    // All words of lengths, those from `last` on masked: an end that is always elsewhere costs more than they do.
    for (let word = 0; word < RICE_GROUP_WORDS - 2; word++) {
      const lengths = words[row + 1 + word]! & ((word - full) >> 31);
      pairs = (pairs + (lengths & EVEN_BYTES) + ((lengths >>> 8) & EVEN_BYTES)) | 0;
    }
    const lengths = words[last]!;
    const shift = (bucket & 3) << 3;
    const before = lengths & ~(-1 << shift);
    pairs = (pairs + (before & EVEN_BYTES) + ((before >>> 8) & EVEN_BYTES)) | 0;
    // `| 0` keeps the query in 32-bit integers: a section has below 2^31 bits.
    let bit = (words[row]! + (pairs & 0xffff) + (pairs >>> 16)) | 0;
    const end = (bit + ((lengths >>> shift) & RICE_LENGTH_MASK)) | 0;
    let value = -1;
    let fits = true;
    while (fits && bit < end) {
      const word = (origin + (bit >>> 5)) | 0;
      let window = (words[word]! << bit) | ((words[word + 1]! >>> 1) >>> ~bit);
      // As many codes as the window holds whole: reading the words for each takes half as long again.
      for (let left = 32; ; ) {
        const quotient = Math.clz32(window);
        const length = (quotient + 1 + parameter) | 0;
        if (length > left) {
          // A call in here, even one that is never made, makes the loop half as fast: it stands behind.
          fits = left < 32;
          break;
        }
        bit = (bit + length) | 0;
        left = (left - length) | 0;
        // Two shifts: a shift by 32 is a shift by 0 in JavaScript, and the parameter may be 0.
        const behind = (window << quotient) << 1;
        value = (value + (quotient << parameter) + ((behind >>> 1) >>> (31 - parameter)) + 1) | 0;
        // A code behind the end is one of the next bucket.
        if (value >= target) return (value === target && bit <= end) !== this.#complement;
        window = behind << parameter;
      }
    }
    return fits ? this.#complement : this.#hasLong(bit, end, value, target);
  }

  /** The rest of a bucket, from an entry that is longer than a window. */
  #hasLong(bit: number, end: number, value: number, target: number): boolean {
    const bits = new BitReader(this.#words, this.#bits, this.#words.length);
    bits.seek(bit);
    while (bits.position < end) {
      value += bits.readRice(this.#parameter) + 1;
      if (value >= target) return (value === target && bits.position <= end) !== this.#complement;
    }
    return this.#complement;
  }

  keys(start: number): Iterable<Float64Array> {
    const encoded = this.#encoded(start);
    return this.#complement ? between(encoded, start, start + this.#size) : encoded;
  }

  /** The keys that stand in the code, whether that means listed or not; as `has` finds them. */
  *#encoded(start: number): Generator<Float64Array> {
    const words = this.#words;
    const parameter = this.#parameter;
    const origin = this.#bits;
    const bits = new BitReader(words, origin, words.length);
    const batch = new Float64Array(WALK_BATCH_KEYS);
    let filled = 0;
    let code = 0;
    for (let bucket = 0, first = 0; first < this.#size; bucket++, first += this.#width) {
      const behind = Math.min(first + this.#width, this.#size);
      let bit = code;
      const end = bit + this.#length(bucket);
      let tail = first - 1;
      while (bit < end) {
        // As in `has`.
        const word = (origin + (bit >>> 5)) | 0;
        const window = (words[word]! << bit) | ((words[word + 1]! >>> 1) >>> ~bit);
        const quotient = Math.clz32(window);
        const length = (quotient + 1 + parameter) | 0;
        if (length > 32) {
          bits.seek(bit);
          tail += bits.readRice(parameter) + 1;
          bit = bits.position;
        } else {
          bit = (bit + length) | 0;
          tail += (quotient << parameter) + ((((window << quotient) << 1) >>> 1) >>> (31 - parameter)) + 1;
        }
        // A query for a tail of another bucket never comes here, and none takes a code that the bucket cuts short.
        if (tail >= behind || bit > end) break;
        batch[filled++] = start + tail;
        if (filled === WALK_BATCH_KEYS) {
          yield batch;
          filled = 0;
        }
      }
      code = end;
    }
    if (filled > 0) yield batch.subarray(0, filled);
  }
}

function sumOfBytes(word: number): number {
  const pairs = (word & EVEN_BYTES) + ((word >>> 8) & EVEN_BYTES);
  return (pairs & 0xffff) + (pairs >>> 16);
}

/** The keys from `start` to before `end` that `batches` leaves out. */
function* between(batches: Iterable<Float64Array>, start: number, end: number): Generator<Float64Array> {
  const batch = new Float64Array(WALK_BATCH_KEYS);
  let filled = 0;
  let key = start;
  for (const left of batches) {
    for (let index = 0; index < left.length; index++) {
      for (; key < left[index]!; key++) {
        batch[filled++] = key;
        if (filled === WALK_BATCH_KEYS) {
          yield batch;
          filled = 0;
        }
      }
      key++;
    }
  }
  for (; key < end; key++) {
    batch[filled++] = key;
    if (filled === WALK_BATCH_KEYS) {
      yield batch;
      filled = 0;
    }
  }
  if (filled > 0) yield batch.subarray(0, filled);
}
