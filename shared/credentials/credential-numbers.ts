/**
 * The numbers of a credential: `nums`, each a number or a range within one block, in E.164.
 */
import { BLOCK_NUMBERS } from '../numbers/blocks.ts';
import { cover, overlaps, type Span } from '../numbers/spans.ts';
import { type Failure, fail, ok, type Result } from '../result.ts';

/** No Korean number has a 0 after 82. A reader that drops the 0, as registrations do, would find another number. */
const WRITTEN = /^\+(?!820)([1-9]\d{2,14})(?:\.\.\+([1-9]\d{2,14}))?$/;

/** @returns ascending spans that do not touch; messages continue a sentence that begins with the name of the field */
export function parseCredentialNumbers(nums: readonly string[]): Result<Span[], Failure<'NUMBERS_INVALID'>> {
  const spans: Span[] = [];
  for (const each of nums) {
    const [, first, last = first] = WRITTEN.exec(each) ?? [];
    if (first === undefined)
      return fail('NUMBERS_INVALID', 'must have numbers such as "+8215881234", or ranges "+82…..+82…"');
    const span = { from: Number(first), to: Number(last) };
    if (span.from > span.to)
      return fail('NUMBERS_INVALID', 'has a range that does not begin with its lowest number');
    if (Math.floor(span.from / BLOCK_NUMBERS) !== Math.floor(span.to / BLOCK_NUMBERS)) {
      const size = BLOCK_NUMBERS.toLocaleString('en');
      return fail('NUMBERS_INVALID', `has a range that is not within one block of ${size} numbers: split it`);
    }
    spans.push(span);
  }
  return ok(cover(spans.sort((a, b) => a.from - b.from)));
}

/** Whether the spans contain the number. @param spans ascending, from `parseCredentialNumbers` */
export function covers(spans: readonly Span[], n: number): boolean {
  return spans.some(({ from, to }) => from <= n && n <= to);
}

/** Whether every number of `spans` is in `others`. @param spans @param others both ascending */
export function isWithin(spans: readonly Span[], others: readonly Span[]): boolean {
  return spans.every((span) => {
    const [first] = overlaps(others, span);
    return first !== undefined && first[1].from === span.from && first[1].to === span.to;
  });
}
