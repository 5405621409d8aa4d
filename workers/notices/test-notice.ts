/** A notice that an admin sends to one webhook to test its receiver. It is not real, so it is marked as mock. */
import type { DeliveryInfo } from '../../shared/admin/webhooks.ts';
import type { NewNotice } from '../../shared/notices/notice.ts';
import { ok } from '../../shared/result.ts';
import { refuse, type StoreRequest, type StoreResult } from '../storage/store-request.ts';
import type { Attempted } from './attempt.ts';
import type { Deliveries } from './deliveries.ts';
import type { StoredNotice } from './notice-rows.ts';
import type { Tables } from './tables.ts';
import { unknown } from './webhook-changes.ts';
import type { StoredWebhook } from './webhook-rows.ts';

/** Makes one attempt at once, even if the webhook is disabled or has other notices to retry. */
export async function sendTest(
  tables: Tables,
  deliveries: Deliveries,
  request: StoreRequest,
  id: string,
  send: (webhook: StoredWebhook, notice: StoredNotice) => Promise<Attempted>,
): Promise<StoreResult<DeliveryInfo>> {
  const { webhooks, notices, room, storage } = tables;
  const kept = tables.transact(request, 1, ({ at }) => {
    if (webhooks.get(id) === null) return unknown();
    if (!room.make(1, at))
      return refuse('STORAGE_FULL', 'too many notices wait for webhooks: try again later');
    const notice: NewNotice = {
      ...{ key: `test ${crypto.randomUUID()}`, type: 'test', at, subject: `webhook ${id}` },
      ...{ data: { webhook: id, message: 'This is a test.' }, mock: true, respondBy: null },
    };
    return ok({ version: notices.add(notice, JSON.stringify(notice.data), at) });
  });
  if (!kept.ok) return kept;
  const { version } = kept.value;
  const [webhook, notice] = [webhooks.get(id), notices.get(version)];
  if (webhook === null || notice === null) return unknown();
  // A repeated request makes no second attempt.
  if (notice.attempts === 0) {
    const result = await send(webhook, notice);
    const state = result.error === null ? 'delivered' : 'failed';
    storage.transactionSync(() => deliveries.record(id, version, state, result, Date.now()));
  }
  const delivery = tables.deliveries.get(id, version);
  return delivery === null ? unknown() : ok(delivery);
}
