/**
 * After each hour, notifies organisations about reports of the numbers that they have registered: at most once for each
 * number, organisation and hour, by kind of spam, and without the reporters. Most reported numbers are not registered, so
 * one call to the registry checks many numbers.
 */
import type { SenderReportedData } from '../../shared/notices/data.ts';
import type { NewNotice } from '../../shared/notices/notice.ts';
import { reportedKinds } from '../../shared/notices/reported-kinds.ts';
import { toE164 } from '../../shared/numbers/number.ts';
import type { ReportKeys } from '../../shared/reports/report-keys.ts';
import { HOUR_MS } from '../../shared/time.ts';
import type { ControlEnv } from '../env.ts';
import type { NoticeOutbox } from '../storage/notice-outbox.ts';
import { type Holder, holdersOf } from '../storage/registered-holders.ts';
import type { ReportedHours, ReportedSubject } from './reported-hours.ts';

interface ReportedNumber extends ReportedSubject {
  readonly n: number;
}

export class ReportedNotices {
  readonly #storage: DurableObjectStorage;
  readonly #env: () => Pick<ControlEnv, 'REGISTRY' | 'REGISTRATIONS'>;
  readonly #hours: ReportedHours;
  readonly #outbox: NoticeOutbox;
  readonly #keys: () => Promise<ReportKeys>;

  constructor(
    storage: DurableObjectStorage,
    env: () => Pick<ControlEnv, 'REGISTRY' | 'REGISTRATIONS'>,
    hours: ReportedHours,
    outbox: NoticeOutbox,
    keys: () => Promise<ReportKeys>,
  ) {
    this.#storage = storage;
    this.#env = env;
    this.#hours = hours;
    this.#outbox = outbox;
    this.#keys = keys;
  }

  /** @returns false if nothing is due @throws if the desk, the registry or a store of registrations does not respond */
  async step(now: number): Promise<boolean> {
    const due = this.#hours.due(now);
    if (due.length === 0) return false;
    const keys = await this.#keys();
    const opened = await Promise.all(due.map(({ seal }) => keys.unseal(seal)));
    const numbers = due.flatMap((each, index): ReportedNumber[] => {
      const subject = opened[index] ?? null;
      return subject?.kind === 'number' ? [{ ...each, n: subject.n }] : [];
    });
    const distinct = [...new Set(numbers.map(({ n }) => n))];
    const found = await holdersOf(distinct, this.#env());
    const holders = new Map(distinct.map((n, index) => [n, found[index]!]));
    this.#storage.transactionSync(() => {
      this.#hours.remove(due);
      for (const each of numbers) this.#notify(each, holders.get(each.n)!, now);
    });
    return true;
  }

  #notify(reported: ReportedNumber, holders: readonly Holder[], now: number): void {
    if (holders.length === 0) return;
    const kinds = reportedKinds(this.#hours.kinds(reported));
    // All reports were withdrawn.
    if (kinds.length === 0) return;
    const { n, hour, subject } = reported;
    const data: SenderReportedData = {
      ...{ number: toE164(n), source: null, kinds },
      from: new Date(hour * HOUR_MS).toISOString(),
      to: new Date((hour + 1) * HOUR_MS).toISOString(),
    };
    for (const { organisation, registration } of holders) {
      const notice: NewNotice = {
        ...{ key: `sender.reported ${hour} ${subject}`, type: 'sender.reported', at: now },
        ...{ subject: `${organisation}/${registration}`, data: { ...data }, mock: false, respondBy: null },
      };
      this.#outbox.add(organisation, [notice]);
    }
  }
}
