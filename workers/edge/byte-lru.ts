/**
 * A cache with a limit in bytes. It evicts the least recently used values first.
 */
export class ByteLru<Value> {
  readonly #bytesMax: number;
  readonly #bytesOf: (key: string, value: Value) => number;
  /** In the order of last use, oldest first. */
  readonly #held = new Map<string, Value>();
  #bytes = 0;

  /** @param bytesOf the size of a value, which must not change while the cache holds the value */
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

  /** A value that is larger than the cache evicts all values, including itself. */
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
