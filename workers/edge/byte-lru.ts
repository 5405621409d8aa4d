/**
 * A cache bounded by bytes, which drops what was used longest ago.
 */
export class ByteLru<Value> {
  readonly #bytesMax: number;
  readonly #bytesOf: (key: string, value: Value) => number;
  /** In the order of their last use. */
  readonly #held = new Map<string, Value>();
  #bytes = 0;

  /** @param bytesOf must not change while the value is held */
  constructor(bytesMax: number, bytesOf: (key: string, value: Value) => number) {
    this.#bytesMax = bytesMax;
    this.#bytesOf = bytesOf;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get(key: string): Value | undefined {
    const value = this.#held.get(key);
    if (value === undefined) return undefined;
    this.#held.delete(key);
    this.#held.set(key, value);
    return value;
  }

  /** A value that is larger than the cache is not held. */
  set(key: string, value: Value): void {
    this.delete(key);
    this.#held.set(key, value);
    this.#bytes += this.#bytesOf(key, value);
    for (const [oldest] of this.#held) {
      if (this.#bytes <= this.#bytesMax) return;
      this.delete(oldest);
    }
  }

  delete(key: string): void {
    const value = this.#held.get(key);
    if (value === undefined) return;
    this.#held.delete(key);
    this.#bytes -= this.#bytesOf(key, value);
  }
}
