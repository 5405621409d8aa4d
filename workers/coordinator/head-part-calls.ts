/**
 * Stores a part of the head that another object gives, and makes that object give the part again when needed.
 */
import { type Failure, fail, ok, type Result } from '../../shared/result.ts';
import { warnFailed } from '../log.ts';
import type { BackgroundWork } from './background-work.ts';
import { applied, systemRequest } from './change-request.ts';
import type { HeadPart, StoredPart } from './head-part.ts';
import { FREEING_CHANGE } from './storage-budget.ts';
import type { Tables } from './tables.ts';
import type { ValueStore } from './value-store.ts';

/** The object that gives the part. */
interface PartSource {
  /** Gives the current state to the coordinator again. */
  refresh(): Promise<void>;
}

interface PartNames {
  /** Why the head changes. */
  readonly reason: string;
  /** The event to log if the source does not respond. */
  readonly failedEvent: string;
}

export class HeadPartCalls<Part extends { readonly version: number }> {
  readonly #ctx: DurableObjectState;
  readonly #tables: Tables;
  readonly #values: ValueStore;
  readonly #background: BackgroundWork;
  readonly #part: HeadPart<Part>;
  readonly #source: () => PartSource;
  readonly #names: PartNames;
  /** Whether the source was reached since this object started. The source may have changes that the tables lost. */
  #hasReached = false;

  constructor(
    ctx: DurableObjectState,
    tables: Tables,
    parts: { readonly values: ValueStore; readonly background: BackgroundWork },
    part: HeadPart<Part>,
    source: () => PartSource,
    names: PartNames,
  ) {
    this.#ctx = ctx;
    this.#tables = tables;
    this.#values = parts.values;
    this.#background = parts.background;
    this.#part = part;
    this.#source = source;
    this.#names = names;
  }

  /**
   * Puts the part into the head. The change has no audit record here, because the source has its own audit chain.
   * @param unwritten values that KV did not accept: the coordinator writes them
   * @returns the ID of the key that values must be sealed with; PART_BEHIND if the head has a later version
   */
  put(given: StoredPart<Part>, unwritten: readonly string[]): Result<{ keyId: string }, Failure> {
    const { ledger, keys } = this.#tables;
    if (given.head.version < this.#part.version) {
      return fail(
        'PART_BEHIND',
        'the head has a later version: the tables of the sender were set back to an earlier state',
      );
    }
    if (this.#part.isNew(given) || unwritten.length > 0) {
      const done = ledger.change(systemRequest(this.#names.reason), FREEING_CHANGE, () => {
        this.#part.store(given);
        for (const key of unwritten) this.#values.markMissing(key);
        return applied({}, []);
      });
      if (!done.ok) return fail(done.code, done.message);
      this.#background.changed();
    }
    return ok({ keyId: keys.current.keyId });
  }

  /**
   * Makes the source give its state again, for example with values sealed under the current key. The cron repeats this
   * call, so a failure is repaired within a minute.
   */
  refresh(): void {
    if (this.#part.head === null && this.#hasReached) return;
    const refreshed = this.#source()
      .refresh()
      .then(() => {
        this.#hasReached = true;
      })
      .catch((error: unknown) => warnFailed(this.#names.failedEvent, error));
    this.#ctx.waitUntil(refreshed);
  }
}
