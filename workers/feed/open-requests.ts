/** Counts the requests of each client that are open in an isolate: those that wait for events. */
import { FEED_OPEN_MAX } from '../../shared/limits/feed-http.ts';

export class OpenRequests {
  readonly #byClient = new Map<string, number>();

  /** @returns ends the request, once; null if too many are open */
  begin(client: string): (() => void) | null {
    const open = this.#byClient.get(client) ?? 0;
    if (open >= FEED_OPEN_MAX) return null;
    this.#byClient.set(client, open + 1);
    let isOpen = true;
    return () => {
      if (!isOpen) return;
      isOpen = false;
      const left = (this.#byClient.get(client) ?? 1) - 1;
      if (left > 0) this.#byClient.set(client, left);
      else this.#byClient.delete(client);
    };
  }
}
