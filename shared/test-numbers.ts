/**
 * Numbers with a fixed answer, whatever the lists say, so that a client can be tested against every
 * verdict and code. 010-0000-00NN: NN is the place of the code in CODES; the plan leaves all of
 * 010-0000 unused, so none can ever be a subscriber.
 */
import { AGAINST_CODES, CODES, type Code, type Verdict } from './verdict.ts';

/** +82 10-0000-0000. */
export const TEST_NUMBER_BASE = 82_10_0000_0000;

export interface TestAnswer {
  readonly n: number;
  readonly code: Code;
  readonly verdict: Verdict;
}

const LABELS: readonly Code[] = ['MOBILE_CLI_ROAMING_UNVERIFIED', 'OVERSEAS_ORIGIN'];
const INDETERMINATES: readonly Code[] = ['LIST_STALE', 'LIST_UNAVAILABLE', 'NUMBER_AMBIGUOUS'];

function verdictOf(code: Code): Verdict {
  if (LABELS.includes(code)) return 'label';
  if (INDETERMINATES.includes(code)) return 'indeterminate';
  return AGAINST_CODES.includes(code) ? 'block' : 'allow';
}

/** One for each code; the one of TEST_NUMBER is the plain `allow`. */
export const TEST_ANSWERS: readonly TestAnswer[] = CODES.map((code, index) => ({
  n: TEST_NUMBER_BASE + index + 1,
  code,
  verdict: verdictOf(code),
}));

/** The fixed answer of a number, or null for every other number. */
export function testAnswer(n: number): TestAnswer | null {
  const index = n - TEST_NUMBER_BASE - 1;
  return index >= 0 && index < TEST_ANSWERS.length ? TEST_ANSWERS[index]! : null;
}
