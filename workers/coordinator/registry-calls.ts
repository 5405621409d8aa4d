/**
 * The coordinator and the registry: what the registry gives for the head, and when it must give it again.
 */
import { type Failure, fail, ok, type Result } from '../../shared/result.ts';
import { warnFailed } from '../log.ts';
import type { RegistryAnswer, RegistryObject, RegistryUpdate } from '../storage/registry-port.ts';
import type { BackgroundWork } from './background-work.ts';
import { applied, systemRequest } from './change-request.ts';
import { FREEING_CHANGE } from './storage-budget.ts';
import type { Tables } from './tables.ts';
import type { ValueStore } from './value-store.ts';

export class RegistryCalls {
  readonly #ctx: DurableObjectState;
  readonly #tables: Tables;
  readonly #values: ValueStore;
  readonly #background: BackgroundWork;
  readonly #registry: () => RegistryObject;
  /** Whether the registry was reached since this object started: it may have changes that the tables lost. */
  #hasReached = false;

  constructor(
    ctx: DurableObjectState,
    tables: Tables,
    values: ValueStore,
    background: BackgroundWork,
    registry: () => RegistryObject,
  ) {
    this.#ctx = ctx;
    this.#tables = tables;
    this.#values = values;
    this.#background = background;
    this.#registry = registry;
  }

  /** Puts what the registry has into the head. The audit chains of the organisations have its records. */
  put({ registrations, unwritten, keyIds }: RegistryUpdate): Result<RegistryAnswer, Failure> {
    const { ledger, keys, registeredSenders: known } = this.#tables;
    if (registrations.version < known.version) {
      return fail(
        'REGISTRY_BEHIND',
        'the head has later changes than the registry: its tables were set back',
      );
    }
    const isNew =
      JSON.stringify({ ...known.head, droppedVersion: 0 }) !==
        JSON.stringify({ ...registrations, droppedVersion: 0 }) ||
      registrations.droppedVersion > known.droppedVersion ||
      known.keyIds.join() !== keyIds.join();
    if (isNew || unwritten.length > 0) {
      const done = ledger.change(systemRequest('registered senders changed'), FREEING_CHANGE, () => {
        known.store(registrations, keyIds);
        for (const key of unwritten) this.#values.markMissing(key);
        return applied({}, []);
      });
      if (!done.ok) return fail(done.code, done.message);
      this.#background.changed();
    }
    return ok({ keyId: keys.current.keyId, droppedVersion: known.droppedVersion });
  }

  /**
   * Lets the registry drop what the releases contain, or seal with the current key. The cron repeats it, so a failure
   * is made up for within a minute.
   */
  refresh(): void {
    if (this.#tables.registeredSenders.head === null && this.#hasReached) return;
    const refreshed = this.#registry()
      .refresh()
      .then(() => {
        this.#hasReached = true;
      })
      .catch((error: unknown) => warnFailed('registryFailed', error));
    this.#ctx.waitUntil(refreshed);
  }
}
