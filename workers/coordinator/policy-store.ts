/**
 * The gateway policy, stored as one value of the ledger. It is part of the head, so changing it changes the
 * head.
 */
import { type Policy, STANDARD_POLICY, type VersionedPolicy } from '../../shared/policy/policy.ts';
import { applied, type ChangeRequest, type ChangeResult, refuse } from './change-request.ts';
import type { Precondition } from './clients-store.ts';
import type { Ledger } from './ledger.ts';
import { GROWING_CHANGE } from './storage-budget.ts';

const NAME = 'policy';

/** The built-in policy, until it is changed. */
export function policyIn(ledger: Ledger): VersionedPolicy {
  const stored = ledger.get(NAME);
  return stored === null ? STANDARD_POLICY : (JSON.parse(stored) as VersionedPolicy);
}

export function restorePolicy(ledger: Ledger, policy: VersionedPolicy): void {
  ledger.set(NAME, JSON.stringify(policy));
}

export function putPolicy(
  ledger: Ledger,
  request: ChangeRequest,
  policy: Policy,
  { match }: Precondition,
): ChangeResult<VersionedPolicy & { seq: number }> {
  return ledger.change(request, GROWING_CHANGE, (seq) => {
    const before = policyIn(ledger);
    if (match !== null && match !== String(before.version)) {
      return refuse('PRECONDITION_FAILED', `the policy has version ${before.version} by now: read it again`);
    }
    const after: VersionedPolicy = { version: seq, policy };
    ledger.set(NAME, JSON.stringify(after));
    return applied(after, [{ action: 'policy.put', subject: 'policy', before, after }]);
  });
}
