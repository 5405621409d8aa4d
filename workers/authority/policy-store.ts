/**
 * The gateway policy, as one value of the ledger. It stands in every head, so a change of it is a change of
 * the head.
 */
import { type Policy, STANDARD_POLICY, type VersionedPolicy } from '../../shared/policy/policy.ts';
import type { Condition } from './clients-store.ts';
import type { Ledger } from './ledger.ts';
import { made, type Order, type Outcome, refuse } from './order.ts';
import { GROWTH } from './room.ts';

const NAME = 'policy';

/** The one that comes with the code, until it is changed. */
export function policyIn(ledger: Ledger): VersionedPolicy {
  const stored = ledger.get(NAME);
  return stored === null ? STANDARD_POLICY : (JSON.parse(stored) as VersionedPolicy);
}

export function restorePolicy(ledger: Ledger, policy: VersionedPolicy): void {
  ledger.set(NAME, JSON.stringify(policy));
}

export function putPolicy(
  ledger: Ledger,
  order: Order,
  policy: Policy,
  { match }: Condition,
): Outcome<VersionedPolicy & { seq: number }> {
  return ledger.change(order, GROWTH, (seq) => {
    const before = policyIn(ledger);
    if (match !== null && match !== String(before.version)) {
      return refuse('PRECONDITION_FAILED', `the policy has version ${before.version} by now: read it again`);
    }
    const after: VersionedPolicy = { version: seq, policy };
    ledger.set(NAME, JSON.stringify(after));
    return made(after, [{ action: 'policy.put', subject: 'policy', before, after }]);
  });
}
