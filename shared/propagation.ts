/**
 * When an isolate asks for the head, and whom: pure decisions over clocks and counters, so that the edge
 * and the simulation (`npm run bench -- propagation`) run the same code.
 *
 * Every isolate polls in the background of its requests. The isolates of a data centre share one copy in
 * the Cache API, so that the authority is asked about once a period and data centre: who finds the copy
 * too old claims the question and asks; who loses the claim comes back soon. While the authority fails,
 * the copy of the head in KV is read instead, and a circuit breaker keeps the isolate from asking. What
 * was learnt, from either, is left in the cache for all: who asked in vain and kept it to himself would
 * leave the others to the same claim again and again, and none of them to KV.
 */
import {
  BREAKER_FAILURES,
  BREAKER_MAX_MS,
  BREAKER_MIN_MS,
  CLAIM_RETRY_MS,
  HEAD_FRESH_MS,
  HEAD_WAIT_MS,
  JITTER_SHARE,
} from './limits.ts';

/** A number in [0, 1). */
export type Random = () => number;

/** The poll of one isolate. Times are in ms since 1970. */
export class HeadPoll {
  /** When the head in memory was last known to be current; 0 if there is none. */
  asOf = 0;
  /** When the head was last looked for with success, wherever; 0 if it never was. */
  seenAt = 0;
  #nextAt = 0;
  #waitAgainAt = 0;
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  /**
   * What a request does about the head: nothing, start a poll behind its answer, or wait for one.
   * @param waitMs time without a look from which the head is too old to answer from
   */
  due(now: number, waitMs = HEAD_WAIT_MS): 'nothing' | 'background' | 'wait' {
    if (this.seenAt === 0 || now - this.seenAt > waitMs) {
      if (now >= this.#waitAgainAt) return 'wait';
    }
    return now >= this.#nextAt ? 'background' : 'nothing';
  }

  /** A poll begins. */
  began(now: number): void {
    this.#nextAt = now + HEAD_FRESH_MS * (1 + JITTER_SHARE * (2 * this.#random() - 1));
  }

  /**
   * The head was looked for, and the one in memory was current at `asOf`: what KV shows may have been
   * so a while ago. It never becomes less current.
   */
  confirmed(asOf: number, seenAt = asOf): void {
    this.asOf = Math.max(this.asOf, asOf);
    this.seenAt = Math.max(this.seenAt, seenAt);
  }

  /** Another isolate of the data centre is asking: its answer will be there soon. */
  comeBack(now: number): void {
    this.#nextAt = now + CLAIM_RETRY_MS;
  }

  /**
   * The head was looked for in vain: what is in memory serves without waiting, as long as there is traffic
   * that looks again behind its answers.
   */
  waitedInVain(now: number): void {
    this.#waitAgainAt = now + (this.seenAt === 0 ? HEAD_FRESH_MS : HEAD_WAIT_MS);
  }
}

/** Keeps an isolate from asking an authority that fails. Times in ms. */
export class Breaker {
  #failures = 0;
  #closedAt = 0;
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  allows(now: number): boolean {
    return now >= this.#closedAt;
  }

  succeeded(): void {
    this.#failures = 0;
    this.#closedAt = 0;
  }

  /** @param overloaded the platform says so: asking again at once would make it worse */
  failed(now: number, overloaded: boolean): void {
    this.#failures++;
    const over = this.#failures - BREAKER_FAILURES;
    if (over < 0 && !overloaded) return;
    const pause = Math.min(BREAKER_MAX_MS, BREAKER_MIN_MS * 2 ** Math.max(0, over));
    this.#closedAt = now + pause * (1 + JITTER_SHARE * this.#random());
  }
}

/** What the data centre's cache holds. */
export interface CachedCopy {
  readonly seq: number;
  /** When the authority was asked last, or KV in its place; it serves the data centre for HEAD_FRESH_MS. */
  readonly fetchedAt: number;
  /** When it was last known to be current: when the authority was asked that gave it, not KV. */
  readonly asOf: number;
}

/**
 * The next step of a poll that has looked into the cache.
 * `use` the copy, `claim` the question, or read the copy in `kv`.
 * @param mayAsk whether the breaker allows it, and an answer would come in time
 */
export function afterCache(
  copy: CachedCopy | null,
  mayAsk: boolean,
  now: number,
  freshMs = HEAD_FRESH_MS,
): 'use' | 'claim' | 'kv' {
  if (copy !== null && now - copy.fetchedAt < freshMs) return 'use';
  return mayAsk ? 'claim' : 'kv';
}

/** Whether a head may replace the one in memory: `seq` never goes back. */
export function isNewer(seq: number, heldSeq: number): boolean {
  return seq > heldSeq;
}

/**
 * Whether a data centre is in the share that gets the candidate.
 * @param hash 32 bits, uniform: of the release and the data centre's name @param share 0 to 1
 */
export function inShare(hash: number, share: number): boolean {
  return hash / 2 ** 32 < share;
}
