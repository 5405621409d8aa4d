/**
 * Formats a decision for `/v1/check`. Pure.
 */

import { toE164 } from '../numbers/number.ts';
import type { ScreenRequest, Sender } from '../request.ts';
import type { Reason, Subject } from '../verdict.ts';
import { withReferences } from './appeal-reference.ts';
import type { Decision } from './decision.ts';
import { formatText, type TextAnswer } from './screened-text.ts';
import type { Snapshot } from './snapshot.ts';

/** A decision as it is sent, with the parsed parties. */
export interface CheckResponse
  extends Omit<Decision, 'identity' | 'policy' | 'reading' | 'readings' | 'reasons' | 'text'> {
  readonly reasons: readonly Reason[];
  readonly from: string | null;
  readonly to: string | null;
  /** Every number that a subject can mean, if there are several. */
  readonly readings?: Partial<Record<Subject, readonly (string | null)[]>>;
  /** Only for a request with a text. */
  readonly text?: TextAnswer;
}

/** @param decision on this request, from a snapshot with these keys */
export function formatDecision(
  request: ScreenRequest,
  decision: Decision,
  { keys }: Pick<Snapshot, 'keys'>,
): CheckResponse {
  const { verdict, subject, reasons, action, unenforced, reading = request, readings, text } = decision;
  const response: { -readonly [Name in keyof CheckResponse]: CheckResponse[Name] } = {
    verdict,
    subject,
    from: formatParty(reading.from),
    to: formatParty(reading.to),
    reasons: withReferences(reasons, keys.appealKey),
  };
  if (action !== undefined) response.action = action;
  if (unenforced !== undefined) response.unenforced = unenforced;
  if (readings !== undefined) {
    const formatted = Object.entries(readings).map(([each, parties]) => [each, parties.map(formatParty)]);
    response.readings = Object.fromEntries(formatted);
  }
  if (text !== undefined) response.text = formatText(text);
  return response;
}

/** A party as it is sent: E.164, short code, or the text of the source; null if withheld. */
export function formatParty(party: Sender | null): string | null {
  if (party === null) return null;
  switch (party.kind) {
    case 'number':
      return toE164(party.n);
    case 'shortCode':
      return party.code;
    case 'localNumber':
      return party.digits;
    case 'source':
      return party.text;
    case 'withheld':
      return null;
  }
}
