/**
 * Issues the secrets of feed consumers. The coordinator stores only their IDs. The secrets derive from SHARING_KEY,
 * which the coordinator does not use.
 */
import type { Client } from '../../shared/clients.ts';
import { checkPrecondition, type Precondition, versionOf } from '../storage/precondition.ts';
import { applied, type ChangeRequest, type ChangeResult, refuse, refuseField } from './change-request.ts';
import type { ClientChanges } from './client-changes.ts';
import { FREEING_CHANGE } from './storage-budget.ts';
import type { Tables } from './tables.ts';

export interface FeedKeyIssued {
  readonly id: string;
  readonly keyId: string;
  /** Version of the client, for its ETag. */
  readonly version: string;
}

/**
 * From now on, the feed encrypts the data of the client with the secret of this ID.
 * @param keyId a new random ID
 */
export function issueFeedKey(
  { clients, ledger }: Tables,
  clientChanges: ClientChanges,
  request: ChangeRequest,
  id: string,
  keyId: string,
  condition: Precondition,
): Promise<ChangeResult<FeedKeyIssued>> {
  // Runs in turn, because a concurrent change of the client would restore the old key ID.
  return clientChanges.inTurn(async () =>
    ledger.transact<FeedKeyIssued>(request, FREEING_CHANGE, () => {
      const before = clients.get(id);
      if (before === null) return refuse('CLIENT_UNKNOWN', 'there is no client with this id');
      const allowed = checkPrecondition(condition, before);
      if (!allowed.ok) return allowed;
      if (before.feed?.encryption !== 'dir') {
        const remedy = 'set the encryption of the client to "dir" first, with clients set --feed dir';
        return refuseField('client.feed', `must be "dir" for a key from the service: ${remedy}`);
      }
      const client: Client = { ...before, feed: { encryption: 'dir', keyId } };
      return applied({ id, keyId, version: versionOf(client) }, [clients.put(id, client)]);
    }),
  );
}
