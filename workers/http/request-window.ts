/**
 * Counts requests of an isolate in windows of fixed length, by source and in total. Over the total limit, no
 * further sources are stored.
 */
export class RequestWindow {
  readonly #windowMs: number;
  readonly #sourceMax: number;
  readonly #totalMax: number;
  /** End of the window, in ms since 1970. */
  #ends = 0;
  #total = 0;
  readonly #bySource = new Map<string, number>();

  /** @param sourceMax maximum requests of one source in `windowMs` @param totalMax the same for all sources */
  constructor(windowMs: number, sourceMax: number, totalMax: number) {
    this.#windowMs = windowMs;
    this.#sourceMax = sourceMax;
    this.#totalMax = totalMax;
  }

  /**
   * Begins a new window if the last one has ended.
   * @param now ms since 1970 @returns whether a new window began
   */
  advance(now: number): boolean {
    if (now < this.#ends) return false;
    this.#ends = now + this.#windowMs;
    this.#total = 0;
    this.#bySource.clear();
    return true;
  }

  /** Call `advance` first. @param source null to count only the total */
  count(source: string | null): void {
    this.#total++;
    if (source !== null && this.#total <= this.#totalMax)
      this.#bySource.set(source, (this.#bySource.get(source) ?? 0) + 1);
  }

  /** Seconds until the window ends, if it had too many requests; otherwise null. */
  limited(source: string | null, now: number): number | null {
    if (now >= this.#ends) return null;
    const isOver =
      this.#total >= this.#totalMax ||
      (source !== null && (this.#bySource.get(source) ?? 0) >= this.#sourceMax);
    return isOver ? Math.ceil((this.#ends - now) / 1000) : null;
  }
}
