/**
 * A filter in front of a slower look-up, for keys of two 32-bit words. It has no false negatives. Nearly every absent
 * key costs only one read.
 */

/** The smallest power of two that is at least `least` and at least 2. */
export function powerOfTwo(least: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(2, least)));
}

/** The upper bits are well distributed, even for consecutive numbers. */
export function hashOf(high: number, low: number): number {
  return Math.imul(low ^ Math.imul(high, 0x85ebca6b), 0x9e3779b1);
}

/** The three bits of a key in its word of the filter. In a large filter, further bits of the hash select the word. */
function bitsOf(hash: number): number {
  return (1 << (hash & 31)) | (1 << ((hash >>> 5) & 31)) | (1 << ((hash >>> 10) & 31));
}

export class KeyFilter {
  readonly #words: Uint32Array;
  /** The bits of a hash above this shift select its word. */
  readonly #shift: number;

  /** @param words minimum count of words; the filter rounds it up to a power of two */
  constructor(words: number) {
    this.#words = new Uint32Array(powerOfTwo(words));
    this.#shift = Math.clz32(this.#words.length - 1);
  }

  /** @param hash of `hashOf` */
  add(hash: number): void {
    this.#words[hash >>> this.#shift]! |= bitsOf(hash);
  }

  /** False if no key with this hash was added. */
  mayHave(hash: number): boolean {
    const bits = bitsOf(hash);
    return (this.#words[hash >>> this.#shift]! & bits) === bits;
  }
}
