/** The bound of folded sender IDs is never too low for a text that folds, and it is found without folding. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SOURCE_CHARS_MAX } from '../../../shared/limits/control.ts';
import { foldSenderId, foldsWithinBound } from '../../../shared/sources/sender-id.ts';

const SEED = 20_261_126;

describe('foldsWithinBound', () => {
  it(`accepts no text whose folded form is too long (seed ${SEED})`, () => {
    const unit = fc.constantFrom(
      'a',
      'Ａ',
      '한',
      '\u1112',
      '\u1161',
      '\u0301',
      '㌂',
      '\ufdfa',
      '\ufdfb',
      'ﬃ',
      '\u{1d40}',
    );
    const holds = fc.property(fc.string({ unit, maxLength: SOURCE_CHARS_MAX }), (text) => {
      if (foldsWithinBound(text)) expect(foldSenderId(text).length).toBeLessThanOrEqual(SOURCE_CHARS_MAX);
      // Only expansion is refused. A text that folds to as many characters or fewer is accepted.
      else expect(text.normalize('NFKC').length + text.length).toBeGreaterThan(SOURCE_CHARS_MAX);
    });
    fc.assert(holds, { seed: SEED, numRuns: 2_000 });
  });

  it.each([
    ['PARCEL-KR', true],
    ['한'.repeat(SOURCE_CHARS_MAX), true],
    ['\u0301'.repeat(SOURCE_CHARS_MAX), true],
    ['\ufdfa'.repeat(3), true],
    ['\ufdfa'.repeat(4), false],
    ['A'.repeat(SOURCE_CHARS_MAX + 1), false],
  ])('for %j is %s', (text, within) => {
    expect(foldsWithinBound(text)).toBe(within);
  });
});
