/** Checks the request for an evidence file: the sender and the period. */
import type { MakeEvidence } from '../../shared/admin/evidence-files.ts';
import type { EvidenceSender } from '../../shared/evidence-file/manifest.ts';
import { type FieldError, fieldError } from '../../shared/fields.ts';
import { EVIDENCE_PERIOD_DAYS_MAX } from '../../shared/limits/evidence-files.ts';
import { toE164 } from '../../shared/numbers/number.ts';
import { parseListed } from '../../shared/numbers/parse.ts';
import { ok, type Result } from '../../shared/result.ts';
import { formatSource, parseSource, type Source } from '../../shared/sources/source.ts';
import { DAY_MS } from '../../shared/time.ts';
import type { EvidencePeriod } from '../storage/evidence-port.ts';

/** A number or a sender ID. An organisation stands for its registered numbers. */
export type Party =
  | { readonly kind: 'number'; readonly n: number }
  | { readonly kind: 'source'; readonly source: Source<'senderId'> };

export interface EvidenceRequest {
  readonly sender: EvidenceSender;
  /** Null for an organisation. */
  readonly party: Party | null;
  readonly organisation: string | null;
  readonly period: EvidencePeriod;
  /** Size of the tree of the log; null for the current tree. */
  readonly size: number | null;
  readonly reason: string;
}

export function evidenceRequest(
  { sender, from, to, size, reason }: MakeEvidence,
  now: number,
): Result<EvidenceRequest, FieldError> {
  const period = { from: Date.parse(from), to: Date.parse(to) };
  if (period.to <= period.from) return fieldError('FIELD_VALUE', 'to', 'must be later than "from"');
  if (period.to > now) {
    return fieldError('FIELD_VALUE', 'to', 'must not be in the future');
  }
  if (period.to - period.from > EVIDENCE_PERIOD_DAYS_MAX * DAY_MS) {
    const most = `at most ${EVIDENCE_PERIOD_DAYS_MAX} days before "to": make a file for each part of the period`;
    return fieldError('FIELD_VALUE', 'from', `must be ${most}`);
  }
  const rest = { period, size: size ?? null, reason };
  if ('organisation' in sender) {
    return ok({ ...rest, sender, party: null, organisation: sender.organisation });
  }
  const party = 'number' in sender ? numberOf(sender.number) : sourceOf(sender.source);
  if (!party.ok) return party;
  return ok({ ...rest, sender: senderOf(party.value), party: party.value, organisation: null });
}

function numberOf(text: string): Result<Party, FieldError> {
  const party = parseListed(text);
  if (party.kind === 'number' && party.carrierPrefix === null) return ok({ kind: 'number', n: party.n });
  const detail = 'must be one number: write + and the country code, or a Korean number with its area code';
  return fieldError('FIELD_VALUE', 'sender.number', detail);
}

function sourceOf(text: string): Result<Party, FieldError> {
  const parsed = parseSource(text);
  if (parsed.ok && parsed.value.kind === 'senderId') {
    return ok({ kind: 'source', source: parsed.value as Source<'senderId'> });
  }
  return fieldError('FIELD_VALUE', 'sender.source', 'must be a sender ID; send a number as "number"');
}

export function senderOf(party: Party): EvidenceSender {
  return party.kind === 'number' ? { number: toE164(party.n) } : { source: formatSource(party.source) };
}
