/**
 * The kinds of check: the fields of each, the right it needs, and the format of its responses. Everything
 * else is shared.
 */

import type { Right } from '../../shared/clients.ts';
import type { ScreenRequest } from '../../shared/request.ts';
import { type CheckResponse, formatDecision } from '../../shared/screening/check-response.ts';
import type { Decision } from '../../shared/screening/decision.ts';
import { toGatewayResponse } from '../../shared/screening/gateway-response.ts';
import { GATEWAY_FIELDS } from '../../shared/screening/parse-gateway-request.ts';
import { CHECK_FIELDS, type RequestFields } from '../../shared/screening/parse-request.ts';
import { formatSenderCheck, SENDER_FIELDS } from '../../shared/screening/sender-check.ts';
import type { ClientSettings, Snapshot } from '../../shared/screening/snapshot.ts';

export interface CheckEndpoint {
  readonly right: Right;
  readonly fields: RequestFields;
  /** Advice for clients with more items than a batch allows. */
  readonly more: string;
  /** Whether the client sends nothing, and only wants to know what would happen. */
  readonly isPreview: boolean;
  /** Whether to refuse bodies that are not UTF-8. Not at gateways: a byte of a sender must not trigger the fail policy. */
  readonly mustBeUtf8: boolean;
  format(
    request: ScreenRequest,
    decision: Decision,
    snapshot: Snapshot,
    settings: ClientSettings,
  ): CheckResponse;
}

/** Checks a text before it is sent. */
export const CHECK_ENDPOINT: CheckEndpoint = {
  right: 'check',
  fields: CHECK_FIELDS,
  more: 'use /v1/check/stream',
  isPreview: false,
  mustBeUtf8: true,
  format: formatDecision,
};

/** Checks an incoming text or call at a gateway. */
export const GATEWAY_ENDPOINT: CheckEndpoint = {
  right: 'gateway',
  fields: GATEWAY_FIELDS,
  more: 'send several batches',
  isPreview: false,
  mustBeUtf8: false,
  format: toGatewayResponse,
};

/** Checks what would happen to a text from a sender. */
export const SENDER_ENDPOINT: CheckEndpoint = {
  right: 'check',
  fields: SENDER_FIELDS,
  more: 'use /v1/check/batch',
  isPreview: true,
  mustBeUtf8: true,
  format: formatSenderCheck,
};
