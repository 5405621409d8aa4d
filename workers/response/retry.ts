/** When to try again: the pause doubles with each failure in a row. In memory only: a new object tries at once. */
import { RESPONSE_RETRY_MS, RESPONSE_RETRY_MS_MAX } from '../../shared/limits/response.ts';

export class Retry {
  #failures = 0;
  #at = 0;

  /** ms since 1970; 0 for at once. */
  get at(): number {
    return this.#at;
  }

  get isDue(): boolean {
    return Date.now() >= this.#at;
  }

  set(isDone: boolean): void {
    if (isDone) {
      this.#failures = 0;
      this.#at = 0;
      return;
    }
    this.#at = Date.now() + Math.min(RESPONSE_RETRY_MS * 2 ** this.#failures, RESPONSE_RETRY_MS_MAX);
    this.#failures = Math.min(this.#failures + 1, 20);
  }
}
