/** Which operators are notified about a Korean mobile number: the one that got its range, as far as that is known. */
import { MOBILE_FIRST, MOBILE_LAST } from '../numbers/mobile-numbers.ts';
import { KR_OPERATOR_RANGES } from '../numbers/operator-ranges.ts';

/** An organisation with the role `operator` that reads its notices. */
export interface NotifiedOperator {
  readonly id: string;
  readonly authority: string | null;
}

/**
 * The operators that can inform the owner of a number: the one whose ID or authority is the name of the operator of
 * the range (data/kr-operator-ranges.json). Numbers are portable and ranges incomplete, so it passes the notice on if
 * the number has left it; without such an operator, all of them get it. None for a number that is not mobile.
 * @param number E.164
 */
export function ownersOperators(
  number: string | null,
  operators: readonly NotifiedOperator[],
): readonly NotifiedOperator[] {
  const n = number === null ? 0 : Number(number);
  if (!(n >= MOBILE_FIRST && n <= MOBILE_LAST)) return [];
  const range = KR_OPERATOR_RANGES.find(({ from, to }) => n >= from && n <= to);
  const own = operators.filter(
    ({ id, authority }) => range?.operator === id || range?.operator === authority,
  );
  return own.length > 0 ? own : operators;
}
