/** Registrations as lines of CSV. An export can be uploaded again, and wrong lines name their column. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { csvFields } from '../../../shared/csv.ts';
import {
  CSV_COLUMNS,
  columnOf,
  csvOf,
  readHeader,
  readRow,
} from '../../../shared/senders/registration-csv.ts';
import { holds } from '../support/properties.ts';

const HEADER = 'reference,number,basis,holderKind,holder,clients,proofs,expires';
const SHA = 'ab'.repeat(32);

function columnsOf(header: string) {
  const columns = readHeader(csvFields(header));
  if (!columns.ok) throw new Error(columns.message);
  return columns.value;
}

const read = (line: string, header = HEADER) => readRow(columnsOf(header), csvFields(line));

describe('a header of registrations', () => {
  it('may have the columns in any order and case, and those of the export', () => {
    expect(columnsOf('Number,REFERENCE,basis,holderkind,holder,clients')).toEqual([
      ...['number', 'reference', 'basis', 'holderKind', 'holder', 'clients'],
    ]);
    expect(columnsOf(CSV_COLUMNS.join(','))).toEqual(CSV_COLUMNS);
  });

  it.each([
    ['number,telephone', 'telephone', 'has the unknown column "telephone"'],
    ['number,01012345678', '***********', 'has the unknown column "***********"'],
    ['number,basis,NUMBER', 'number', 'has the column "number" twice'],
    ['number,basis', 'reference', 'has no column "reference"'],
    ['reference;number;basis', undefined, 'separates its columns with ";": save the file with commas'],
    ['reference\tnumber\tbasis', undefined, 'separates its columns with tabs: save the file with commas'],
    ['"number', undefined, 'has quotes that do not match'],
  ])('%s is refused by the name of the column', (header, field, words) => {
    const result = readHeader(csvFields(header));
    expect(result).toMatchObject({ ok: false, code: 'CSV_INVALID', message: expect.stringContaining(words) });
    expect((result as { field?: string }).field).toBe(field);
  });
});

describe('a line of registrations', () => {
  it('has the fields of a request', () => {
    const line = `hq,+8215881234,own,organisation,"Acme, Inc.",acme-main;acme-2,serviceUse:${SHA}:2027-01-31:KT-1,2027-06-30`;
    expect(read(line)).toEqual({
      ok: true,
      value: {
        reference: 'hq',
        number: '+8215881234',
        basis: 'own',
        holder: { kind: 'organisation', name: 'Acme, Inc.' },
        clients: ['acme-main', 'acme-2'],
        proofs: [{ kind: 'serviceUse', sha256: SHA, expires: '2027-01-30T15:00:00.000Z', reference: 'KT-1' }],
        expires: '2027-06-29T15:00:00.000Z',
      },
    });
  });

  it('leaves empty cells out, and keeps an id only without a reference', () => {
    expect(read(',,,,,,,')).toEqual({ ok: true, value: {} });
    const header = `${HEADER},id`;
    expect(read('hq,,,,,,,,17', header)).toEqual({ ok: true, value: { reference: 'hq' } });
    expect(read(',,,,,,,,17', header)).toEqual({ ok: true, value: { id: '17' } });
  });

  it('keeps what is no date, so that validation names it', () => {
    for (const expires of ['2027-02-31', 'soon'])
      expect(read(`hq,,,,,,,${expires}`)).toEqual({ ok: true, value: { reference: 'hq', expires } });
  });

  it.each([
    ['hq,"+8215881234', 'line'],
    ['hq,a,b,c,d,e,f,g,h', 'line'],
    ['hq,,,,,,serviceUse,', 'proofs'],
    [`hq,,,,,,serviceUse:${SHA}:soon:x:y,`, 'proofs'],
    ['hq,,,,,,serviceUse:contents of a document,', 'proofs'],
  ])('%s names its column %s', (line, field) => {
    const result = read(line);
    expect(result.ok ? null : result.field).toBe(field);
  });

  it('names the column of a field of a request', () => {
    expect(['holder.kind', 'holder.name', 'proofs.0.sha256', 'clients[1]', 'number'].map(columnOf)).toEqual([
      ...['holderKind', 'holder', 'proofs', 'clients', 'number'],
    ]);
  });
});

describe('an exported line', () => {
  const text = fc
    .string({ unit: fc.constantFrom(...'"\';,:%=+-@＝＋－＠ a한2') })
    .map((each) => each.trim())
    .filter((each) => each !== '');
  const time = fc.integer({ min: 1.8e9, max: 4e9 }).map((seconds) => new Date(seconds * 1000).toISOString());
  const proof = fc.record({
    kind: fc.constantFrom('serviceUse', 'employment'),
    sha256: fc.constant(SHA),
    expires: fc.option(time),
    reference: fc.option(text),
  });
  const registration = fc.record({
    ...{
      id: fc.constant('17'),
      state: fc.constant('draft'),
      endsAt: fc.option(time),
      expires: fc.option(time),
    },
    reference: fc.option(text),
    number: fc.constantFrom('+8215881234', '+82221230000..+82221230099'),
    basis: fc.constantFrom('own', 'delegated'),
    holder: fc.record({ kind: fc.constant('organisation'), name: text }),
    clients: fc.array(fc.constantFrom('a', 'b-1'), { minLength: 1 }),
    proofs: fc.array(proof, { maxLength: 3 }),
  });

  it('reads back as what was exported, whatever the texts hold', () => {
    const without = (value: object): object =>
      Object.fromEntries(Object.entries(value).filter(([, each]) => each !== null));
    holds(
      fc.property(registration, (exported) => {
        const { id, state: _, endsAt: _ends, proofs, ...fields } = exported;
        expect(read(csvOf(exported), CSV_COLUMNS.join(','))).toEqual({
          ok: true,
          value: {
            ...without(fields),
            ...(exported.reference === null ? { id } : {}),
            ...(proofs.length === 0 ? {} : { proofs: proofs.map(without) }),
          },
        });
      }),
      { numRuns: 1_000 },
    );
  });

  it('does not begin like a formula of a spreadsheet', () => {
    holds(
      fc.property(registration, (exported) => {
        const cells = csvFields(csvOf(exported))!;
        const texts = [cells[CSV_COLUMNS.indexOf('reference')], cells[CSV_COLUMNS.indexOf('holder')]];
        for (const each of texts) expect(each).not.toMatch(/^[=+\-@＝＋－＠]/);
      }),
    );
  });
});
