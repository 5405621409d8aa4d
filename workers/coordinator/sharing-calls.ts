/**
 * RPC methods of the coordinator for sharing: the clients that control serves, the keys of feed consumers, webhooks,
 * and the data for the router of notices and the counters of usage.
 */
import type { Right } from '../../shared/clients.ts';
import { OWNER_USED_TEXTS_DEFAULT } from '../../shared/limits/notice-sources.ts';
import type { ChainAnchor } from '../storage/chain-anchor.ts';
import type { ClientSource } from '../storage/coordinator-port.ts';
import type { NoticeKeeper, OwnerUsedSettings } from '../storage/notice-sources-port.ts';
import type { Precondition } from '../storage/precondition.ts';
import { CORE } from './admin-calls.ts';
import type { ChangeRequest } from './change-request.ts';
import { issueFeedKey } from './feed-keys.ts';
import { clientsWith } from './partners.ts';
import { ResponseCalls } from './response-calls.ts';

export abstract class SharingCalls
  extends ResponseCalls
  implements ClientSource, NoticeKeeper, OwnerUsedSettings
{
  async clientsWith(right: Right) {
    return clientsWith(right, this[CORE].tables);
  }

  /** @param end end of the audit chain of the organisation's webhooks */
  async anchorWebhooks(organisation: string, end: ChainAnchor) {
    return this[CORE].registrationFacts.anchor('webhooks', organisation, end);
  }

  /** @param keyId a new random ID */
  async issueFeedKey(request: ChangeRequest, id: string, keyId: string, condition: Precondition) {
    const { tables, clientChanges } = this[CORE];
    return issueFeedKey(tables, clientChanges, request, id, keyId, condition);
  }

  /** For the router of notices: see NoticeKeeper. */
  async noticeOperators() {
    const { organisations, clients } = this[CORE].tables;
    const readers = new Set(
      clients.all.flatMap(({ organisation, rights }) => (rights.includes('notices') ? [organisation] : [])),
    );
    return organisations.all
      .filter(({ roles, state }) => state === 'active' && roles.includes('operator'))
      .map(({ id, authority }) => ({ id, authority, hasReader: readers.has(id) }));
  }

  async qualificationNotices(after: number, limit: number) {
    return this[CORE].qualificationChanges.notices(after, limit);
  }

  async senderCodeOf(client: string) {
    const { organisations, clients } = this[CORE].tables;
    const organisation = clients.get(client)?.organisation;
    return organisation === undefined ? null : (organisations.get(organisation)?.senderCode ?? null);
  }

  /** For the counters of usage. */
  async ownerUsedTexts() {
    return this[CORE].tables.settings.policy.policy.ownerUsedTexts ?? OWNER_USED_TEXTS_DEFAULT;
  }
}
