/**
 * Decides when and where an isolate polls for the head. All decisions are pure functions of clocks and counters, so
 * that the edge and the simulation (`npm run bench -- propagation`) run the same code.
 *
 * Every isolate polls in the background of its requests. The isolates of a data centre share one copy in the
 * Cache API, so the coordinator gets about one poll per period and data centre. An isolate that finds the copy
 * too old claims the poll. An isolate that loses the claim retries soon. While the coordinator fails, isolates
 * read the head from KV, and a circuit breaker stops calls to the coordinator. Both results are stored in the
 * cache for all isolates. If a failed poll were not stored, the other isolates would compete for the same claim
 * again and never fall back to KV.
 */
import {
  BREAKER_FAILURES,
  BREAKER_MAX_MS,
  BREAKER_MIN_MS,
  CLAIM_RETRY_MS,
  HEAD_FRESH_MS,
  HEAD_WAIT_MS,
  JITTER_SHARE,
} from './limits/edge.ts';

/** A number in [0, 1). */
export type Random = () => number;

/** Polling state of one isolate. Times are in ms since 1970. */
export class HeadPoll {
  /** When the head in memory was last known to be current; 0 if there is none. */
  asOf = 0;
  /** When any source last returned a head; 0 if none ever did. */
  seenAt = 0;
  #nextAt = 0;
  #waitAgainAt = 0;
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  /**
   * Returns what a request must do about the head: nothing, poll in the background, or wait for a poll.
   * @param waitMs time since the last successful poll after which a request must wait
   */
  due(now: number, waitMs = HEAD_WAIT_MS): 'nothing' | 'background' | 'wait' {
    if (this.seenAt === 0 || now - this.seenAt > waitMs) {
      if (now >= this.#waitAgainAt) return 'wait';
    }
    return now >= this.#nextAt ? 'background' : 'nothing';
  }

  /** Records that a poll started. */
  began(now: number): void {
    this.#nextAt = now + HEAD_FRESH_MS * (1 + JITTER_SHARE * (2 * this.#random() - 1));
  }

  /**
   * Records a successful poll. The head in memory was current at `asOf`, which may be some time ago for a head
   * from KV. `asOf` never decreases.
   */
  confirmed(asOf: number, seenAt = asOf): void {
    this.asOf = Math.max(this.asOf, asOf);
    this.seenAt = Math.max(this.seenAt, seenAt);
  }

  /** Another isolate of the data centre is polling: retry when its result is available. */
  retrySoon(now: number): void {
    this.#nextAt = now + CLAIM_RETRY_MS;
  }

  /**
   * Records a failed poll. Requests use the head in memory without waiting, as long as traffic keeps polling
   * in the background.
   */
  pollFailed(now: number): void {
    this.#waitAgainAt = now + (this.seenAt === 0 ? HEAD_FRESH_MS : HEAD_WAIT_MS);
  }
}

/** Circuit breaker for calls to a failing coordinator. Times in ms. */
export class Breaker {
  #failures = 0;
  #retryAt = 0;
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  allows(now: number): boolean {
    return now >= this.#retryAt;
  }

  succeeded(): void {
    this.#failures = 0;
    this.#retryAt = 0;
  }

  /** @param overloaded whether the platform reported an overload, which an immediate retry would make worse */
  failed(now: number, overloaded: boolean): void {
    this.#failures++;
    const over = this.#failures - BREAKER_FAILURES;
    if (over < 0 && !overloaded) return;
    const pause = Math.min(BREAKER_MAX_MS, BREAKER_MIN_MS * 2 ** Math.max(0, over));
    this.#retryAt = now + pause * (1 + JITTER_SHARE * this.#random());
  }
}

/** The copy in the data centre's cache. */
export interface CachedCopy {
  readonly seq: number;
  /**
   * When the coordinator, or KV in its place, was last read. The data centre uses the copy for
   * HEAD_FRESH_MS.
   */
  readonly fetchedAt: number;
  /** When the copy was last known to be current: the time when the coordinator returned it, not KV. */
  readonly asOf: number;
}

/**
 * Returns the next step of a poll after reading the cache:
 * `use` the copy, `claim` the poll, or read the copy in `kv`.
 * @param mayQuery whether the breaker allows a call, and its response would arrive in time
 */
export function afterCache(
  copy: CachedCopy | null,
  mayQuery: boolean,
  now: number,
  freshMs = HEAD_FRESH_MS,
): 'use' | 'claim' | 'kv' {
  if (copy !== null && now - copy.fetchedAt < freshMs) return 'use';
  return mayQuery ? 'claim' : 'kv';
}

/** Whether a head may replace the head in memory: `seq` never decreases. */
export function isNewer(seq: number, heldSeq: number): boolean {
  return seq > heldSeq;
}

/**
 * Whether a data centre is in the share that gets the canary.
 * @param hash uniform 32-bit hash of the release and the data centre's name @param share 0 to 1
 */
export function inShare(hash: number, share: number): boolean {
  return hash / 2 ** 32 < share;
}
