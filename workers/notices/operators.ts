/** The operators that read their notices, through a webhook or a client. Notices to others would only fill their stores. */
import { NOTICE_WAIT_MS, OPERATORS_FRESH_MS } from '../../shared/limits/notice-sources.ts';
import type { NotifiedOperator } from '../../shared/notices/operators.ts';
import type { ControlEnv } from '../env.ts';
import { warnFailed } from '../log.ts';
import { COORDINATOR_NAME } from '../storage/coordinator-port.ts';
import type { NoticeKeeper, OperatorFacts } from '../storage/notice-sources-port.ts';
import { within } from '../storage/single-flight.ts';

/** Stores that are read in parallel. */
const CALLS_AT_ONCE = 4;

export class Operators {
  readonly #env: Pick<ControlEnv, 'COORDINATOR' | 'NOTICES'>;
  #known: { readonly operators: readonly NotifiedOperator[]; readonly at: number } | null = null;

  constructor(env: Pick<ControlEnv, 'COORDINATOR' | 'NOTICES'>) {
    this.#env = env;
  }

  /** @throws if the coordinator does not respond */
  async read(): Promise<readonly NotifiedOperator[]> {
    const now = Date.now();
    if (this.#known !== null && now - this.#known.at < OPERATORS_FRESH_MS) return this.#known.operators;
    const keeper = this.#env.COORDINATOR.getByName(COORDINATOR_NAME) as unknown as NoticeKeeper;
    const all = await within(keeper.noticeOperators(), NOTICE_WAIT_MS);
    const listening = new Set<string>();
    const next = all[Symbol.iterator]();
    const work = async (): Promise<void> => {
      for (const operator of next) if (await this.#listens(operator)) listening.add(operator.id);
    };
    await Promise.all(Array.from({ length: CALLS_AT_ONCE }, work));
    const operators = all
      .filter(({ id }) => listening.has(id))
      .map(({ id, authority }) => ({ id, authority }));
    this.#known = { operators, at: now };
    return operators;
  }

  async #listens({ id, hasReader }: OperatorFacts): Promise<boolean> {
    if (hasReader) return true;
    const status = await within(this.#env.NOTICES.getByName(id).status(), NOTICE_WAIT_MS).catch(
      (error: unknown) => warnFailed('operatorNotRead', error, { organisation: id }),
    );
    // If the store does not respond, the operator may well have a webhook.
    return status === undefined || status.webhooks.enabled + status.webhooks.disabled > 0;
  }
}
