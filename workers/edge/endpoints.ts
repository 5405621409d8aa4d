/**
 * The two kinds of check: the fields of each, the right it needs, and the format of its responses. Everything
 * else is shared.
 */

import type { Right } from '../../shared/clients.ts';
import type { ScreenRequest } from '../../shared/request.ts';
import { type CheckResponse, formatDecision } from '../../shared/screening/check-response.ts';
import type { Decision } from '../../shared/screening/decision.ts';
import { toGatewayResponse } from '../../shared/screening/gateway-response.ts';
import { GATEWAY_FIELDS } from '../../shared/screening/parse-gateway-request.ts';
import { CHECK_FIELDS, type RequestFields } from '../../shared/screening/parse-request.ts';
import type { Snapshot } from '../../shared/screening/snapshot.ts';

export interface CheckEndpoint {
  readonly right: Right;
  readonly fields: RequestFields;
  /** Advice for clients with more items than a batch allows. */
  readonly more: string;
  format(request: ScreenRequest, decision: Decision, snapshot: Snapshot): CheckResponse;
}

/** Checks a text before it is sent. */
export const CHECK_ENDPOINT: CheckEndpoint = {
  right: 'check',
  fields: CHECK_FIELDS,
  more: 'use /v1/check/stream',
  format: formatDecision,
};

/** Checks an incoming text or call at a gateway. */
export const GATEWAY_ENDPOINT: CheckEndpoint = {
  right: 'gateway',
  fields: GATEWAY_FIELDS,
  more: 'send several batches',
  format: toGatewayResponse,
};
