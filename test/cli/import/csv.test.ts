/**
 * One line of CSV as its fields: RFC 4180, and the variants that spreadsheets and people write.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { csvFields } from '../../../cli/import/rows.ts';
import { holds } from '../../shared/support/properties.ts';

describe('a line of CSV', () => {
  it.each([
    ['a,b', ['a', 'b']],
    ['', ['']],
    [',', ['', '']],
    [' a , b ', ['a', 'b']],
    ['"a","b"', ['a', 'b']],
    ['"a,b",c', ['a,b', 'c']],
    ['"a ""b""",c', ['a "b"', 'c']],
    ['"",x', ['', 'x']],
    [' "a" , "b" ', ['a', 'b']],
    ['a,"b",', ['a', 'b', '']],
  ])('%j has the fields %j', (line, fields) => {
    expect(csvFields(line)).toEqual(fields);
  });

  it.each(['"a', 'a"', 'a"b"', '"a"b,c', 'a,"b', '"a,b', '"a""', 'x,"a" b'])(
    'is rejected if quotes do not match: %j',
    (line) => {
      expect(csvFields(line)).toBeNull();
    },
  );

  it('returns every field that was written with quotes', () => {
    const field = fc.string({ unit: fc.constantFrom('"', ',', ' ', 'a', '한', "'", ';') });
    holds(
      fc.property(fc.array(field, { minLength: 1 }), (fields) => {
        const line = fields.map((text) => `"${text.replaceAll('"', '""')}"`).join(',');
        expect(csvFields(line)).toEqual(fields.map((text) => text.trim()));
      }),
    );
  });

  it('reads a hostile line in time proportional to its length', () => {
    const count = 1_000_000;
    const lines = ['"'.repeat(count), ' '.repeat(count), ' "'.repeat(count), `"${'""'.repeat(count)}"`];
    expect(lines.map((line) => csvFields(line)?.length)).toEqual([1, 1, undefined, 1]);
  });
});
