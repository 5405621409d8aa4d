/**
 * Sends the outbox to the registry, in order and one batch at a time, after the response to a change. An alarm retries
 * failed batches.
 */
import { PUBLISH_RETRY_MS, PUBLISH_RETRY_MS_MAX } from '../../shared/limits/registrations.ts';
import { warn, warnFailed } from '../log.ts';
import type { RegistryPort } from '../storage/registry-port.ts';
import { RetriedWork } from '../storage/retried-work.ts';
import { type Batch, isHeldBack, type Outbox } from './outbox.ts';

export class Publisher {
  readonly #storage: DurableObjectStorage;
  readonly #outbox: Outbox;
  readonly #registry: () => RegistryPort;
  readonly #work = new RetriedWork(PUBLISH_RETRY_MS, PUBLISH_RETRY_MS_MAX, (error) =>
    warnFailed('registrationsNotPublished', error),
  );
  #waitingRetryAt = 0;

  constructor(storage: DurableObjectStorage, outbox: Outbox, registry: () => RegistryPort) {
    this.#storage = storage;
    this.#outbox = outbox;
    this.#registry = registry;
  }

  /** When to call `run` again, in ms since 1970; null if there is nothing to send. */
  get dueAt(): number | null {
    if (!this.#outbox.isEmpty) return this.#work.retryAt;
    return this.#outbox.hasWaiting ? this.#waitingRetryAt : null;
  }

  /** Sends the batches in the outbox, unless a retry is not due yet. Never throws. */
  run(organisation: string): Promise<void> {
    return this.#work.run(() => this.#send(organisation));
  }

  async #send(organisation: string): Promise<void> {
    for (let batch = this.#next(); batch !== null; batch = this.#next()) {
      const { n, changes, queue, usage } = batch;
      const done = await this.#registry().publish(organisation, n, changes, queue, usage);
      if (!done.ok && done.code === 'BATCH_KNOWN') {
        warn('registrationsSetBack', { organisation, n, last: done.last });
        this.#storage.transactionSync(() => this.#outbox.renumber(done.last));
        continue;
      }
      const isHeldBack = !done.ok && done.code === 'REGISTRATIONS_FULL' && this.#holdBack(batch);
      if (!done.ok && !isHeldBack) {
        warn('registrationsNotPublished', { organisation, code: done.code });
        this.#work.pause();
        return;
      }
      if (done.ok) this.#storage.transactionSync(() => this.#outbox.acknowledge(n, Date.now()));
      this.#work.progressed();
    }
  }

  #next(): Batch | null {
    return this.#storage.transactionSync(() => {
      if (this.#outbox.isEmpty && this.#outbox.hasWaiting && Date.now() >= this.#waitingRetryAt)
        this.#outbox.retryWaiting();
      return this.#outbox.next();
    });
  }

  /** @returns false if no change of the batch can wait */
  #holdBack(batch: Batch): boolean {
    const { changes } = batch;
    if (!changes.some((change, index) => isHeldBack(change, changes[index - 1]))) return false;
    this.#storage.transactionSync(() => this.#outbox.holdBack(batch));
    this.#waitingRetryAt = Date.now() + PUBLISH_RETRY_MS_MAX;
    return true;
  }
}
