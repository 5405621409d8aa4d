/**
 * The calls to the coordinator that concern sharing: the clients that control serves, and the keys of feed consumers.
 */
import type { Right } from '../../shared/clients.ts';
import type { ClientSource } from '../storage/coordinator-port.ts';
import type { Precondition } from '../storage/precondition.ts';
import { CORE } from './admin-calls.ts';
import type { ChangeRequest } from './change-request.ts';
import { issueFeedKey } from './feed-keys.ts';
import { clientsWith } from './partners.ts';
import { ResponseCalls } from './response-calls.ts';

export abstract class SharingCalls extends ResponseCalls implements ClientSource {
  async clientsWith(right: Right) {
    return clientsWith(right, this[CORE].tables);
  }

  /** @param keyId new and random */
  async issueFeedKey(request: ChangeRequest, id: string, keyId: string, condition: Precondition) {
    const { tables, clientChanges } = this[CORE];
    return issueFeedKey(tables, clientChanges, request, id, keyId, condition);
  }
}
