/**
 * When to ask KV again for a document that changes. What is in memory answers; it is refreshed behind
 * the answer, at most every HEAD_FRESH_MS. A request waits only when there is nothing, or when what
 * there is has become too old, and then not again for a while if it waited in vain.
 */
import { HEAD_FRESH_MS, HEAD_STALE_MS } from '../shared/limits.ts';
import { SingleFlight } from './single-flight.ts';

export class Poll {
  /** When the document was last seen to be current, in ms since 1970; 0 if it never was. */
  asOf = 0;
  /** When a refresh in the background was last begun. */
  #refreshedAt = 0;
  /** After a wait in vain, what is in memory serves without waiting until then. */
  #waitAgainAt = 0;
  readonly #flight = new SingleFlight();

  /**
   * Have the document, as fresh as it has to be.
   * @param load reads it; resolves once it is in memory
   * @param staleMs age that is too old to answer from without a look
   */
  async keep(load: () => Promise<void>, ctx: ExecutionContext, staleMs = HEAD_STALE_MS): Promise<void> {
    const now = Date.now();
    const age = now - this.asOf;
    const loadAndNote = async (): Promise<void> => {
      await load();
      this.asOf = Date.now();
    };
    if (this.asOf === 0 || (age > staleMs && now >= this.#waitAgainAt)) {
      const before = this.asOf;
      try {
        await this.#flight.wait(loadAndNote, () => this.asOf > before, ctx);
      } catch {
        this.#waitAgainAt = Date.now() + HEAD_FRESH_MS;
      }
    } else if (age > HEAD_FRESH_MS && now - this.#refreshedAt > HEAD_FRESH_MS) {
      this.#refreshedAt = now;
      this.#flight.refresh(loadAndNote, ctx);
    }
  }
}
