/**
 * Builder of the sections that hold one head's slice: Rice, its complement, or a bitmap, whichever
 * is smallest. Reads: sorted distinct tails. Writes: the words that RiceSet and BitmapSet open.
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

/** Code bits of a bucket: the index costs 9 bits a bucket, a query decodes half a bucket. */
const BUCKET_BITS = 96;
/** How much narrower the buckets become when one of them was too full. */
const NARROWER = 7 / 8;

/** @param tails sorted distinct tails of the part, counted from its first @param size tails in the part */
export function encodeDense(tails: Uint32Array, size: number): Uint32Array {
  const bitmapWords = BITMAP_HEADER_WORDS + Math.ceil(size / 32);
  const complement = tails.length > size / 2;
  const fewer = Math.max(1, complement ? size - tails.length : tails.length);
  // Where a bitmap is sure to be smaller, no code is made to see it.
  if (fewer * bestRice(fewer, size).bitsPerEntry > size) return encodeBitmap(tails, size);
  const encoded = complement ? complementOf(tails, size) : tails;
  const flags = complement ? FLAG_COMPLEMENT : 0;
  const rice = encodeRice(encoded, size, flags);
  return rice.length <= bitmapWords ? rice : encodeBitmap(tails, size);
}

function complementOf(tails: Uint32Array, size: number): Uint32Array {
  const rest = new Uint32Array(size - tails.length);
  let at = 0;
  let next = 0;
  for (let tail = 0; tail < size; tail++) {
    if (tail === tails[next]) next++;
    else rest[at++] = tail;
  }
  return rest;
}

/**
 * The Rice parameter with the shortest expected code, and that length in bits an entry.
 * Gaps are geometric with ratio q = 1 - density: parameter k costs k + 1 + q^(2^k) / (1 - q^(2^k)).
 */
export function bestRice(count: number, size: number): { parameter: number; bitsPerEntry: number } {
  const q = 1 - Math.min(count / size, 1 - 1e-9);
  let best = { parameter: 0, bitsPerEntry: Number.POSITIVE_INFINITY };
  for (let parameter = 0; parameter <= 27; parameter++) {
    const tail = q ** (2 ** parameter);
    const bitsPerEntry = parameter + 1 + tail / (1 - tail);
    if (bitsPerEntry < best.bitsPerEntry) best = { parameter, bitsPerEntry };
  }
  return best;
}

function encodeRice(tails: Uint32Array, size: number, flags: number): Uint32Array {
  const { parameter, bitsPerEntry } = bestRice(Math.max(tails.length, 1), size);
  const bits = Math.max(tails.length, 1) * bitsPerEntry;
  let width = Math.min(size, Math.max(1, Math.round((size * BUCKET_BITS) / bits)));
  for (;;) {
    const section = tryRice(tails, size, flags, parameter, width);
    if (section !== null) return section;
    // A bucket was too full. Permuted tails are uniform, so it is one of very many, or the input was made
    // to be bad; narrower buckets end it, since a code is no longer than 32 bits where a bucket is one tail.
    width = Math.max(1, Math.floor(width * NARROWER));
  }
}

function tryRice(
  tails: Uint32Array,
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
    while (next < tails.length && tails[next]! < end) {
      writer.writeRice(tails[next]! - last - 1, parameter);
      last = tails[next++]!;
    }
    const length = writer.length - start;
    if (length > RICE_LENGTH_MASK) return null;
    index[row + 1 + (place >>> 2)]! |= length << ((place & 3) << 3);
  }
  const bits = writer.words();
  const words = new Uint32Array(RICE_HEADER_WORDS + index.length + bits.length + 1);
  words.set([SECTION_RICE | (flags << 8) | (parameter << 16), tails.length, width, buckets]);
  words.set(index, RICE_HEADER_WORDS);
  words.set(bits, RICE_HEADER_WORDS + index.length);
  return words;
}

function encodeBitmap(tails: Uint32Array, size: number): Uint32Array {
  const words = new Uint32Array(BITMAP_HEADER_WORDS + Math.ceil(size / 32));
  words[0] = SECTION_BITMAP;
  words[1] = tails.length;
  for (let index = 0; index < tails.length; index++) {
    const tail = tails[index]!;
    words[BITMAP_HEADER_WORDS + (tail >>> 5)]! |= 0x80000000 >>> (tail & 31);
  }
  return words;
}
