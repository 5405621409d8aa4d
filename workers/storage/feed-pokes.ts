/**
 * Calls the feed after the response when something has changed: one call at a time, and one more for all changes during
 * that call. If a call is lost, the cron of the feed finds the change within a minute.
 */
import type { FeedObject } from './feed-port.ts';

export class FeedPokes {
  readonly #ctx: DurableObjectState;
  readonly #feed: (() => FeedObject) | null;
  #isRunning = false;
  #isWanted = false;

  /** @param feed null if there is no feed */
  constructor(ctx: DurableObjectState, feed: (() => FeedObject) | null) {
    this.#ctx = ctx;
    this.#feed = feed;
  }

  poke(): void {
    if (this.#feed === null) return;
    this.#isWanted = true;
    if (!this.#isRunning) this.#ctx.waitUntil(this.#run(this.#feed));
  }

  async #run(feed: () => FeedObject): Promise<void> {
    this.#isRunning = true;
    while (this.#isWanted) {
      this.#isWanted = false;
      try {
        await feed().poke();
      } catch {
        // The cron of the feed finds the change.
      }
    }
    this.#isRunning = false;
  }
}
