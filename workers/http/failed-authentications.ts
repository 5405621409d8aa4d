/**
 * Counts failed authentications in an isolate, to log them and to limit their cost. Over the limit, a plane
 * answers wrong keys without looking anything up. It still verifies every key, so nobody can lock out the
 * holder of a valid key.
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
import { RequestWindow } from './request-window.ts';

/** `secret`: the ID is unknown, or the secret is wrong. */
export type FailedBy = 'secret' | Unmet;

export class FailedAuthentications {
  readonly #plane: 'edge' | 'control';
  readonly #window = new RequestWindow(
    AUTHENTICATION_WINDOW_MS,
    AUTHENTICATION_FAILURES_MAX,
    AUTHENTICATION_FAILURES_TOTAL_MAX,
  );
  /** Failures that are not in the log yet, by reason and ID. */
  readonly #unlogged = new Map<string, number>();

  constructor(plane: 'edge' | 'control') {
    this.#plane = plane;
  }

  /**
   * Counts a failure. The first failure of a window is logged at once, with the unlogged failures of the last window. Only
   * wrong secrets count for the limit: the holder of a key that does not meet a condition learns which condition that is.
   * @param id null if no such key exists, because the ID may be a secret in the wrong place
   * @param source the address, or an empty string
   * @param now ms since 1970
   */
  add(id: string | null, by: FailedBy, source: string, now: number): void {
    const isFirst = this.#window.advance(now);
    if (by === 'secret') this.#window.count(source);
    const key = `${by} ${id ?? ''}`;
    const isNamed = this.#unlogged.has(key) || this.#unlogged.size < FAILED_KEYS_LOGGED_MAX;
    const counted = isNamed ? key : 'secret ';
    this.#unlogged.set(counted, (this.#unlogged.get(counted) ?? 0) + 1);
    if (isFirst) this.#log();
  }

  /** The answer to a wrong key, if there were too many in this window; otherwise null. */
  limited(source: string, now: number): Problem | null {
    const retryAfterSeconds = this.#window.limited(source, now);
    if (retryAfterSeconds === null) return null;
    const message = 'too many requests with wrong keys; a valid key still works';
    return problem('AUTHENTICATION_LIMITED', message, { retryAfterSeconds });
  }

  #log(): void {
    for (const [key, failures] of this.#unlogged) {
      const [reason = '', id = ''] = key.split(' ');
      warn('authenticationFailed', { plane: this.#plane, id: id === '' ? null : id, reason, failures });
    }
    this.#unlogged.clear();
  }
}
