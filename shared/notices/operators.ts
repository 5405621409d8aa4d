/** Finds the operators to notify about a Korean mobile number: the operator of its range, as far as that is known. */
import { MOBILE_FIRST, MOBILE_LAST } from '../numbers/mobile-numbers.ts';
import { KR_OPERATOR_RANGES } from '../numbers/operator-ranges.ts';

/** An organisation with the role `operator` that reads its notices. */
export interface NotifiedOperator {
  readonly id: string;
  readonly authority: string | null;
}

/**
 * Returns the operators that can inform the owner of a number. This is the operator whose ID or authority is the name
 * of the range's operator (data/kr-operator-ranges.json). If the number was ported away, it passes the notice on. Ranges
 * are incomplete: without such an operator, all operators get the notice. Returns none if the number is not mobile.
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
