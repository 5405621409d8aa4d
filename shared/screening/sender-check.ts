/**
 * `/v1/senders/check`: what would happen to a text from this sender. The response is that of a check, and also says
 * whether the sender is registered for the client, even if the client does not require it.
 */
import { type Client, registrantOf } from '../clients.ts';
import { fieldError } from '../fields.ts';
import type { Registration } from '../release/registered-senders.ts';
import type { ScreenRequest } from '../request.ts';
import { registrationOf } from '../senders/registered.ts';
import { type CheckResponse, formatDecision } from './check-response.ts';
import type { Decision } from './decision.ts';
import { CHECK_FIELDS, DONE, type RequestFields } from './parse-request.ts';
import type { ClientSettings, Snapshot } from './snapshot.ts';

export interface SenderCheckResponse extends CheckResponse {
  /** Null if the sender can mean several numbers. */
  readonly registration: Registration | null;
  readonly requireRegistration: Client['requireRegistration'];
}

/** The fields of `/v1/check`, except that the sender is required and `text` is refused. */
export const SENDER_FIELDS: RequestFields = {
  ...CHECK_FIELDS,
  parse(draft, field, value, internationalPrefix) {
    if (field === 'text') return NO_TEXT_HERE;
    return CHECK_FIELDS.parse(draft, field, value, internationalPrefix);
  },
  check: ({ from }) =>
    from === null ? fieldError('FIELD_MISSING', 'from', 'is missing: send the sender to check') : DONE,
};

const NO_TEXT_HERE = fieldError(
  'FIELD_UNKNOWN',
  'text',
  'is not a field of this request, which checks only the sender: use /v1/check',
);

export function formatSenderCheck(
  request: ScreenRequest,
  decision: Decision,
  snapshot: Snapshot,
  settings: ClientSettings,
): SenderCheckResponse {
  const { reading = request } = decision;
  return {
    ...formatDecision(request, decision, snapshot),
    registration: statusOf(reading, snapshot, settings),
    requireRegistration: settings.requireRegistration,
  };
}

function statusOf(
  { from }: ScreenRequest,
  snapshot: Snapshot,
  settings: ClientSettings,
): Registration | null {
  if (from === null) return null;
  if (from.kind === 'number') return registrationOf(from.n, registrantOf(settings), snapshot);
  return from.kind === 'shortCode' && settings.shortCodes.includes(from.code) ? 'own' : 'none';
}
