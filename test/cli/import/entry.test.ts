/** Rows as entries: the item that they list, their list, and every reason to reject them. */
import '../support/workspace.ts';
import { describe, expect, it } from 'vitest';
import { REJECT_CODES } from '../../../cli/import/entry.ts';
import { ALWAYS } from '../../../shared/build/list-entries.ts';
import { read, resultOf } from '../support/entries.ts';

describe('a row lists', () => {
  it.each([
    ['010-2345-6789', 821_023_456_789],
    ['+82 10 2345 6789', 821_023_456_789],
    ['1588-1234', 8_215_881_234],
    ['+63 917 123 4567', 639_171_234_567],
    ['００８２ 10 2345 6789', 821_023_456_789],
  ])('the number %s', (number, n) => {
    expect(read({ number })).toEqual({ ok: true, list: 0, what: { kind: 'number', n }, dates: ALWAYS });
  });

  it.each([
    ['+821000000000..+821019999999', 821_000_000_000, 821_019_999_999],
    ['+82 10-0000-0000 .. 010-0000-0000', 821_000_000_000, 821_000_000_000],
    ['0082 10 2345 0000..0082 10 2345 9999', 821_023_450_000, 821_023_459_999],
  ])('the range %s, both ends included', (number, from, to) => {
    expect(read({ number })).toMatchObject({ what: { kind: 'ranges', ranges: [{ from, to }] } });
  });

  it('every number with the prefix +63917*, up to 15 digits', () => {
    const entry = read({ number: '+63 917*' });
    const ranges = entry.ok && entry.what.kind === 'ranges' ? entry.what.ranges : [];
    expect(ranges).toHaveLength(11);
    expect(ranges[0]).toEqual({ from: 63_917, to: 63_917 });
    expect(ranges.at(-1)).toEqual({ from: 639_170_000_000_000, to: 639_179_999_999_999 });
  });

  it.each(['+39 06*', '+1 4*', '+82 10*'])('the prefix %s, which numbers can have', (number) => {
    expect(read({ number })).toMatchObject({ ok: true, what: { kind: 'ranges' } });
  });

  it.each([
    [' KB Bank ', { kind: 'senderId', name: 'KB Bank' }],
    ['operator:515-02', { kind: 'operator', name: '51502' }],
    ['sender:trunk:678A', { kind: 'senderId', name: 'trunk:678A' }],
    ['trunk:MNL-2', { kind: 'trunk', name: 'MNL-2' }],
    ['smsc:+63917*', { kind: 'smsc', name: '63917*' }],
  ])('the source %j in a list that accepts sources', (number, source) => {
    expect(read({ number }, 'overseas')).toMatchObject({ what: { kind: 'source', source } });
    expect(resultOf(read({ number }, 'suspended'))).toBe('SOURCE_NOT_ALLOWED');
  });

  it('every number of a country abroad by its calling code, in any list', () => {
    const entry = read({ number: 'callingCode: +237' });
    if (!entry.ok || entry.what.kind !== 'ranges') throw new Error('not ranges');
    expect(entry.what.ranges).toContainEqual({ from: 237_000_000_000, to: 237_999_999_999 });
    expect(entry.what.ranges[0]).toEqual({ from: 237, to: 237 });
  });
});

describe('the list of a row', () => {
  it.each([
    [{}, 'suspended', 'suspended'],
    [{}, 'terminated', 'terminated'],
    [{ reason: 'NUMBER_TERMINATED' }, 'suspended', 'terminated'],
    [{ reason: 'NUMBER_TERMINATED' }, null, 'terminated'],
    [{ reason: 'NUMBER_SUSPENDED' }, null, 'LIST_UNKNOWN'],
    [{ reason: 'NUMBER_SUSPENDED' }, 'terminated', 'LIST_UNKNOWN'],
    [{ reason: 'NUMBER_SUSPENDED', authority: 'ktoa' }, null, 'suspended'],
    [{ reason: 'NUMBER_SUSPENDED' }, 'suspended-too', 'suspended-too'],
    [{ reason: 'NUMBER_SUSPENDED', authority: 'kisa' }, null, 'suspended-too'],
    [{ reason: 'NUMBER_SUSPENDED', authority: 'kisa' }, 'suspended', 'suspended-too'],
    [{ authority: 'ktoa' }, 'suspended', 'suspended'],
    [{ authority: 'kisa' }, 'suspended', 'LIST_UNKNOWN'],
    [{ reason: 'NUMBER_TERMINATED', authority: 'kisa' }, null, 'LIST_UNKNOWN'],
    [{ reason: 'NUMBER_UNALLOCATED' }, 'suspended', 'LIST_UNKNOWN'],
    [{ reason: 'number_suspended' }, null, 'LIST_UNKNOWN'],
    [{ authority: 'ktoa' }, null, 'LIST_UNKNOWN'],
  ])('for %j in a file for %s is %s', (row, file, want) => {
    expect(resultOf(read({ number: '010-2345-6789', ...row }, file))).toBe(want);
  });

  it('is reported missing by reason and authority', () => {
    const row = { number: '010-2345-6789', reason: 'SENDER_REPORTED', authority: 'kisa' };
    expect(read(row)).toMatchObject({
      message: 'the catalogue has no list for reason "SENDER_REPORTED" of authority "kisa"',
    });
    expect(read({ number: '1' }, null)).toMatchObject({ message: expect.stringContaining('no reason') });
  });

  it('is not chosen if several match, and the message names them', () => {
    const row = { number: '010-2345-6789', reason: 'NUMBER_SUSPENDED' };
    expect(read(row, null)).toMatchObject({
      code: 'LIST_UNKNOWN',
      message: 'several lists match (suspended, suspended-too): set "list" for this file in the catalogue',
    });
  });
});

