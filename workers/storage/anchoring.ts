/**
 * Puts the end of an object's own audit chain into the audit log, at most once in ANCHOR_INTERVAL_MS: nobody can rewrite
 * the chain unnoticed.
 */
import type { KnownRecord } from '../../shared/audit.ts';
import { ANCHOR_INTERVAL_MS } from '../../shared/limits/registrations.ts';
import { warnFailed } from '../log.ts';
import type { SingleValues } from './single-values.ts';

export type AnchorKey = 'anchoredN' | 'anchoredAt';

export interface AnchoredChain {
  /** Its newest record. */
  readonly last: KnownRecord;
}

export class Anchoring {
  readonly #chain: AnchoredChain;
  readonly #meta: Pick<SingleValues<AnchorKey>, 'number' | 'set'>;
  readonly #record: (end: KnownRecord) => Promise<void>;
  readonly #failedEvent: string;

  /** @param record puts an end into the audit log @param failedEvent the event to log if that fails */
  constructor(
    chain: AnchoredChain,
    meta: Pick<SingleValues<AnchorKey>, 'number' | 'set'>,
    record: (end: KnownRecord) => Promise<void>,
    failedEvent: string,
  ) {
    this.#chain = chain;
    this.#meta = meta;
    this.#record = record;
    this.#failedEvent = failedEvent;
  }

  /** When the end must be recorded, in ms since 1970; null if it is. */
  get dueAt(): number | null {
    if (this.#chain.last.n <= this.#meta.number('anchoredN')) return null;
    return this.#meta.number('anchoredAt') + ANCHOR_INTERVAL_MS;
  }

  /** Records the end if that is due. Never throws: the next time is an interval later. */
  async run(): Promise<void> {
    const due = this.dueAt;
    if (due === null || due > Date.now()) return;
    const { last } = this.#chain;
    try {
      await this.#record(last);
      this.#meta.set('anchoredN', last.n);
    } catch (error) {
      warnFailed(this.#failedEvent, error);
    }
    this.#meta.set('anchoredAt', Date.now());
  }
}
