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

/** Code bits of a bucket: the index costs 9 bits per bucket, and a look-up decodes half a bucket. */
const BUCKET_BITS = 96;
/** Factor by which buckets become narrower if one of them was too full. */
const NARROWER = 7 / 8;

/**
 * @param suffixes sorted distinct suffixes, relative to the start of the part @param size suffixes in the
 * part
 */
export function encodeDense(suffixes: Uint32Array, size: number): Uint32Array {
  const bitmapWords = BITMAP_HEADER_WORDS + Math.ceil(size / 32);
  const complement = suffixes.length > size / 2;
  const fewer = Math.max(1, complement ? size - suffixes.length : suffixes.length);
  // If a bitmap is certain to be smaller, skip the Rice encoding.
  if (fewer * bestRice(fewer, size).bitsPerEntry > size) return encodeBitmap(suffixes, size);
  const encoded = complement ? complementOf(suffixes, size) : suffixes;
  const flags = complement ? FLAG_COMPLEMENT : 0;
  const rice = encodeRice(encoded, size, flags);
  return rice.length <= bitmapWords ? rice : encodeBitmap(suffixes, size);
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
 * The Rice parameter with the shortest expected code, and that length in bits per entry.
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

function encodeRice(suffixes: Uint32Array, size: number, flags: number): Uint32Array {
  const { parameter, bitsPerEntry } = bestRice(Math.max(suffixes.length, 1), size);
  const bits = Math.max(suffixes.length, 1) * bitsPerEntry;
  let width = Math.min(size, Math.max(1, Math.round((size * BUCKET_BITS) / bits)));
  for (;;) {
    const section = tryRice(suffixes, size, flags, parameter, width);
    if (section !== null) return section;
    // A bucket was too full. Permuted suffixes are uniform, so this is one of very many buckets, or crafted
    // input. Narrower buckets always succeed in the end: a bucket of one suffix has a code of at most 32
    // bits.
    width = Math.max(1, Math.floor(width * NARROWER));
  }
}

function tryRice(
  suffixes: Uint32Array,
  size: number,
  flags: number,
  parameter: number,
  width: number,
): Uint32Array | null {
  const buckets = Math.ceil(size / width);
  const index = new Uint32Array(Math.ceil(buckets / (1 << RICE_GROUP_SHIFT)) * RICE_GROUP_WORDS);
  const writer = new BitWriter();
  let next = 0;
  for (let bucket = 0; bucket < buckets; bucket++) {
    const row = (bucket >>> RICE_GROUP_SHIFT) * RICE_GROUP_WORDS;
    const place = bucket & ((1 << RICE_GROUP_SHIFT) - 1);
    const start = writer.length;
    if (place === 0) index[row] = start;
    const end = (bucket + 1) * width;
    let last = bucket * width - 1;
    while (next < suffixes.length && suffixes[next]! < end) {
      writer.writeRice(suffixes[next]! - last - 1, parameter);
      last = suffixes[next++]!;
    }
    const length = writer.length - start;
    if (length > RICE_LENGTH_MASK) return null;
    index[row + 1 + (place >>> 2)]! |= length << ((place & 3) << 3);
  }
  const bits = writer.words();
  const words = new Uint32Array(RICE_HEADER_WORDS + index.length + bits.length + 1);
  words.set([SECTION_RICE | (flags << 8) | (parameter << 16), suffixes.length, width, buckets]);
  words.set(index, RICE_HEADER_WORDS);
  words.set(bits, RICE_HEADER_WORDS + index.length);
  return words;
}

function encodeBitmap(suffixes: Uint32Array, size: number): Uint32Array {
  const words = new Uint32Array(BITMAP_HEADER_WORDS + Math.ceil(size / 32));
  words[0] = SECTION_BITMAP;
  words[1] = suffixes.length;
  for (let index = 0; index < suffixes.length; index++) {
    const suffix = suffixes[index]!;
    words[BITMAP_HEADER_WORDS + (suffix >>> 5)]! |= 0x80000000 >>> (suffix & 31);
  }
  return words;
}
