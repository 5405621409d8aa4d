/**
 * The qualification of an organisation in a check before sending. A suspended, cancelled or expired one blocks for every
 * client; one that nobody has certified yet matters only to a client that requires it.
 */
import { stateAt } from '../senders/qualification.ts';
import type { Code, Effect } from '../verdict.ts';
import { type Finding, ruleFinding } from './finding.ts';
import { EFFECTS } from './registration.ts';
import type { ClientSettings, Snapshot } from './snapshot.ts';

/** Finds whether this organisation may send now. Each organisation needs one call at most. */
export function screenQualification(
  organisation: string,
  { organisations, now }: Snapshot,
  { requireQualification }: ClientSettings,
  findings: Finding[],
): void {
  const qualification = organisations.get(organisation)?.qualification ?? null;
  const state = qualification === null ? 'pending' : stateAt(qualification, now);
  switch (state) {
    case 'certified':
      return;
    case 'rateReduced':
      findings.push(found('label', 'SENDER_RATE_REDUCED', qualification!.factor));
      return;
    case 'suspended':
      findings.push(found('block', 'SENDER_SUSPENDED'));
      return;
    case 'cancelled':
    case 'expired':
      findings.push(found('block', 'SENDER_UNQUALIFIED'));
      return;
    case 'pending':
      if (requireQualification !== 'off')
        findings.push(found(EFFECTS[requireQualification], 'SENDER_UNQUALIFIED'));
  }
}

function found(effect: Effect, code: Code, factor: number | null = null): Finding {
  const hit = ruleFinding(effect, code, 'qualification', 'registration');
  return factor === null ? hit : { ...hit, reason: { ...hit.reason, factor } };
}
