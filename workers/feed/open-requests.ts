/**
 * Counts the open requests of each client in an isolate: requests that wait for events. If a client goes away, the runtime
 * drops its request without calling `end`. So a request counts for a limited time, which streams renew.
 */
import { FEED_OPEN_MAX } from '../../shared/limits/feed-http.ts';

export interface OpenRequest {
  /** Counts for this many ms from now on. */
  renew(ms: number): void;
  end(): void;
}

export class OpenRequests {
  /** When each request stops counting, in ms since 1970. */
  readonly #byClient = new Map<string, Set<{ until: number }>>();

  /** @param ms how long the request counts unless it ends @returns null if too many are open */
  begin(client: string, ms: number): OpenRequest | null {
    const now = Date.now();
    const open = this.#byClient.get(client) ?? new Set();
    for (const each of open) if (each.until <= now) open.delete(each);
    if (open.size >= FEED_OPEN_MAX) return null;
    this.#byClient.set(client, open);
    const own = { until: now + ms };
    open.add(own);
    return {
      renew: (more) => {
        own.until = Date.now() + more;
        open.add(own);
      },
      end: () => {
        open.delete(own);
        if (open.size === 0 && this.#byClient.get(client) === open) this.#byClient.delete(client);
      },
    };
  }
}
