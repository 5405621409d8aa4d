/** A piece of a bulk upload: each line with its number, and its content or an error. */
import { describe, expect, it } from 'vitest';
import { IMPORT_ROWS_MAX } from '../../../shared/limits/registrations.ts';
import { readPiece } from '../../../shared/senders/registration-import.ts';

const HEADER = 'reference,number,basis,holderKind,holder,clients,proofs,expires,id';
const GOOD = 'hq,1588-1234,own,organisation,Acme,acme-main,,,';
const piece = (...lines: string[]): string => [HEADER, ...lines, ''].join('\r\n');

function read(text: string, firstLine = 2) {
  const lines = readPiece(text, firstLine);
  if (!lines.ok) throw new Error(lines.message);
  return lines.value;
}

describe('a piece', () => {
  it('has the content of each line, with the number of the line in the file', () => {
    const lines = read(`\uFEFF${piece(GOOD, '', GOOD.replace('hq', 'branch'))}`, 1_002);
    const content = {
      ...{ number: '1588-1234', basis: 'own', holder: { kind: 'organisation', name: 'Acme' } },
      ...{ clients: ['acme-main'], proofs: [], expires: null, reference: 'hq' },
    };
    expect(lines).toEqual([
      { line: 1_002, reference: 'hq', id: null, content, reasons: [] },
      {
        line: 1_004,
        reference: 'branch',
        id: null,
        content: { ...content, reference: 'branch' },
        reasons: [],
      },
    ]);
  });

  it('finds a line without a reference by its id', () => {
    expect(read(piece(GOOD.replace('hq', '').replace(/$/, '17')))).toMatchObject([
      { reference: null, id: '17', content: { reference: null }, reasons: [] },
    ]);
  });

  it.each([
    [GOOD.replace('hq', ''), 'reference', 'FIELD_MISSING'],
    [GOOD.replace('1588-1234', ''), 'number', 'FIELD_MISSING'],
    [GOOD.replace('own', 'rented'), 'basis', 'FIELD_VALUE'],
    [GOOD.replace('organisation', 'company'), 'holderKind', 'FIELD_VALUE'],
    [GOOD.replace('organisation', ''), 'holderKind', 'FIELD_MISSING'],
    [GOOD.replace('Acme', ''), 'holder', 'FIELD_MISSING'],
    [GOOD.replace('acme-main', 'Acme Main'), 'clients', 'FIELD_VALUE'],
    [GOOD.replace(',,,', ',taxBill:ab,,'), 'proofs', 'FIELD_VALUE'],
    [GOOD.replace(',,,', ',serviceUse,,'), 'proofs', 'CSV_INVALID'],
    [`"${GOOD}`, 'line', 'CSV_INVALID'],
    [`${GOOD},,x`, 'line', 'CSV_INVALID'],
  ])('rejects %s by its column %s, and no other line', (wrong, field, code) => {
    const [first, second] = read(piece(wrong, GOOD));
    expect(first).toMatchObject({ line: 2, content: null, reasons: [{ field, code }] });
    expect(first!.reasons[0]!.help).not.toBe('');
    expect(second!.content).not.toBeNull();
  });

  it.each([
    [GOOD.replace('acme-main', 'acme-main Acme!'), '"clients" names "Acme!", which must '],
    [GOOD.replace('acme-main', '01012345678!'), '"clients" names "***********!", which must '],
    [
      GOOD.replace(',,,', ',serviceUse:ab; taxBill:ab,,'),
      '"proofs", document 2, kind, must be one of serviceUse',
    ],
  ])('names the column of %s, and which of its values is wrong', (wrong, words) => {
    const reasons = read(piece(wrong))[0]!.reasons;
    expect(reasons.map(({ detail }) => detail)).toEqual([expect.stringContaining(words)]);
  });

  it.each([
    ['reference,phone\nhq,1588-1234\n', { code: 'CSV_INVALID', field: 'phone', line: 1 }],
    ['', { code: 'CSV_INVALID', line: 1 }],
    [piece(GOOD, GOOD.replace('Acme', '\uFFFD\uFFFD')), { code: 'CSV_INVALID', line: 3 }],
    [
      piece(...Array.from({ length: IMPORT_ROWS_MAX + 1 }, () => GOOD)),
      { code: 'ITEMS_TOO_MANY', line: 1_002 },
    ],
  ])('is refused as a whole: %.30s', (text, problem) => {
    expect(readPiece(text, 2)).toMatchObject({ ok: false, ...problem });
  });

  it('never repeats a number in a reason', () => {
    const lines = read(
      piece('hq,010-1234-5678 and more,x01012345678,y,01012345678,01012345678 ,01012345678,,'),
    );
    expect(JSON.stringify(lines[0]!.reasons)).not.toMatch(/12345678|1234-5678/);
  });
});
