/**
 * One load shared by many requests, without ever hanging. A request may await another request's promise only
 * while that request lives. So the load is kept alive with `waitUntil`, and each waiter also races it against
 * its own timer (compatibility dates before 2024-09 hang instead of throwing). After a failure there is a
 * pause before the next attempt.
 */
import { LOAD_BACKOFF_MS, LOAD_WAIT_MS } from '../../shared/limits/edge.ts';

/** The load failed or timed out. */
export class Unavailable extends Error {
  override readonly name = 'Unavailable';
}

/**
 * The value of the promise.
 * @throws Unavailable after `waitMs`
 */
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

  /** The load under way, unless it has already taken too long. */
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

  /** Loads in the background, unless a load is already under way, or the last one failed too recently. */
  refresh(load: () => Promise<void>, ctx: ExecutionContext): void {
    if (this.#young() !== null || Date.now() < this.#retryAt) return;
    this.#start(load, ctx).catch(() => undefined);
  }

  /**
   * Waits until loaded, together with other waiters.
   * @param loaded checked again after each wait, because another request's load may have finished meanwhile
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
    // Another waiter may have started a new load. Do not join the same failed load twice: if its creator
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
