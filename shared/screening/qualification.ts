/**
 * Qualifications in a check before sending: that of the client's organisation, and those of the organisations in the
 * chain of its message token. A suspended, cancelled or expired qualification blocks for every client. A pending one
 * matters only to a client that requires certification. A suspended organisation blocks too: its own clients have no
 * key then, but other clients could name it in a chain.
 */
import { flat } from '../flat.ts';
import type { ScreenRequest } from '../request.ts';
import { stateAt } from '../senders/qualification.ts';
import type { Code, Effect } from '../verdict.ts';
import { type Finding, ruleFinding } from './finding.ts';
import { EFFECTS } from './registration.ts';
import type { ClientSettings, Snapshot } from './snapshot.ts';

export function screenQualifications(
  { senderToken }: ScreenRequest,
  snapshot: Snapshot,
  { organisation: own, requireQualification }: ClientSettings,
  findings: Finding[],
): void {
  screenOne(own, requireQualification, snapshot, findings);
  const token = senderToken === undefined ? undefined : snapshot.tokens.get(senderToken);
  if (token?.kind !== 'verified') return;
  for (const [place, { organisation }] of token.links.entries()) {
    // The holder of the numbers sends its own texts. Only the relays and resellers after it need a certification.
    const requirement = place === 0 ? 'off' : requireQualification;
    if (organisation !== own) screenOne(organisation, requirement, snapshot, findings);
  }
}

/** @param requirement for an organisation that is not certified yet */
function screenOne(
  organisation: string,
  requirement: ClientSettings['requireQualification'],
  { organisations, now }: Snapshot,
  findings: Finding[],
): void {
  const { qualification = null, isSuspended = false } = organisations.get(organisation) ?? {};
  if (isSuspended) {
    findings.push(found('block', 'SENDER_SUSPENDED', organisation, null, 'suspended here: '));
    return;
  }
  const state = qualification === null ? 'pending' : stateAt(qualification, now);
  switch (state) {
    case 'certified':
      break;
    case 'rateReduced':
      findings.push(found('label', 'SENDER_RATE_REDUCED', organisation, qualification!.factor));
      break;
    case 'suspended':
      findings.push(found('block', 'SENDER_SUSPENDED', organisation));
      break;
    case 'cancelled':
    case 'expired':
      findings.push(found('block', 'SENDER_UNQUALIFIED', organisation));
      break;
    case 'pending':
      if (requirement !== 'off')
        findings.push(found(EFFECTS[requirement], 'SENDER_UNQUALIFIED', organisation));
  }
}

const REGISTER = 'see /v1/register/';

function found(
  effect: Effect,
  code: Code,
  organisation: string,
  factor: number | null = null,
  where = REGISTER,
): Finding {
  const hit = ruleFinding(effect, code, 'qualification', 'registration');
  const detail = flat(where, organisation);
  return { ...hit, reason: { ...hit.reason, detail, ...(factor === null ? {} : { factor }) } };
}
