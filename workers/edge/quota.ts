/**
 * The quota: how many numbers a client may check per minute. The isolate counts, so no request waits. In the
 * background it reports to the rate limit binding, which counts for the whole data centre and stops a client
 * that uses many isolates. The quota protects against abuse; it is not for billing.
 *
 * Each `from` and each `to` counts as one number, and a text as one for each TEXT_CHARS_PER_NUMBER characters.
 * Every request and every item counts as at least one. The verification of a message token or a PASSporT counts
 * as several: see `takeVerification`.
 */
import { type Client, quotaOf } from '../../shared/clients.ts';
import { isRecord } from '../../shared/fields.ts';
import {
  PASSPORTS_PER_SECOND_MAX,
  SHARD_READS_PER_SECOND_MAX,
  TOKENS_PER_SECOND_MAX,
  VERIFICATION_NUMBERS,
} from '../../shared/limits/credentials.ts';
import { QUOTA_FLUSH_MS } from '../../shared/limits/lists.ts';
import {
  QUOTA_FLUSH_NUMBERS,
  QUOTA_FLUSH_SHARE,
  QUOTA_WINDOW_SECONDS,
} from '../../shared/limits/requests.ts';
import { TEXT_CHARS_MAX, TEXT_CHARS_PER_NUMBER } from '../../shared/limits/text.ts';
import { ok, type Result } from '../../shared/result.ts';
import type { Env } from '../env.ts';
import { type Problem, problem } from '../http/reply.ts';

/** The limit of the binding in wrangler.toml. A client's whole quota is divided into this many parts. */
const QUOTA_PARTS = 10_000;

const WINDOW_MS = QUOTA_WINDOW_SECONDS * 1000;

/** Numbers in an unparsed request, or in the defaults of a batch. */
export function numbersIn(request: unknown): number {
  if (!isRecord(request)) return 0;
  const { from, to, text } = request;
  return (
    (from === undefined ? 0 : 1) + (to === undefined ? 0 : 1) + (text === undefined ? 0 : numbersOf(text))
  );
}

/** Numbers that a text counts as. Caps its length at TEXT_CHARS_MAX, because a longer text is refused unread. */
function numbersOf(text: unknown): number {
  const chars = typeof text === 'string' ? Math.min(text.length, TEXT_CHARS_MAX) : 0;
  return Math.ceil(chars / TEXT_CHARS_PER_NUMBER);
}

/** Numbers that one item counts as. */
export function countOf(item: unknown): number {
  return Math.max(1, numbersIn(item));
}

interface Use {
  window: number;
  numbers: number;
  unreported: number;
  reportedAt: number;
  /** Whether the data centre reported that the quota of this window is used up. */
  exceeded: boolean;
}

/** The binding that counts for the data centre, and the context of the request that reports to it. */
interface ReportContext {
  readonly env: Pick<Env, 'QUOTA'>;
  readonly ctx: ExecutionContext;
}

/** Maximum verifications of an isolate for one client in a second, by kind. */
const PER_SECOND_MAX = { token: TOKENS_PER_SECOND_MAX, passport: PASSPORTS_PER_SECOND_MAX };
type Verified = keyof typeof PER_SECOND_MAX;

export class Quota {
  readonly #uses = new Map<string, Use>();
  /** The second, since 1970, that the following counts by client belong to. */
  #second = 0;
  readonly #verifications = { token: new Map<string, number>(), passport: new Map<string, number>() };
  readonly #shardReads = new Map<string, number>();

