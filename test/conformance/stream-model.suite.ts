/**
 * 100,000 lines, compared with plain sets of the listed numbers: no unlisted number is blocked, and no listed
 * number is allowed.
 */
import { describe, expect, it } from 'vitest';
import { MODEL, randomFrom, SEED } from './support/input-lists.ts';
import { inPieces } from './support/pieces.ts';
import { stream } from './support/send.ts';

const LINES = 100_000;

/** Written forms of one number. */
const FORMS: readonly ((digits: string) => string)[] = [
  (digits) => `+82${digits}`,
  (digits) => `0${digits}`,
  (digits) => `0${digits.slice(0, 2)}-${digits.slice(2, 6)}-${digits.slice(6)}`,
  (digits) => `+82 (0)${digits.slice(0, 2)} ${digits.slice(2, 6)} ${digits.slice(6)}`,
  (digits) => `0082${digits}`,
];

function answerOf(number: string): string {
  const { suspended, terminated, unallocated } = MODEL;
  if (suspended.has(number)) return 'block,NUMBER_SUSPENDED';
  if (terminated.has(number)) return 'block,NUMBER_TERMINATED';
  const n = Number(number);
  return unallocated.from <= n && n <= unallocated.to ? 'block,NUMBER_UNALLOCATED' : 'allow,';
}

describe('a stream of 100,000 lines', () => {
  it(`every verdict equals that of the plain sets (seed ${SEED})`, async () => {
    const random = randomFrom(SEED + 1);
    const below = (limit: number): number => Math.floor(random() * limit);
    const listed = [...MODEL.suspended, ...MODEL.terminated];
    const numbers = Array.from({ length: LINES }, () => {
      const member = listed[below(listed.length)]!;
      const kind = below(10);
      if (kind < 3) return member;
      // A neighbour of a listed number, with which an approximate set could confuse it.
      if (kind < 5) return `+${Number(member) + 1 + below(3)}`;
      // 010-0000 holds the test numbers; other tests use 010-3333 and 010-4444.
      const block = kind < 6 ? 1 + below(1_999) : 5_000 + below(5_000);
      return `+8210${String(block).padStart(4, '0')}${String(below(10_000)).padStart(4, '0')}`;
    });
    const lines = numbers.map((number) => FORMS[below(FORMS.length)]!(number.slice(3)));
    const answers = await stream(inPieces(`${lines.join('\n')}\n`, 50_021));
    expect(answers).toHaveLength(LINES);
    const wrong = answers.filter(
      (answer, index) => answer !== `${lines[index]},${answerOf(numbers[index]!)}`,
    );
    expect(wrong).toEqual([]);
    const blocked = answers.filter((answer) => answer.includes(',block,')).length;
    expect(blocked).toBeGreaterThan(LINES / 3);
    expect(blocked).toBeLessThan(LINES / 2);
  });
});
