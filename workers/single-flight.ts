/**
 * One load for many waiting requests, and never a hang.
 * A promise of one request may be awaited by another only while its creator lives, so the load is
 * anchored with `waitUntil`, and each waiter still races it against a timer of its own (compatibility
 * dates before 2024-09 hang instead of throwing). After a failure nobody tries again for a while.
 */
import { LOAD_BACKOFF_MS, LOAD_WAIT_MS } from '../shared/limits.ts';

/** The load failed, or did not end in time. */
export class Unavailable extends Error {
  override readonly name = 'Unavailable';
}

/** The value, or Unavailable when it takes longer than `waitMs`. */
export async function within<Value>(promise: Promise<Value>, waitMs: number): Promise<Value> {
  let timer: number | null = null;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Unavailable(`not loaded within ${waitMs} ms`)), waitMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

export class SingleFlight {
  #inflight: Promise<void> | null = null;
  #startedAt = 0;
  #retryAt = 0;

  /** Whether a load started now would only be the one already under way, or too soon after a failure. */
  #busy(now: number): boolean {
    return (this.#inflight !== null && now - this.#startedAt < LOAD_WAIT_MS) || now < this.#retryAt;
  }

  /** The load under way, unless it takes too long already. */
  #young(): Promise<void> | null {
    return Date.now() - this.#startedAt < LOAD_WAIT_MS ? this.#inflight : null;
  }

  #start(load: () => Promise<void>, ctx: ExecutionContext): Promise<void> {
    this.#startedAt = Date.now();
    const flight: Promise<void> = load()
      .catch((error: unknown) => {
        this.#retryAt = Date.now() + LOAD_BACKOFF_MS;
        throw error;
      })
      .finally(() => {
        if (this.#inflight === flight) this.#inflight = null;
      });
    this.#inflight = flight;
    ctx.waitUntil(flight.catch(() => undefined));
    return flight;
  }

  /** Load in the background, unless that is under way. */
  refresh(load: () => Promise<void>, ctx: ExecutionContext): void {
    if (!this.#busy(Date.now())) this.#start(load, ctx).catch(() => undefined);
  }

  /**
   * Wait until loaded, with others if they are waiting already.
   * @param loaded asked again after each wait: another request's load may have ended meanwhile
   * @throws Unavailable within LOAD_WAIT_MS
   */
  async wait(load: () => Promise<void>, loaded: () => boolean, ctx: ExecutionContext): Promise<void> {
    const deadline = Date.now() + LOAD_WAIT_MS;
    const first = this.#young();
    if (first !== null) {
      try {
        await within(first, LOAD_WAIT_MS);
      } catch {
        // The creator died, the load failed, or time ran out: decide below.
      }
      if (loaded()) return;
    }
    const leftMs = deadline - Date.now();
    if (leftMs <= 0) throw new Unavailable(`not loaded within ${LOAD_WAIT_MS} ms`);
    if (Date.now() < this.#retryAt) throw new Unavailable('the last load failed');
    // Another waiter may have started again. The load that failed us is not joined twice: if its creator
    // died, it never settles.
    const again = this.#young();
    const joined = again === first ? null : again;
    try {
      await within(joined ?? this.#start(load, ctx), leftMs);
    } catch (error) {
      throw error instanceof Unavailable ? error : new Unavailable('the load failed');
    }
  }
}
