/**
 * How many numbers a client may ask for a minute. Counted in the isolate, so that no request waits; the rate
 * limit binding, which counts for the whole data centre, is told in the background, and stops a client that asks
 * many isolates. A brake against abuse, not an account.
 *
 * What is counted are the numbers that a client sends, each `from` and each `to`: one for each number that it may
 * learn something about. Every request and every item counts at least one, whatever it asks.
 */
import type { Client } from '../shared/clients.ts';
import { isRecord } from '../shared/fields.ts';
import {
  QUOTA_FLUSH_MS,
  QUOTA_FLUSH_NUMBERS,
  QUOTA_FLUSH_SHARE,
  QUOTA_WINDOW_SECONDS,
} from '../shared/limits.ts';
import { type Problem, problem } from './http.ts';

/** The binding's limit in wrangler.toml: a client's whole quota, in parts of it. */
const QUOTA_PARTS = 10_000;

const WINDOW_MS = QUOTA_WINDOW_SECONDS * 1000;

/** Numbers that a question, or the defaults of a batch, have: read before they are parsed. */
export function numbersIn(question: unknown): number {
  if (!isRecord(question)) return 0;
  return (question.from === undefined ? 0 : 1) + (question.to === undefined ? 0 : 1);
}

/** What one item counts. */
export function countOf(item: unknown): number {
  return Math.max(1, numbersIn(item));
}

interface Use {
  window: number;
  numbers: number;
  unreported: number;
  reportedAt: number;
  /** The data centre said that the quota of this window is used up. */
  exceeded: boolean;
}

/** The numbers of one request. */
interface RequestCount {
  readonly numbers: number;
  /** How many of them are counted already. */
  readonly counted: number;
}

/** What came of counting. */
interface ChargeResult {
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
    const fresh = { window, numbers: 0, unreported: 0, reportedAt: now, exceeded: false };
    this.#uses.set(client.id, fresh);
    return fresh;
  }

  /** Count the numbers of a request that are not counted yet, unless they are too many. */
  charge(client: Client, count: RequestCount, binding: RateLimit, ctx: ExecutionContext): ChargeResult {
    const now = Date.now();
    const use = this.#useOf(client, now);
    const refused = refusalOf(client, count, use, now);
    if (refused === null) this.#add(count.numbers - count.counted, client, use, now, binding, ctx);
    return { refused, headers: headersOf(client, use, now) };
  }

  /** Count as many of these numbers as fit into the window. @returns how many */
  take(client: Client, numbers: number, binding: RateLimit, ctx: ExecutionContext): number {
    const now = Date.now();
    const use = this.#useOf(client, now);
    const count = use.exceeded ? 0 : Math.min(numbers, client.quotaNumbers - use.numbers);
    if (count <= 0) return 0;
    this.#add(count, client, use, now, binding, ctx);
    return count;
  }

  #add(
    numbers: number,
    client: Client,
    use: Use,
    now: number,
    binding: RateLimit,
    ctx: ExecutionContext,
  ): void {
    use.numbers += numbers;
    use.unreported += numbers;
    const enough = Math.min(QUOTA_FLUSH_NUMBERS, client.quotaNumbers * QUOTA_FLUSH_SHARE);
    if (use.unreported >= enough || now - use.reportedAt > QUOTA_FLUSH_MS) {
      this.#report(client, use, now, binding, ctx);
    }
  }

  #report(client: Client, use: Use, now: number, binding: RateLimit, ctx: ExecutionContext): void {
    const parts = Math.floor((use.unreported * QUOTA_PARTS) / client.quotaNumbers);
    if (parts === 0) return;
    use.unreported -= Math.ceil((parts * client.quotaNumbers) / QUOTA_PARTS);
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

function refusalOf(
  { quotaNumbers }: Client,
  { numbers, counted }: RequestCount,
  use: Use,
  now: number,
): Problem | null {
  if (numbers > quotaNumbers) {
    const message = `${numbers} numbers are more than the whole quota of ${quotaNumbers}: send fewer at once, or have the quota raised`;
    return problem('QUOTA_EXCEEDED', message);
  }
  if (!use.exceeded && use.numbers + numbers - counted <= quotaNumbers) return null;
  const message = `at most ${quotaNumbers} numbers in ${QUOTA_WINDOW_SECONDS} s; try again when the window ends`;
  return problem('QUOTA_EXCEEDED', message, { headers: { 'retry-after': String(secondsLeft(now)) } });
}

/** `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers). */
function headersOf(
  { quotaNumbers }: Client,
  { numbers, exceeded }: Use,
  now: number,
): Record<string, string> {
  const remaining = exceeded ? 0 : Math.max(0, quotaNumbers - numbers);
  return {
    'ratelimit-policy': `"numbers";q=${quotaNumbers};w=${QUOTA_WINDOW_SECONDS}`,
    ratelimit: `"numbers";r=${remaining};t=${secondsLeft(now)}`,
  };
}

/** Until the window ends, in seconds, rounded up. */
function secondsLeft(now: number): number {
  return Math.ceil((WINDOW_MS - (now % WINDOW_MS)) / 1000);
}
