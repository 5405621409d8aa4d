/** Splits one line of CSV into fields: RFC 4180, and the variants of spreadsheets and people. csv-parse is the reference. */
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { csvFields, csvLine } from '../../shared/csv.ts';
import { holds } from './support/properties.ts';

/** The fields according to the library, which reads whole files; null if it refuses the line. */
function fieldsOfLibrary(line: string): string[] | null {
  try {
    return parse(line, { trim: true })[0]?.map((field) => field.trim()) ?? null;
  } catch {
    return null;
  }
}

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

  const field = fc.string({ unit: fc.constantFrom('"', ',', ' ', 'a', '한', "'", ';') });

  it('has the fields that csv-parse reads, whatever it holds', () => {
    holds(
      fc.property(field, (line) => {
        fc.pre(line.includes('"'));
        expect(csvFields(line)).toEqual(fieldsOfLibrary(line));
      }),
    );
  });

  it('returns every field that was written', () => {
    holds(
      fc.property(fc.array(field, { minLength: 1 }), (fields) => {
        const line = csvLine(fields);
        const trimmed = fields.map((text) => text.trim());
        expect(csvFields(line)).toEqual(trimmed);
        // The library skips a line of one empty field.
        if (line.trim() !== '') expect(fieldsOfLibrary(line)).toEqual(trimmed);
      }),
    );
  });

  it('reads a hostile line in time proportional to its length', () => {
    const count = 1_000_000;
    const lines = ['"'.repeat(count), ' '.repeat(count), ' "'.repeat(count), `"${'""'.repeat(count)}"`];
    expect(lines.map((line) => csvFields(line)?.length)).toEqual([1, 1, undefined, 1]);
  });
});
