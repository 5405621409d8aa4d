/**
 * How many items a client may have checked a minute. Counted in the isolate, so that no request waits;
 * the rate limit binding, which counts for the whole data centre, is told in the background, and stops
 * a client that asks many isolates. A brake against abuse, not an account.
 */
import type { Client } from '../shared/clients.ts';
import { QUOTA_FLUSH_ITEMS, QUOTA_FLUSH_MS, QUOTA_WINDOW_SECONDS } from '../shared/limits.ts';
import { type Problem, problem } from './http.ts';

/** The binding's limit in wrangler.toml: a client's whole quota, in parts of it. */
const QUOTA_PARTS = 10_000;

const WINDOW_MS = QUOTA_WINDOW_SECONDS * 1000;

interface Use {
  window: number;
  items: number;
  unreported: number;
  reportedAt: number;
  /** The data centre said that the quota of this window is used up. */
  exceeded: boolean;
}

/** What came of counting. */
interface Charged {
  /** The 429 to answer with, or null. */
  readonly refused: Problem | null;
  /** What is left, for whatever is answered. */
  readonly headers: Record<string, string>;
}

export class Quota {
  readonly #uses = new Map<string, Use>();

  #useOf(client: Client, now: number): Use {
    const window = Math.floor(now / WINDOW_MS);
    const use = this.#uses.get(client.id);
    if (use !== undefined && use.window === window) return use;
    const fresh = { window, items: 0, unreported: 0, reportedAt: now, exceeded: false };
    this.#uses.set(client.id, fresh);
    return fresh;
  }

  /** Count items, unless they are too many. */
  charge(client: Client, items: number, binding: RateLimit, ctx: ExecutionContext): Charged {
    const now = Date.now();
    const use = this.#useOf(client, now);
    const refused = refusalOf(client, items, use, now);
    if (refused === null) this.#add(items, client, use, now, binding, ctx);
    return { refused, headers: headersOf(client, use, now) };
  }

  /** Count as many of these items as fit into the window. @returns how many */
  take(client: Client, items: number, binding: RateLimit, ctx: ExecutionContext): number {
    const now = Date.now();
    const use = this.#useOf(client, now);
    const count = use.exceeded ? 0 : Math.min(items, client.quotaItems - use.items);
    if (count <= 0) return 0;
    this.#add(count, client, use, now, binding, ctx);
    return count;
  }

  #add(
    items: number,
    client: Client,
    use: Use,
    now: number,
    binding: RateLimit,
    ctx: ExecutionContext,
  ): void {
    use.items += items;
    use.unreported += items;
    if (use.unreported >= QUOTA_FLUSH_ITEMS || now - use.reportedAt > QUOTA_FLUSH_MS) {
      this.#report(client, use, now, binding, ctx);
    }
  }

  #report(client: Client, use: Use, now: number, binding: RateLimit, ctx: ExecutionContext): void {
    const parts = Math.floor((use.unreported * QUOTA_PARTS) / client.quotaItems);
    if (parts === 0) return;
    use.unreported -= Math.ceil((parts * client.quotaItems) / QUOTA_PARTS);
    use.reportedAt = now;
    const told = Promise.resolve()
      .then(() => binding.limit({ key: client.id, delta: parts }))
      .then(
        ({ success }) => {
          if (!success) use.exceeded = true;
        },
        // Without the shared counter, the isolate's own still holds.
        () => undefined,
      );
    ctx.waitUntil(told);
  }
}

function refusalOf({ quotaItems }: Client, items: number, use: Use, now: number): Problem | null {
  if (items > quotaItems) {
    const message = `${items} items are more than the whole quota of ${quotaItems}: send fewer`;
    return problem('QUOTA_EXCEEDED', message);
  }
  if (!use.exceeded && use.items + items <= quotaItems) return null;
  const message = `at most ${quotaItems} items in ${QUOTA_WINDOW_SECONDS} s; try again when the window ends`;
  return problem('QUOTA_EXCEEDED', message, { headers: { 'retry-after': String(secondsLeft(now)) } });
}

/** `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers). */
function headersOf({ quotaItems }: Client, { items, exceeded }: Use, now: number): Record<string, string> {
  const remaining = exceeded ? 0 : Math.max(0, quotaItems - items);
  return {
    'ratelimit-policy': `"items";q=${quotaItems};w=${QUOTA_WINDOW_SECONDS}`,
    ratelimit: `"items";r=${remaining};t=${secondsLeft(now)}`,
  };
}

/** Until the window ends, in seconds, rounded up. */
function secondsLeft(now: number): number {
  return Math.ceil((WINDOW_MS - (now % WINDOW_MS)) / 1000);
}
