/**
 * Counts failed authentications in an isolate: for the log, and to stop their cost. Over the limit, a plane
 * answers wrong keys without looking anything up. It still verifies every key, so nobody can lock out the holder
 * of a valid one.
 */
import type { Unmet } from '../../shared/key-conditions.ts';
import {
  AUTHENTICATION_FAILURES_MAX,
  AUTHENTICATION_FAILURES_TOTAL_MAX,
  AUTHENTICATION_WINDOW_MS,
  FAILED_KEYS_LOGGED_MAX,
} from '../../shared/limits/requests.ts';
import { warn } from '../log.ts';
import { type Problem, problem } from './reply.ts';

/** `secret`: the ID is unknown, or the secret is wrong. */
export type FailedBy = 'secret' | Unmet;

export class FailedAuthentications {
  readonly #plane: 'edge' | 'control';
  /** End of the window, in ms since 1970. */
  #ends = 0;
  #total = 0;
  /** Failures in the window, by address. */
  readonly #bySource = new Map<string, number>();
  /** Failures that are not in the log yet, by reason and ID. */
  readonly #unlogged = new Map<string, number>();

  constructor(plane: 'edge' | 'control') {
    this.#plane = plane;
  }

  /**
   * The first failure of a window is logged at once, with those of the last window. Only wrong secrets count for the
   * limit: the holder of a key that does not meet a condition gets to know which.
   * @param id null if no such key exists: it may be a secret in the wrong place
   * @param source the address, or an empty string
   * @param now ms since 1970
   */
  add(id: string | null, by: FailedBy, source: string, now: number): void {
    const isFirst = now >= this.#ends;
    if (isFirst) this.#restart(now);
    if (by === 'secret') this.#count(source);
    const key = `${by} ${id ?? ''}`;
    const isNamed = this.#unlogged.has(key) || this.#unlogged.size < FAILED_KEYS_LOGGED_MAX;
    const counted = isNamed ? key : 'secret ';
    this.#unlogged.set(counted, (this.#unlogged.get(counted) ?? 0) + 1);
    if (isFirst) this.#log();
  }

  #count(source: string): void {
    this.#total++;
    // Over the limit of all sources, no further one is kept.
    if (this.#total <= AUTHENTICATION_FAILURES_TOTAL_MAX)
      this.#bySource.set(source, (this.#bySource.get(source) ?? 0) + 1);
  }

  /** The answer to a wrong key, if there were too many in this window; otherwise null. */
  limited(source: string, now: number): Problem | null {
    if (now >= this.#ends) return null;
    const isOver =
      this.#total >= AUTHENTICATION_FAILURES_TOTAL_MAX ||
      (this.#bySource.get(source) ?? 0) >= AUTHENTICATION_FAILURES_MAX;
    if (!isOver) return null;
    const retryAfterSeconds = Math.ceil((this.#ends - now) / 1000);
    const message = 'too many requests with wrong keys; a valid key still works';
    return problem('AUTHENTICATION_LIMITED', message, { retryAfterSeconds });
  }

  #restart(now: number): void {
    this.#ends = now + AUTHENTICATION_WINDOW_MS;
    this.#total = 0;
    this.#bySource.clear();
  }

  #log(): void {
    for (const [key, failures] of this.#unlogged) {
      const [reason = '', id = ''] = key.split(' ');
      warn('authenticationFailed', { plane: this.#plane, id: id === '' ? null : id, reason, failures });
    }
    this.#unlogged.clear();
  }
}
