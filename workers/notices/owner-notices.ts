/** Makes notices to the operators of mobile numbers that sent many texts: one per number and day, over all its clients. */
import { ReferenceKey } from '../../shared/feed/reference.ts';
import { NOTICE_WAIT_MS } from '../../shared/limits/notice-sources.ts';
import type { OwnerUsedData } from '../../shared/notices/data.ts';
import type { NewNotice } from '../../shared/notices/notice.ts';
import { ownersOperators } from '../../shared/notices/operators.ts';
import { ownerUsedTexts } from '../../shared/notices/texts.ts';
import { toE164 } from '../../shared/numbers/number.ts';
import { openSharingKeys } from '../../shared/sharing-keys.ts';
import { koreanDayOf, koreanDayText } from '../../shared/time.ts';
import type { ControlEnv } from '../env.ts';
import { warn } from '../log.ts';
import { COORDINATOR_NAME } from '../storage/coordinator-port.ts';
import type { NoticeOutbox } from '../storage/notice-outbox.ts';
import type { NoticeKeeper, OwnerFact } from '../storage/notice-sources-port.ts';
import { within } from '../storage/single-flight.ts';
import type { Operators } from './operators.ts';
import type { RouterTables } from './router-tables.ts';

/** Days that are kept besides the current one, because facts may arrive late. */
const DAYS_KEPT = 2;

export class OwnerNotices {
  readonly #storage: DurableObjectStorage;
  readonly #env: ControlEnv;
  readonly #tables: RouterTables;
  readonly #outbox: NoticeOutbox;
  readonly #operators: Operators;

  constructor(
    storage: DurableObjectStorage,
    env: ControlEnv,
    tables: RouterTables,
    outbox: NoticeOutbox,
    operators: Operators,
  ) {
    this.#storage = storage;
    this.#env = env;
    this.#tables = tables;
    this.#outbox = outbox;
    this.#operators = operators;
  }

  /** See NoticeRouterObject. @throws if data that the facts need cannot be read now: send the batch again */
  async take(sender: string, n: number, facts: readonly OwnerFact[]): Promise<{ readonly last: number }> {
    const last = this.#tables.lastOf(sender);
    if (last >= n) return { last };
    const operators = await this.#operators.read();
    const codes = await this.#senderCodes(facts);
    const references = await this.#references(facts);
    return this.#storage.transactionSync(() => {
      // The same batch may have arrived again meanwhile.
      const now = Date.now();
      const known = this.#tables.lastOf(sender);
      if (known >= n) return { last: known };
      const today = koreanDayOf(now);
      this.#tables.forgetOwners(today - DAYS_KEPT);
      const dropped = new Map<string, number>();
      facts.forEach((fact, index) => {
        const { number, day } = fact;
        const id = day < today - DAYS_KEPT ? null : this.#tables.addOwner(day, number);
        if (id === null) return;
        const subject = references[index] ?? `owner-used ${id}`;
        const notice = noticeOf(fact, id, subject, codes.get(fact.client) ?? null);
        for (const operator of ownersOperators(toE164(number), operators)) {
          if (this.#tables.chargeOperator(operator.id, 'used', today))
            this.#outbox.add(operator.id, [notice]);
          else dropped.set(operator.id, (dropped.get(operator.id) ?? 0) + 1);
        }
      });
      for (const [organisation, many] of dropped) warn('guidanceDropped', { organisation, notices: many });
      this.#tables.setLast(sender, n, now);
      return { last: n };
    });
  }

  async #senderCodes(facts: readonly OwnerFact[]): Promise<ReadonlyMap<string, string | null>> {
    const keeper = this.#env.COORDINATOR.getByName(COORDINATOR_NAME) as unknown as NoticeKeeper;
    const codes = new Map<string, string | null>();
    // This is one call, because a counter counts for one client.
    for (const client of new Set(facts.map((fact) => fact.client)))
      codes.set(client, await within(keeper.senderCodeOf(client), NOTICE_WAIT_MS));
    return codes;
  }

  /** The references of the numbers in the feed; empty without SHARING_KEY. */
  async #references(facts: readonly OwnerFact[]): Promise<readonly string[]> {
    const sharing = await openSharingKeys(this.#env.SHARING_KEY ?? '');
    if (!sharing.ok) return [];
    const key = await ReferenceKey.open(sharing.value[0]!);
    return Promise.all(facts.map(({ number }) => key.reference('number', toE164(number), 'from')));
  }
}

function noticeOf(
  { number, day, textsOver, at }: OwnerFact,
  id: number,
  subject: string,
  senderCode: string | null,
): NewNotice {
  const dayText = koreanDayText(day);
  const data: OwnerUsedData = {
    ...{ number: toE164(number), source: null, day: dayText, textsOver, senderCode },
    texts: ownerUsedTexts(textsOver, dayText),
  };
  return {
    ...{ key: `owner.used ${day} ${id}`, type: 'owner.used', at, subject, data: { ...data } },
    ...{ mock: false, respondBy: null },
  };
}
