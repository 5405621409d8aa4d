/**
 * The numbers that can be registered: Korean numbers of one block that a subscriber can have and send from.
 */
import table from '../../data/kr-sender-rules.json' with { type: 'json' };
import { REGISTRATION_NUMBERS_MAX } from '../limits/registrations.ts';
import { BLOCK_NUMBERS, isUnallocatedBlock } from '../numbers/blocks.ts';
import { toE164 } from '../numbers/number.ts';
import { parseParty } from '../numbers/parse.ts';
import { isEmergency, isEmergencyNumber } from '../numbers/plan.ts';
import { senderRule } from '../numbers/sender-rules.ts';
import type { Span } from '../numbers/spans.ts';
import { isValidNumber } from '../numbers/validity.ts';
import { type Failure, fail, ok, type Result } from '../result.ts';
import { isTestNumber } from '../test-numbers.ts';

/** The reason for each rule, to follow "because". */
const whyById = new Map(
  table.rows.map(({ id, why }) => [id, `${why[0]!.toLowerCase()}${why.slice(1).replace(/\.$/, '')}`]),
);

export type NumberProblem =
  | 'NUMBER_INVALID'
  | 'NUMBER_AMBIGUOUS'
  | 'NUMBER_EMERGENCY'
  | 'NUMBER_NOT_ALLOCATED'
  | 'NUMBER_PROTECTED'
  | 'NUMBER_NO_SENDER'
  | 'RANGE_ORDER'
  | 'RANGE_ACROSS_BLOCKS';

const EMERGENCY = fail('NUMBER_EMERGENCY', 'is an emergency number: nobody sends from it');

/**
 * Parses a number, or a range `<number>..<number>`. Messages continue the sentence after the name of the field.
 * @param isMock whether the numbers for mock clients may be used
 */
export function parseSenderNumbers(
  text: string,
  protectedNumbers: readonly number[],
  isMock: boolean,
): Result<Span, Failure<NumberProblem>> {
  const parts = text.split('..');
  if (parts.length > 2) return fail('NUMBER_INVALID', 'must be one number, or two with ".." between them');
  const first = parseNumber(parts[0]!);
  if (!first.ok) return first;
  const last = parts.length === 1 ? first : parseNumber(parts[1]!);
  if (!last.ok) return last;
  const span = { from: first.value, to: last.value };
  if (span.from > span.to) return fail('RANGE_ORDER', 'must begin with its lowest number');
  if (Math.floor(span.from / BLOCK_NUMBERS) !== Math.floor(span.to / BLOCK_NUMBERS)) {
    const size = REGISTRATION_NUMBERS_MAX.toLocaleString('en');
    return fail('RANGE_ACROSS_BLOCKS', `must stay within one block of ${size} numbers`);
  }
  return checkSpan(span, protectedNumbers, isMock);
}

/** Formats a span in E.164: `+8215881234`, or `+82221230000..+82221230099`. */
export function formatSenderNumbers({ from, to }: Span): string {
  return from === to ? toE164(from) : `${toE164(from)}..${toE164(to)}`;
}

/** @param text as `formatSenderNumbers` returns it */
export function spanOf(text: string): Span {
  const [from, to = from] = text.split('..').map((each) => Number(each.slice(1)));
  return { from: from!, to: to! };
}

function parseNumber(text: string): Result<number, Failure<NumberProblem>> {
  const party = parseParty(text);
  switch (party.kind) {
    case 'number':
      return ok(party.n);
    case 'ambiguous':
      return fail('NUMBER_AMBIGUOUS', 'can mean several numbers: write it with +82');
    case 'shortCode':
      if (isEmergency(party.code)) return EMERGENCY;
      return fail('NUMBER_NO_SENDER', 'is a short code: set it as a short code of the client instead');
    case 'localNumber':
      return fail('NUMBER_INVALID', 'has no area code: write it with one');
    case 'source':
      return fail('NUMBER_NO_SENDER', 'is not a number: only numbers are registered');
    case 'invalid':
      return fail('NUMBER_INVALID', 'is not a telephone number');
  }
}

/** Checks only the first and last number, because a block has one class (test/shared/senders/validation.test.ts). */
function checkSpan(
  span: Span,
  protectedNumbers: readonly number[],
  isMock: boolean,
): Result<Span, Failure<NumberProblem>> {
  const block = Math.floor(span.from / BLOCK_NUMBERS);
  for (const n of [span.from, span.to]) {
    if (isEmergencyNumber(n)) return EMERGENCY;
    if (!isValidNumber(n)) return fail('NUMBER_INVALID', 'cannot exist under the numbering plan');
    const rule = senderRule({ kind: 'number', n, carrierPrefix: null }, []);
    if (rule !== null) return fail('NUMBER_NO_SENDER', `cannot be a sender, because ${whyById.get(rule)!}`);
  }
  if (isUnallocatedBlock(block) && !(isMock && isTestNumber(span.from))) {
    return fail('NUMBER_NOT_ALLOCATED', 'is in a block that is not allocated');
  }
  if (protectedNumbers.some((n) => n >= span.from && n <= span.to)) {
    return fail('NUMBER_PROTECTED', 'is protected: only its owner may use it');
  }
  return ok(span);
}