const REJECTED = [
  ['NUMBER_INVALID', ['', '0', '010 1234 567&5', '+0123456789', '1234567890123456', '?', '02-1588-1234-5']],
  ['NUMBER_INVALID', ['010-2345-678A', 'O10-2345-6789', '+82 10 OOO', '010-2345-6789 mobile']],
  ['NUMBER_INCOMPLETE', ['2123-4567', '213-4567']],
  ['NUMBER_IMPOSSIBLE', ['010', '010-2345-678', '+999123456789']],
  [
    'NUMBER_AMBIGUOUS',
    [
      '0063 917 123 4567',
      '001 63 917 123 4567',
      '00700-63-917-123-4567',
      '00982 10 2345 6789',
      '5112345678',
      '00994 12 312 34 56',
      '0063 917 123 0000..0063 917 123 9999',
      '+639171230000..001 63 917 123 9999',
    ],
  ],
  ['SHORT_CODE', ['1335', '10114']],
  ['EMERGENCY_NUMBER', ['112', '119', '02-112', '+82 31 119', '+82112']],
  ['TEST_NUMBER', ['010-0000-0001', '+82 10 0000 0003']],
  [
    'RANGE_TOO_WIDE',
    [
      '+82*',
      '+63*',
      '+1*',
      '+630000000000..+639999999999',
      '+821000000000..+829999999999',
      'callingCode:+82',
    ],
  ],
  ['SOURCE_NOT_ALLOWED', ['KB-BANK', '010-CALL-ME', 'operator:51502']],
  ['SOURCE_INVALID', ['operator:5', 'smsc:+63*', 'trunk:', 'sender:123']],
  [
    'RANGE_INVALID',
    [
      '010-2345-0000..',
      '..010-2345-0000',
      '112..119',
      '+8210..+821',
      '+822000..+821000',
      '1..2..3',
      'A..B',
      'callingCode:+999',
      'callingCode:PH',
      '010*',
      '+0*',
      '*',
      '+123456789012345*',
      '+3*',
      '+999*',
      '+82010*',
      '+82 (0)10*',
      '1588-0000..1588-9999',
      '+639170000000..+649170000000',
      '+9990000000..+9990000009',
      '+3..+3',
    ],
  ],
] as const;

describe('a row is rejected', () => {
  it.each(REJECTED.flatMap(([code, numbers]) => numbers.map((number) => [code, number] as const)))(
    'with %s: %j',
    (code, number) => {
      expect(read({ number })).toMatchObject({
        ok: false,
        code,
        message: expect.stringMatching(/[a-z ]{8}/),
      });
    },
  );

  it('if it has letters next to a number, with a message for its kind of list', () => {
    const number = '010-2345-6789 mobile';
    expect(read({ number }, 'suspended')).toMatchObject({
      code: 'NUMBER_INVALID',
      message: 'has letters in or next to the number: write only the number',
    });
    expect(read({ number }, 'overseas')).toMatchObject({ code: 'SOURCE_INVALID' });
  });

  it('for the damage of its line first', () => {
    expect(read({ damage: 'not JSON' }, null)).toEqual({
      ok: false,
      code: 'ROW_DAMAGED',
      message: 'not JSON',
    });
  });

  it('with every code that exists', () => {
    const elsewhere = ['ROW_DAMAGED', 'LIST_UNKNOWN', 'DATE_INVALID'];
    expect([...new Set(REJECTED.map(([code]) => code)), ...elsewhere].sort()).toEqual(
      [...REJECT_CODES].sort(),
    );
  });
});
