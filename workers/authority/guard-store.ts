/**
 * The settings of the guards, as one value of the ledger.
 */
import { keyedNumber } from '../../shared/audit.ts';
import { DEFAULT_GUARDS, type GuardSettings } from '../../shared/release/guards.ts';
import type { ListKeys } from '../../shared/set/keys.ts';
import type { Ledger } from './ledger.ts';
import { made, type Order, type Outcome } from './order.ts';
import { GROWTH } from './room.ts';

export function guardsIn(ledger: Ledger): GuardSettings {
  const stored = ledger.get('guards');
  return stored === null ? DEFAULT_GUARDS : (JSON.parse(stored) as GuardSettings);
}

export function putGuards(
  ledger: Ledger,
  order: Order,
  guards: GuardSettings,
  keys: ListKeys,
): Outcome<GuardSettings> {
  /** As the log has them: no number in clear. */
  const told = ({ protectedNumbers, ...rest }: GuardSettings): object => ({
    ...rest,
    protectedNumbers: protectedNumbers.map((n) => keyedNumber(n, keys)),
  });
  return ledger.note(order, GROWTH, () => {
    const before = guardsIn(ledger);
    ledger.set('guards', JSON.stringify(guards));
    return made(guards, [
      { action: 'guards.put', subject: 'guards', before: told(before), after: told(guards) },
    ]);
  });
}
