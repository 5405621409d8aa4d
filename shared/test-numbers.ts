/**
 * Test numbers have a fixed decision, whatever the lists say, so that clients can test every verdict and
 * code. In 010-0000-00NN, NN is the position of the code in CODES. The numbering plan leaves all of 010-0000
 * unused, so no test number can ever belong to a subscriber.
 */
import { AGAINST_CODES, CODES, type Code, type Verdict } from './verdict.ts';

/** +82 10-0000-0000. */
export const TEST_NUMBER_BASE = 82_10_0000_0000;

/** Whether the number is 010-0000-XXXX. Nobody can ever have these, so mock clients and mock partners use all of them. */
export function isTestNumber(n: number): boolean {
  return n >= TEST_NUMBER_BASE && n < TEST_NUMBER_BASE + 10_000;
}

export interface TestNumber {
  readonly n: number;
  readonly code: Code;
  readonly verdict: Verdict;
}

const LABELS: readonly Code[] = [
  'MOBILE_CLI_ROAMING_UNVERIFIED',
  'OVERSEAS_ORIGIN',
  'SENDER_RATE_REDUCED',
  'TEXT_SUSPICIOUS',
];
const INDETERMINATES: readonly Code[] = ['LIST_STALE', 'LIST_UNAVAILABLE', 'NUMBER_AMBIGUOUS'];

/** Returns the verdict that a code has on its own. */
export function verdictOf(code: Code): Verdict {
  if (LABELS.includes(code)) return 'label';
  if (INDETERMINATES.includes(code)) return 'indeterminate';
  return AGAINST_CODES.includes(code) ? 'block' : 'allow';
}

/** One test number per code. The test number of TEST_NUMBER is the plain `allow`. */
export const TEST_NUMBERS: readonly TestNumber[] = CODES.map((code, index) => ({
  n: TEST_NUMBER_BASE + index + 1,
  code,
  verdict: verdictOf(code),
}));

/** Returns the fixed decision for a test number, or null for every other number. */
export function findTestNumber(n: number): TestNumber | null {
  const index = n - TEST_NUMBER_BASE - 1;
  return index >= 0 && index < TEST_NUMBERS.length ? TEST_NUMBERS[index]! : null;
}
