/**
 * The guard settings, stored as one value of the ledger.
 */
import { keyedNumber } from '../../shared/audit.ts';
import { DEFAULT_GUARDS, type GuardSettings } from '../../shared/release/guards.ts';
import type { ListKeys } from '../../shared/set/keys.ts';
import { applied, type ChangeRequest, type ChangeResult } from './change-request.ts';
import type { Ledger } from './ledger.ts';
import { GROWING_CHANGE } from './storage-budget.ts';

export function guardsIn(ledger: Ledger): GuardSettings {
  const stored = ledger.get('guards');
  return stored === null ? DEFAULT_GUARDS : (JSON.parse(stored) as GuardSettings);
}

export function putGuards(
  ledger: Ledger,
  request: ChangeRequest,
  guards: GuardSettings,
  keys: ListKeys,
): ChangeResult<GuardSettings> {
  /** As written to the audit log, with no number in plain text. */
  const reported = ({ protectedNumbers, ...rest }: GuardSettings): object => ({
    ...rest,
    protectedNumbers: protectedNumbers.map((n) => keyedNumber(n, keys)),
  });
  return ledger.note(request, GROWING_CHANGE, () => {
    const before = guardsIn(ledger);
    ledger.set('guards', JSON.stringify(guards));
    return applied(guards, [
      { action: 'guards.put', subject: 'guards', before: reported(before), after: reported(guards) },
    ]);
  });
}
