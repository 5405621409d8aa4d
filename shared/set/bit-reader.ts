/**
 * Sequential reader of a bit stream (first bit most significant), for encodings whose look-ups decode little.
 * RiceSet has its own loop without this object.
 */

export class BitReader {
  readonly #words: Int32Array;
  readonly #origin: number;
  #bit = 0;

  /** @param origin first word of the stream; bits after the last word read as 0 */
  constructor(words: Int32Array, origin: number) {
    this.#words = words;
    this.#origin = origin;
  }

  seek(bit: number): void {
    this.#bit = bit;
  }

  /** Bits read so far, from the start of the stream. */
  get position(): number {
    return this.#bit;
  }

  #word(index: number): number {
    const at = this.#origin + index;
    return at < this.#words.length ? this.#words[at]! : 0;
  }

  #window(): number {
    const shift = this.#bit & 31;
    const word = this.#bit >>> 5;
    return ((this.#word(word) << shift) | ((this.#word(word + 1) >>> 1) >>> (31 - shift))) >>> 0;
  }

  /** @param bits 0 to 32 */
  read(bits: number): number {
    if (bits === 0) return 0;
    const value = this.#window() >>> (32 - bits);
    this.#bit += bits;
    return value;
  }

  /** Counts the zeros before the next one bit and consumes both. Stops at the end of the stream. */
  readUnary(): number {
    let zeros = 0;
    for (;;) {
      const window = this.#window();
      if (window !== 0) {
        const lead = Math.clz32(window);
        this.#bit += lead + 1;
        return zeros + lead;
      }
      if (this.#origin + (this.#bit >>> 5) >= this.#words.length) return zeros;
      zeros += 32;
      this.#bit += 32;
    }
  }

  /** A Rice-coded value. @param parameter bits of the remainder */
  readRice(parameter: number): number {
    const quotient = this.readUnary();
    return quotient * 2 ** parameter + this.read(parameter);
  }
}
