/**
 * Test numbers with a fixed decision, whatever the lists say, so that clients can test every verdict and
 * code. 010-0000-00NN: NN is the position of the code in CODES. The plan leaves all of 010-0000 unused, so
 * none can ever be a subscriber.
 */
import { AGAINST_CODES, CODES, type Code, type Verdict } from './verdict.ts';

/** +82 10-0000-0000. */
export const TEST_NUMBER_BASE = 82_10_0000_0000;

/** Whether the number is 010-0000-XXXX. Nobody can ever have one, so mock clients and mock partners use them all. */
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

/** The verdict of a code alone. */
export function verdictOf(code: Code): Verdict {
  if (LABELS.includes(code)) return 'label';
  if (INDETERMINATES.includes(code)) return 'indeterminate';
  return AGAINST_CODES.includes(code) ? 'block' : 'allow';
}

/** One per code; the one of TEST_NUMBER is the plain `allow`. */
export const TEST_NUMBERS: readonly TestNumber[] = CODES.map((code, index) => ({
  n: TEST_NUMBER_BASE + index + 1,
  code,
  verdict: verdictOf(code),
}));

/** The fixed decision for a number, or null for every other number. */
export function findTestNumber(n: number): TestNumber | null {
  const index = n - TEST_NUMBER_BASE - 1;
  return index >= 0 && index < TEST_NUMBERS.length ? TEST_NUMBERS[index]! : null;
}
