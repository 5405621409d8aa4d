/**
 * Builds the sections for one prefix's slice: Rice, its complement, or a bitmap, whichever is smallest.
 * Input: sorted distinct suffixes. Output: the words that RiceSet and BitmapSet read.
 */
import {
  BITMAP_HEADER_WORDS,
  FLAG_COMPLEMENT,
  RICE_GROUP_SHIFT,
  RICE_GROUP_WORDS,
  RICE_HEADER_WORDS,
  RICE_LENGTH_MASK,
  SECTION_BITMAP,
  SECTION_RICE,
} from '../set/layout.ts';
import { BitWriter } from './bit-writer.ts';

/** Target code bits of a bucket. The index costs 9 bits per bucket, and a lookup decodes half a bucket. */
const BUCKET_BITS = 96;
/** Factor that narrows all buckets if a bucket was too full. */
const NARROWER = 7 / 8;

/** @param suffixes sorted, distinct, relative to the start of the part @param size suffixes in the part */
export function encodeDense(suffixes: Uint32Array, size: number): Uint32Array {
  const isComplement = suffixes.length > size / 2;
  const fewer = Math.max(1, isComplement ? size - suffixes.length : suffixes.length);
  const { parameter, bitsPerEntry } = bestRice(fewer, size);
  const bits = fewer * bitsPerEntry;
  // If a bitmap is certain to be smaller, skip the Rice encoding.
  if (bits > size) return encodeBitmap(suffixes, size);
  const encoded = isComplement ? complementOf(suffixes, size) : suffixes;
  const first = SECTION_RICE | (isComplement ? FLAG_COMPLEMENT << 8 : 0) | (parameter << 16);
  let width = Math.min(size, Math.max(1, Math.round((size * BUCKET_BITS) / bits)));
  let rice = encodeRice(encoded, size, first, width);
  // A bucket was too full, so narrow all buckets. Permuted suffixes are uniform, so a full bucket is a rare outlier
  // among very many, or crafted input. A bucket of one suffix always fits: its code has at most 32 bits.
  while (rice === null) {
    width = Math.max(1, Math.floor(width * NARROWER));
    rice = encodeRice(encoded, size, first, width);
  }
  const bitmapWords = BITMAP_HEADER_WORDS + Math.ceil(size / 32);
  return rice.length <= bitmapWords ? rice : encodeBitmap(suffixes, size);
}

/**
 * Encodes the registered pairs of a slice of one group. Pairs are uniform over slice and slots: see shared/build/pairs.ts.
 * @param keys sorted and distinct: (position - start of the part) * slots + slot @param size positions in the part
 * @returns null if too many pairs share one position
 */
export function encodePairs(keys: Float64Array, size: number, slots: number): Uint32Array | null {
  const { parameter, bitsPerEntry } = bestRice(keys.length, size * slots);
  const widest = Math.min(size, Math.floor(0x7fffffff / slots));
  let width = Math.round((size * BUCKET_BITS) / (keys.length * bitsPerEntry));
  width = Math.min(widest, Math.max(1, width));
  for (;;) {
    const rice = encodeRice(keys, size, SECTION_RICE | (parameter << 16), width, slots);
    if (rice !== null || width === 1) return rice;
    width = Math.max(1, Math.floor(width * NARROWER));
  }
}

function complementOf(suffixes: Uint32Array, size: number): Uint32Array {
  const rest = new Uint32Array(size - suffixes.length);
  let at = 0;
  let next = 0;
  for (let suffix = 0; suffix < size; suffix++) {
    if (suffix === suffixes[next]) next++;
    else rest[at++] = suffix;
  }
  return rest;
}

/**
 * Returns the Rice parameter with the shortest expected code, and the length of that code in bits per entry.
 * Gaps are geometric with ratio q = 1 - density: parameter k costs k + 1 + q^(2^k) / (1 - q^(2^k)).
 */
export function bestRice(count: number, size: number): { parameter: number; bitsPerEntry: number } {
  const q = 1 - Math.min(count / size, 1 - 1e-9);
  let best = { parameter: 0, bitsPerEntry: Number.POSITIVE_INFINITY };
  for (let parameter = 0; parameter <= 27; parameter++) {
    const suffix = q ** (2 ** parameter);
    const bitsPerEntry = parameter + 1 + suffix / (1 - suffix);
    if (bitsPerEntry < best.bitsPerEntry) best = { parameter, bitsPerEntry };
  }
  return best;
}

/**
 * @param first the section's first word @param width suffixes in a bucket @param slots keys for each suffix
 * @returns null if a bucket has more bits than its length can state
 */
function encodeRice(
  keys: Uint32Array | Float64Array,
  size: number,
  first: number,
  width: number,
  slots = 1,
): Uint32Array | null {
  const parameter = first >>> 16;
  const buckets = Math.ceil(size / width);
  const index = new Uint32Array(Math.ceil(buckets / (1 << RICE_GROUP_SHIFT)) * RICE_GROUP_WORDS);
  const writer = new BitWriter();
  let next = 0;
  for (let bucket = 0; bucket < buckets; bucket++) {
    const row = (bucket >>> RICE_GROUP_SHIFT) * RICE_GROUP_WORDS;
    const place = bucket & ((1 << RICE_GROUP_SHIFT) - 1);
    const start = writer.length;
    if (place === 0) index[row] = start;
    const end = (bucket + 1) * width * slots;
    let last = bucket * width * slots - 1;
    while (next < keys.length && keys[next]! < end) {
      writer.writeRice(keys[next]! - last - 1, parameter);
      last = keys[next++]!;
    }
    const length = writer.length - start;
    if (length > RICE_LENGTH_MASK) return null;
    index[row + 1 + (place >>> 2)]! |= length << ((place & 3) << 3);
  }
  const bits = writer.words();
  const words = new Uint32Array(RICE_HEADER_WORDS + index.length + bits.length + 1);
  words.set([first, keys.length, width, buckets]);
  words.set(index, RICE_HEADER_WORDS);
  words.set(bits, RICE_HEADER_WORDS + index.length);
  return words;
}

function encodeBitmap(suffixes: Uint32Array, size: number): Uint32Array {
  const words = new Uint32Array(BITMAP_HEADER_WORDS + Math.ceil(size / 32));
  words.set([SECTION_BITMAP, suffixes.length]);
  for (const suffix of suffixes) words[BITMAP_HEADER_WORDS + (suffix >>> 5)]! |= 0x80000000 >>> (suffix & 31);
  return words;
}
