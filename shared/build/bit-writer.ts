/**
 * Appends bits to a growing array of 32-bit words, first bit most significant. BitReader reads them.
 */

export class BitWriter {
  #words = new Uint32Array(1024);
  /** Bits written. */
  length = 0;

  #reserve(bits: number): void {
    const need = ((this.length + bits) >>> 5) + 2;
    if (need <= this.#words.length) return;
    const grown = new Uint32Array(Math.max(need, this.#words.length * 2));
    grown.set(this.#words);
    this.#words = grown;
  }

  /** @param value below 2^bits @param bits 0 to 32 */
  write(value: number, bits: number): void {
    if (bits === 0) return;
    this.#reserve(bits);
    const word = this.length >>> 5;
    const room = 32 - (this.length & 31);
    if (bits <= room) {
      this.#words[word]! |= value << (room - bits);
    } else {
      this.#words[word]! |= value >>> (bits - room);
      this.#words[word + 1]! |= value << (32 - (bits - room));
    }
    this.length += bits;
  }

  /** Writes `zeros` zeros and a one. */
  writeUnary(zeros: number): void {
    this.#reserve(zeros + 1);
    this.length += zeros;
    this.write(1, 1);
  }

  /** @param parameter bits of the remainder, 0 to 31 */
  writeRice(value: number, parameter: number): void {
    const unit = (1 << parameter) >>> 0;
    const quotient = Math.floor(value / unit);
    const remainder = value - quotient * unit;
    const bits = quotient + 1 + parameter;
    // Almost always: zeros, one and remainder fit into a single value with leading zeros.
    if (bits <= 32) {
      this.write(unit | remainder, bits);
      return;
    }
    this.writeUnary(quotient);
    this.write(remainder, parameter);
  }

  /** Returns the words written so far. The last word is padded with zeros. */
  words(): Uint32Array {
    return this.#words.slice(0, (this.length + 31) >>> 5);
  }
}
