/** Everything that a store of notices keeps in SQLite, and the transactions that change its webhooks. */
import { WEBHOOK_CHANGES_PER_HOUR_MAX } from '../../shared/limits/notices.ts';
import { HOUR_MS } from '../../shared/time.ts';
import { AuditChain, type Author } from '../storage/audit-chain.ts';
import { refuse, type StoreRefusal, type StoreRequest, type StoreResult } from '../storage/store-request.ts';
import { Transactions } from '../storage/transactions.ts';
import { DeliveryRows } from './delivery-rows.ts';
import { Meta } from './meta.ts';
import { NoticeCounts } from './notice-counts.ts';
import { NoticeRows } from './notice-rows.ts';
import { Room } from './room.ts';
import { WebhookRows } from './webhook-rows.ts';

export class Tables {
  readonly storage: DurableObjectStorage;
  readonly meta: Meta;
  readonly notices: NoticeRows;
  readonly counts: NoticeCounts;
  readonly webhooks: WebhookRows;
  readonly deliveries: DeliveryRows;
  readonly room: Room;
  readonly audit: AuditChain;
  readonly #transactions: Transactions;

  constructor(storage: DurableObjectStorage) {
    const { sql } = storage;
    this.storage = storage;
    this.meta = new Meta(sql);
    this.notices = new NoticeRows(sql, this.meta);
    this.counts = new NoticeCounts(sql);
    this.webhooks = new WebhookRows(sql);
    this.deliveries = new DeliveryRows(sql);
    this.room = new Room(storage, this.meta, this.notices, this.webhooks);
    this.audit = new AuditChain(sql, {
      ...{ column: 'subject', prefix: 'webhooks.', subjectOf: (id) => `webhook ${id}` },
    });
    this.#transactions = new Transactions(storage, { charge: (changes, now) => this.#charge(changes, now) });
  }

  /** The ID of the organisation; '' before the first call that names it. */
  get organisation(): string {
    return this.meta.text('organisation') ?? '';
  }

  /** Stores the ID of the organisation, so that the object can deliver after a restart. */
  name(organisation: string): void {
    if (this.organisation === '') this.meta.set('organisation', organisation);
  }

  /** Runs a change of webhooks in one transaction. @param changes 0 for a change that is always allowed */
  transact<Value>(
    request: StoreRequest,
    changes: 0 | 1,
    change: (author: Author) => StoreResult<Value>,
  ): StoreResult<Value> {
    const { actor, reason } = request;
    return this.#transactions.run(request, changes, () =>
      change({ actor: actor.name, reason, at: Date.now() }),
    );
  }

  /** Removes answers to repeated requests that are no longer needed. */
  forget(now: number): void {
    this.#transactions.forget(now);
  }

  #charge(changes: number, now: number): StoreRefusal | null {
    const hour = now - (now % HOUR_MS);
    const used = this.meta.number('budgetHour') === hour ? this.meta.number('budgetUsed') : 0;
    if (used + changes > WEBHOOK_CHANGES_PER_HOUR_MAX) {
      const message = `an organisation can make ${WEBHOOK_CHANGES_PER_HOUR_MAX} changes, tests and replays an hour`;
      const resetsAt = new Date(hour + HOUR_MS).toISOString();
      const refusal = refuse('BUDGET_EXCEEDED', `${message}: try again at ${resetsAt}`, {
        budget: { name: 'webhooks', resetsAt },
      });
      return { ...refusal, retryAfterSeconds: Math.ceil((hour + HOUR_MS - now) / 1000) };
    }
    this.meta.set('budgetHour', hour);
    this.meta.set('budgetUsed', used + changes);
    return null;
  }
}
