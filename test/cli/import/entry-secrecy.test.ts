/** The message about a rejected row never contains a number, wherever the number is in the row. */
import '../support/workspace.ts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { holds, holdsAsync } from '../../shared/support/properties.ts';
import { read } from '../support/entries.ts';
import { rowsOf } from '../support/rows.ts';

/** A number as people write it, either complete or with an error. */
const written = fc
  .tuple(
    fc.constantFrom('+82 10-', '010-', '01', '+63', '0082', '112', '', 'TEL', '?', '"'),
    fc.integer({ min: 10_000, max: 99_999_999 }),
    fc.constantFrom('', '*', '..', '..+821', ',', 'x', '"', '  9', '#', '９９'),
  )
  .map(([before, digits, after]) => `${before}${digits}${after}`);
const maybe = fc.oneof(written, fc.constantFrom('', 'NUMBER_SUSPENDED', 'ktoa', '2026-01-01', 'x'));
const row = fc.record({ number: maybe, reason: maybe, since: maybe, until: maybe, authority: maybe });

/** The longest run of digits in a text, ignoring the characters between them. */
function digitsIn(text: string): number {
  const runs = text.split(/[^\p{Nd}\s().+-]+/u).map((run) => run.replace(/\P{Nd}/gu, '').length);
  return Math.max(0, ...runs);
}

/** Only a number has more digits than this. Codes, limits and dates in messages do not. */
const DIGITS_MAX = 8;

describe('the message of a rejected row', () => {
  it('contains no number', () => {
    holds(
      fc.property(row, fc.constantFrom('suspended', 'overseas', null), (fields, file) => {
        const entry = read(fields, file);
        if (!entry.ok && 'message' in entry) {
          expect(digitsIn(entry.message)).toBeLessThanOrEqual(DIGITS_MAX);
          for (const digits of Object.values(fields)
            .join(' ')
            .match(/\d{5,}/g) ?? [])
            expect(entry.message).not.toContain(digits);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('contains no number if the file is damaged, in any format', async () => {
    const texts = fc.array(
      fc.oneof(
        maybe,
        fc.object().map((value) => JSON.stringify(value)),
      ),
    );
    await holdsAsync(
      fc.asyncProperty(texts, written, fc.constantFrom('csv', 'ndjson'), async (cells, key, format) => {
        const json = cells.map((cell) => JSON.stringify({ [key]: cell })).join('\n');
        const text = format === 'csv' ? `number,reason\n${cells.join('\n')}` : `${cells.join('\n')}\n${json}`;
        for (const { damage } of await rowsOf(`a.${format}`, text)) {
          if (damage === null) continue;
          expect(digitsIn(damage)).toBeLessThanOrEqual(DIGITS_MAX);
          expect(damage).not.toMatch(/\d{5,}/);
        }
      }),
    );
  });
});
