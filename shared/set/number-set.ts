/**
 * The interface of every encoding of a set of numbers.
 * Keys are (prefix, permuted suffix). A set covers a slice of that space and accepts only keys inside it.
 */

import { FORMAT_VERSION, HEADER_WORDS } from './layout.ts';

/** Keys in a full batch: 8 KB, so that reading all lists of two releases takes little memory. */
export const BATCH_KEYS = 1_024;

/** Collects the keys of an iteration: `if (batch.add(key)) yield batch.take();`. */
export class KeyBatch {
  readonly #keys = new Float64Array(BATCH_KEYS);
  count = 0;

  /** @returns whether the batch is full now and must be taken */
  add(key: number): boolean {
    this.#keys[this.count++] = key;
    return this.count === BATCH_KEYS;
  }

  /** Returns the keys so far, and empties the batch. The next key overwrites the returned keys. */
  take(): Float64Array {
    const keys = this.#keys.subarray(0, this.count);
    this.count = 0;
    return keys;
  }
}

/** Returned if the number is not in the set, in place of its `until`. */
export const NOT_LISTED = -1;

export interface NumberSet {
  /** Count of listed keys. */
  readonly count: number;
  /** Whether the key is listed. Allocates nothing. @param slot @param mask only in a set of pairs: see RiceSet */
  has(prefix: number, permutedSuffix: number, slot?: number, mask?: number): boolean;
  /**
   * Every listed key (prefix * 10^8 + permuted suffix) in ascending order, in batches. A batch is never
   * empty, and is valid only until the next one is requested.
   * @param start first key of the part
   */
  keys(start: number): Iterable<Float64Array>;
}

/** Thrown if bytes do not have the layout that their header states. The whole value is rejected. */
export class LayoutError extends Error {
  override readonly name = 'LayoutError';
}

/**
 * The words of a value with a header of magic and format version. The words and the bytes share memory.
 * @param name of the value, for errors @param alignment of the bytes and their length
 * @throws LayoutError
 */
export function openWords(
  bytes: Uint8Array<ArrayBuffer>,
  magic: number,
  name: string,
  alignment = 4,
): Uint32Array<ArrayBuffer> {
  if (bytes.byteOffset % alignment !== 0 || bytes.length % alignment !== 0 || bytes.length < HEADER_WORDS * 4)
    throw new LayoutError(`${name}: truncated`);
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  if (words[0] !== magic) throw new LayoutError(`${name}: not a ${name}`);
  if (words[1] !== FORMAT_VERSION) throw new LayoutError(`${name}: format ${words[1]} is not supported`);
  return words;
}
