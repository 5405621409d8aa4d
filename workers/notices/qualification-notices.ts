/** Makes notices of changed qualifications. The coordinator keeps the changes until the router has read them. */
import { NOTICE_WAIT_MS, QUALIFICATION_NOTICES_AT_ONCE } from '../../shared/limits/notice-sources.ts';
import type { QualificationChangedData } from '../../shared/notices/data.ts';
import type { NewNotice } from '../../shared/notices/notice.ts';
import type { ControlEnv } from '../env.ts';
import { COORDINATOR_NAME } from '../storage/coordinator-port.ts';
import type { NoticeOutbox } from '../storage/notice-outbox.ts';
import type { NoticeKeeper, QualificationNotice } from '../storage/notice-sources-port.ts';
import { within } from '../storage/single-flight.ts';
import type { RouterTables } from './router-tables.ts';

export class QualificationNotices {
  readonly #storage: DurableObjectStorage;
  readonly #env: ControlEnv;
  readonly #tables: RouterTables;
  readonly #outbox: NoticeOutbox;

  constructor(storage: DurableObjectStorage, env: ControlEnv, tables: RouterTables, outbox: NoticeOutbox) {
    this.#storage = storage;
    this.#env = env;
    this.#tables = tables;
    this.#outbox = outbox;
  }

  /** Makes notices of the next changes. @returns false if there are none @throws if the coordinator does not respond */
  async step(): Promise<boolean> {
    const keeper = this.#env.COORDINATOR.getByName(COORDINATOR_NAME) as unknown as NoticeKeeper;
    const { meta } = this.#tables;
    const after = meta.number('qualifications');
    const changes = await within(
      keeper.qualificationNotices(after, QUALIFICATION_NOTICES_AT_ONCE),
      NOTICE_WAIT_MS,
    );
    if (changes.length === 0) return false;
    this.#storage.transactionSync(() => {
      this.#outbox.addAll(changes.map((change) => [change.organisation, noticeOf(change)] as const));
      meta.set('qualifications', changes.at(-1)!.n);
    });
    return true;
  }
}

function noticeOf({ n, at, ...change }: QualificationNotice): NewNotice {
  const { organisation, before, state, factor, validUntil, nextInspectionBy } = change;
  const data: QualificationChangedData = {
    organisation,
    before,
    state,
    factor,
    validUntil,
    nextInspectionBy,
  };
  return {
    ...{ key: `qualification.changed ${n}`, type: 'qualification.changed', at, subject: organisation },
    ...{ data: { ...data }, mock: false, respondBy: null },
  };
}
