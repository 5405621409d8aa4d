/** The requests that wait for the next event: a bounded number, each for a bounded time. */
import { FEED_WAIT_MS_MAX, FEED_WAITING_MAX } from '../../shared/limits/feed.ts';

export class Waiting {
  readonly #wakes = new Set<() => void>();

  get count(): number {
    return this.#wakes.size;
  }

  /** Resolves after the next event, or after `waitMs`. Resolves at once if too many requests wait. */
  async next(waitMs: number): Promise<void> {
    if (this.#wakes.size >= FEED_WAITING_MAX) return;
    const limit = Math.min(waitMs, FEED_WAIT_MS_MAX);
    let wake = (): void => undefined;
    let timer: ReturnType<typeof setTimeout> | null = null;
    await new Promise<void>((resolve) => {
      wake = resolve;
      timer = setTimeout(resolve, limit);
      this.#wakes.add(wake);
    });
    clearTimeout(timer);
    this.#wakes.delete(wake);
  }

  wakeAll(): void {
    for (const wake of this.#wakes) wake();
  }
}
