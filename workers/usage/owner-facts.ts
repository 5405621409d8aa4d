/** Sends counts of mobile numbers to the first object of the client, which sends facts to the router of notices. */
import { NOTICE_WAIT_MS, OWNER_USED_SETTINGS_MS } from '../../shared/limits/notice-sources.ts';
import { usageObjectName } from '../../shared/usage/flush.ts';
import type { ControlEnv } from '../env.ts';
import { COORDINATOR_NAME } from '../storage/coordinator-port.ts';
import type { OwnerUsedSettings } from '../storage/notice-sources-port.ts';
import { NOTICE_ROUTER_NAME } from '../storage/notices-port.ts';
import { within } from '../storage/single-flight.ts';
import type { MobileTextStore } from './mobile-texts.ts';
import type { UsageStore } from './usage-store.ts';

/** The whole service has all these bindings. A test of counters alone has no router, and sends nothing. */
type OwnerEnv = Pick<ControlEnv, 'COORDINATOR' | 'USAGE'> & Partial<Pick<ControlEnv, 'NOTICE_ROUTER'>>;

export class OwnerFactSender {
  readonly #storage: DurableObjectStorage;
  readonly #env: () => OwnerEnv;
  readonly #store: UsageStore;
  #limit = 0;
  #limitReadAt = 0;

  constructor(storage: DurableObjectStorage, env: () => OwnerEnv, store: UsageStore) {
    this.#storage = storage;
    this.#env = env;
    this.#store = store;
  }

  /** @throws if an object does not respond */
  async run(): Promise<void> {
    // The alarm may have been set for figures alone.
    if (!this.#texts.hasWork) return;
    if (this.#texts.meta.number('shard') !== 0) return this.#sendTexts();
    this.#store.makeFacts(await this.#currentLimit(), Date.now());
    await this.#sendFacts();
  }

  get #texts(): MobileTextStore {
    return this.#store.texts;
  }

  async #sendTexts(): Promise<void> {
    const { meta } = this.#texts;
    const client = meta.text('client') ?? '';
    const first = this.#env().USAGE?.getByName(usageObjectName(client, 0));
    if (first === undefined) return;
    const shard = meta.number('shard');
    for (let batch = this.#texts.nextTexts(); batch !== null; batch = this.#texts.nextTexts()) {
      const { n, texts } = batch;
      const { last } = await within(first.addTexts(client, shard, n, texts), NOTICE_WAIT_MS);
      this.#storage.transactionSync(() => this.#texts.sent('text_outbox', n, last));
    }
  }

  async #sendFacts(): Promise<void> {
    const router = this.#env().NOTICE_ROUTER?.getByName(NOTICE_ROUTER_NAME);
    if (router === undefined) return;
    const sender = `usage/${this.#texts.meta.text('client') ?? ''}`;
    for (let batch = this.#texts.nextFacts(); batch !== null; batch = this.#texts.nextFacts()) {
      const { n, facts } = batch;
      const { last } = await within(router.ownersUsed(sender, n, facts), NOTICE_WAIT_MS);
      this.#storage.transactionSync(() => this.#texts.sent('owner_facts', n, last));
    }
  }

  async #currentLimit(): Promise<number> {
    const now = Date.now();
    if (this.#limit === 0 || now - this.#limitReadAt > OWNER_USED_SETTINGS_MS) {
      const coordinator = this.#env().COORDINATOR.getByName(COORDINATOR_NAME) as unknown as OwnerUsedSettings;
      this.#limit = await within(coordinator.ownerUsedTexts(), NOTICE_WAIT_MS);
      this.#limitReadAt = now;
    }
    return this.#limit;
  }
}