  #useOf(client: Client, now: number): Use {
    const window = Math.floor(now / WINDOW_MS);
    const use = this.#uses.get(client.id);
    if (use !== undefined && use.window === window) return use;
    const fresh = { window, numbers: 0, unreported: 0, reportedAt: now, exceeded: false };
    this.#uses.set(client.id, fresh);
    return fresh;
  }

  /**
   * Counts the numbers of a request, or refuses if they exceed the quota.
   * @param counted how many of them are counted already
   * @returns the headers that name the remaining quota; a refusal carries them too
   */
  charge(
    client: Client,
    numbers: number,
    counted: number,
    context: ReportContext,
  ): Result<Record<string, string>, Problem> {
    const now = Date.now();
    const use = this.#useOf(client, now);
    const quotaNumbers = quotaOf(client);
    if (client.restriction === 'stopped') {
      const message =
        'the client is stopped, because checks of its organisation looked like a scan of whole number ranges';
      return problem('QUOTA_EXCEEDED', `${message}; contact the operator of this service`, {
        headers: headersOf(client, use, now),
      });
    }
    if (numbers > quotaNumbers) {
      const message = `${numbers} numbers exceed the whole quota of ${quotaNumbers}: send fewer at once`;
      return problem('QUOTA_EXCEEDED', message, { headers: headersOf(client, use, now) });
    }
    if (use.exceeded || use.numbers + numbers - counted > quotaNumbers) {
      const message = `at most ${quotaNumbers} numbers in ${QUOTA_WINDOW_SECONDS} s are allowed; try again when the window ends`;
      const headers = headersOf(client, use, now);
      return problem('QUOTA_EXCEEDED', message, { headers, retryAfterSeconds: secondsLeft(now) });
    }
    add(numbers - counted, client, use, now, context);
    return ok(headersOf(client, use, now));
  }

  /**
   * Counts the verification of a message token or a PASSporT as VERIFICATION_NUMBERS numbers, but at most as
   * half of the quota, so that a client with a small quota can present a token at all.
   * @returns false if the client has no room for the verification now, in this window or in this second
   */
  takeVerification(client: Client, kind: Verified, context: ReportContext): boolean {
    const now = Date.now();
    this.#beginSecond(now);
    const verifications = this.#verifications[kind].get(client.id) ?? 0;
    if (verifications >= PER_SECOND_MAX[kind]) return false;
    const use = this.#useOf(client, now);
    if (!hasRoomForVerification(client, use)) return false;
    this.#verifications[kind].set(client.id, verifications + 1);
    add(numbersPerVerification(client), client, use, now, context);
    return true;
  }

  /** Seconds after which a refused verification may fit: the next second, or the next window. */
  secondsToVerification(client: Client): number {
    const now = Date.now();
    return hasRoomForVerification(client, this.#useOf(client, now)) ? 1 : secondsLeft(now);
  }

  /**
   * Counts the read of a shard of the credential table.
   * @returns false if the client has reached its limit for this second
   */
  takeShardRead({ id }: Client): boolean {
    this.#beginSecond(Date.now());
    const reads = this.#shardReads.get(id) ?? 0;
    if (reads >= SHARD_READS_PER_SECOND_MAX) return false;
    this.#shardReads.set(id, reads + 1);
    return true;
  }

  #beginSecond(now: number): void {
    const second = Math.floor(now / 1000);
    if (second === this.#second) return;
    this.#second = second;
    this.#verifications.token.clear();
    this.#verifications.passport.clear();
    this.#shardReads.clear();
  }

  /**
   * Counts as many of these numbers as fit into the window.
   * @returns how many it counted
   */
  take(client: Client, numbers: number, context: ReportContext): number {
    const now = Date.now();
    const use = this.#useOf(client, now);
    const count = use.exceeded ? 0 : Math.min(numbers, quotaOf(client) - use.numbers);
    if (count <= 0) return 0;
    add(count, client, use, now, context);
    return count;
  }
}

function numbersPerVerification(client: Client): number {
  return Math.min(VERIFICATION_NUMBERS, Math.ceil(quotaOf(client) / 2));
}

function hasRoomForVerification(client: Client, { exceeded, numbers }: Use): boolean {
  const quotaNumbers = quotaOf(client);
  return !exceeded && quotaNumbers > 0 && numbers + numbersPerVerification(client) <= quotaNumbers;
}

/** Counts numbers, and reports to the data centre when enough are unreported. */
function add(numbers: number, client: Client, use: Use, now: number, { env, ctx }: ReportContext): void {
  const quotaNumbers = quotaOf(client);
  use.numbers += numbers;
  use.unreported += numbers;
  const enough = Math.min(QUOTA_FLUSH_NUMBERS, quotaNumbers * QUOTA_FLUSH_SHARE);
  if (use.unreported < enough && now - use.reportedAt <= QUOTA_FLUSH_MS) return;
  const parts = Math.floor((use.unreported * QUOTA_PARTS) / quotaNumbers);
  if (parts === 0) return;
  use.unreported -= Math.ceil((parts * quotaNumbers) / QUOTA_PARTS);
  use.reportedAt = now;
  ctx.waitUntil(report(client, parts, use, env.QUOTA));
}

async function report({ id }: Client, parts: number, use: Use, binding: RateLimit): Promise<void> {
  try {
    const { success } = await binding.limit({ key: id, delta: parts });
    if (!success) use.exceeded = true;
  } catch {
    // The count of the isolate still applies.
  }
}

/** `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers). */
function headersOf(client: Client, { numbers, exceeded }: Use, now: number): Record<string, string> {
  const quotaNumbers = quotaOf(client);
  const remaining = exceeded ? 0 : Math.max(0, quotaNumbers - numbers);
  return {
    'ratelimit-policy': `"numbers";q=${quotaNumbers};w=${QUOTA_WINDOW_SECONDS}`,
    ratelimit: `"numbers";r=${remaining};t=${secondsLeft(now)}`,
  };
}

/** Seconds until the window ends, rounded up. */
function secondsLeft(now: number): number {
  return Math.ceil((WINDOW_MS - (now % WINDOW_MS)) / 1000);
}
