/**
 * Work that follows a response, such as sending an outbox, in one run at a time. After each failure it pauses, each time
 * twice as long. The pause is in memory only: a new object tries at once. An alarm must call `run` at `retryAt`.
 */
export class RetriedWork {
  readonly #retryMs: number;
  readonly #retryMsMax: number;
  readonly #onError: (error: unknown) => void;
  #running: Promise<void> | null = null;
  #wanted: (() => Promise<void>) | null = null;
  /** Number of failures in a row. */
  #failures = 0;
  #retryAt = 0;

  /** @param onError receives errors that the work throws */
  constructor(retryMs: number, retryMsMax: number, onError: (error: unknown) => void) {
    this.#retryMs = retryMs;
    this.#retryMsMax = retryMsMax;
    this.#onError = onError;
  }

  /** The time before which `run` does nothing, in ms since 1970. */
  get retryAt(): number {
    return this.#retryAt;
  }

  /**
   * Runs the work, unless a retry is not due. A call during a run adds another run. Never throws.
   * @param work ends once nothing is left to do. It calls `pause` or throws if it must be retried
   */
  run(work: () => Promise<void>): Promise<void> {
    this.#wanted = work;
    this.#running ??= this.#runAll().finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  /** Records that some of the work succeeded, so that the next pause is short again. */
  progressed(): void {
    this.#failures = 0;
  }

  /** Does nothing more until the next retry. */
  pause(): void {
    this.#retryAt = Date.now() + Math.min(this.#retryMs * 2 ** this.#failures, this.#retryMsMax);
    this.#failures = Math.min(this.#failures + 1, 20);
  }

  async #runAll(): Promise<void> {
    for (let work = this.#wanted; work !== null && Date.now() >= this.#retryAt; work = this.#wanted) {
      this.#wanted = null;
      try {
        await work();
      } catch (error) {
        this.#onError(error);
        this.pause();
      }
    }
    this.#wanted = null;
  }
}
