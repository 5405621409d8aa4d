/** The parser by example: every written form, every ambiguity, every refusal. */
import { describe, expect, it } from 'vitest';
import { PARTY_CHARS_MAX } from '../../../shared/limits/requests.ts';
import { KR_CARRIER_PREFIXES } from '../../../shared/numbers/plan.ts';
import { isValidNumber } from '../../../shared/numbers/validity.ts';
import { read } from './read.ts';

describe('a Korean number', () => {
  it.each([
    '+82 10-1234-5678',
    '+821012345678',
    '01012345678',
    '010-1234-5678',
    '+82 (0)10-1234-5678',
    '+82 010 1234 5678',
    '(+82) 10 1234 5678',
    '0082 10 1234 5678',
    '821012345678',
    '8201012345678',
    '1012345678',
    '０１０－１２３４－５６７８',
    '＋８２　１０　１２３４　５６７８',
    '٠١٠١٢٣٤٥٦٧٨',
    '+۸۲۱۰۱۲۳۴۵۶۷۸',
    '010–1234—5678',
    '010−1234‐5678',
    '010ー1234ー5678',
    '010ㅡ1234ㅡ5678',
    '010.1234.5678',
    '010/1234/5678',
    '010_1234_5678',
    '010·1234·5678',
    '010ㆍ1234ㆍ5678',
    '010・1234・5678',
    '010•1234•5678',
    '010~1234~5678',
    '010～1234～5678',
    '010〜12345678',
    "'01012345678",
    '"010-1234-5678"',
    '“010-1234-5678”',
    '`010-1234-5678`',
    '☎ 010-1234-5678',
    '☏010-1234-5678',
    '📞 010-1234-5678',
    '1012345678.0',
    '821012345678.0',
    '1012345678.00',
    '[010] 1234 5678',
    '（010）1234‑5678',
    '\u202a010\u200b1234\u200d5678\u202c',
    '\ufeff010\u00a01234\u30005678\r\n',
    '\t010\u00ad1234\u20605678',
    '0821012345678',
    '086-10-1234-5678',
    '085-12-10-1234-5678',
  ])('is read from %j', (text) => {
    expect(read(text)).toBe('+821012345678');
  });

  it.each([
    ['1588-1234', '+8215881234'],
    ['+82 1588 1234', '+8215881234'],
    ['15991234', '+8215991234'],
    ['02-2345-6789', '+82223456789'],
    ['031-234-5678', '+82312345678'],
    ['0505-123-4567', '+825051234567'],
    ['031-114', '+8231114'],
    ['00308-123-456', '+8200308123456'],
    ['+82 00308 123456', '+8200308123456'],
  ])('%s is %s', (text, expected) => {
    expect(read(text)).toBe(expected);
    expect(isValidNumber(Number(expected))).toBe(true);
  });
});

describe('a number abroad', () => {
  it.each([
    ['+1 (212) 555-1234', '+12125551234'],
    ['+44 (0)20 7946 0018', '+442079460018'],
    ['+39 06 1234 5678', '+390612345678'],
    ['001 1 212 555 1234', '001 +12125551234'],
    ['002 44 20 7946 0018', '002 +442079460018'],
    ['00700-44-(0)20-7946-0018', '00700 +442079460018'],
    ['0073 44 20 7946 0018', '0073 +442079460018'],
    ['00391 1 212 555 1234', '00391 +12125551234'],
    ['00766 86 138 0013 8000', '00766 +8613800138000'],
    ['0044 20 7946 0018', '00 +442079460018'],
    ['12125551234', '+12125551234'],
    ['442079460018', '+442079460018'],
  ])('%s is %s', (text, expected) => {
    expect(read(text)).toBe(expected);
  });

  it.each(['001', '002', '005', '006', '008', '009', '0073', '00345', '00365', '00391'])(
    'keeps the carrier prefix %s as evidence, before a number abroad and before a Korean one',
    (prefix) => {
      expect(read(`${prefix} 44 20 7946 0018`)).toBe(`${prefix} +442079460018`);
      // 00 + 882 is an international network.
      const others = prefix === '008' ? ['00 +8821012345678'] : [];
      expect(read(`${prefix} 82 10 1234 5678`)).toBe([...others, `${prefix} +821012345678`].join(' or '));
    },
  );

  it.each(['00700', '00727', '00755', '00761', '00762', '00766'])(
    'keeps the carrier prefix %s too',
    (prefix) => {
      expect(read(`${prefix}-442079460018`)).toBe(`${prefix} +442079460018`);
      expect(read(`${prefix}821012345678`)).toBe(`${prefix} +821012345678`);
      expect(read(`${prefix}8201012345678`)).toBe(`${prefix} +821012345678`);
    },
  );
});

describe('a text that begins with 00', () => {
  it.each([
    ['0082 10 1234 5678', '+821012345678', '008 + 210 is no country'],
    [
      '0082-010-1234-5678',
      '+821012345678 or 008 +201012345678',
      '00 + Korea with a needless 0, or 008 + Egypt',
    ],
    ['0082 119', '+82119', '00 + 82 before an emergency code'],
    ['0082 51 912 345 678', '008 +251912345678', '051-912-345-678 is no Korean number'],
    ['0065 8123 4567', '00 +6581234567', 'carrier 006 + 58… is too short'],
    ['0063 917 123 4567', '00 +639171234567', 'carrier 006 + 39 171… is no Italian number'],
    ['00971 50 123 4567', '00 +971501234567', 'carrier 009 + 71… is no Russian number'],
    ['0086 137 1696 5408', '00 +8613716965408', 'carrier 008 + 61 371… is no Australian number'],
    ['00 7 383 123 45 67', '00 +73831234567', 'carrier 0073 + 83… is no country'],
    ['00 996 700 123 456', '00 +996700123456', 'carrier 009 + Yemen would begin with two zeros'],
    ['0079812345678', '+820079812345678 or 00 +79812345678', 'Korean inbound toll free, or 00 + Russia'],
    ['00994 12 312 34 56', '00 +994123123456 or 009 +94123123456', '00 + Azerbaijan, or 009 + Sri Lanka'],
  ])('%s is %s: %s', (text, expected) => {
    expect(read(text)).toBe(expected);
  });

  it.each([
    ['00994 12 312 34 56', 'kr', '009 +94123123456'],
    ['00994 12 312 34 56', '00', '00 +994123123456'],
    ['0082-010-1234-5678', '00', '+821012345678'],
    ['0082-010-1234-5678', 'kr', '008 +201012345678'],
    ['0079812345678', 'kr', '+820079812345678'],
    ['0079812345678', '00', '00 +79812345678'],
  ] as const)('%s is settled by the prefix %s that the client uses: %s', (text, prefix, expected) => {
    expect(read(text, prefix)).toBe(expected);
  });

  it.each(KR_CARRIER_PREFIXES)('reads %s before every kind of Korean number as dialled', (carrier) => {
    for (const dialled of [
      '15881234',
      '16001234',
      '18001234',
      '0212345678',
      '0312345678',
      '01012345678',
      '0801234567',
    ]) {
      const number = `${carrier} +82${dialled.replace(/^0/, '')}`;
      expect(read(carrier + dialled).split(' or ')).toContain(number);
    }
  });
});

describe('a text without plus and 0', () => {
  it.each([
    ['1512345678', '+821512345678', 'a Korean pager: no area of +1 begins with 1'],
    ['5112345678', '+825112345678 or +5112345678', 'Busan without its 0, or Peru'],
    ['119-1234-5678', '+8211912345678', 'nobody: +1 191 is no area'],
    ['2123-4567', 'local 21234567', 'any area, or Seoul without its 0'],
    ['555-1234', 'local 5551234', 'any area'],
    ['15881234', '+8215881234', 'no exchange begins with 1'],
  ])('%s is %s: %s', (text, expected) => {
    expect(read(text)).toBe(expected);
  });
});

describe('digits that fit a number but belong to no subscriber', () => {
  it.each([
    ['12', '+8212'],
    ['0123', '+82123'],
    ['000 10 1234 5678', '+820001012345678'],
    ['+82 0010 1234 5678', '+82001012345678'],
    ['+7 8 495 123 45 67', '+784951234567'],
    ['+82', '+82'],
    ['+820', '+820'],
    ['99999999999999', '+99999999999999'],
    ['010-1234-567', '+82101234567'],
    ['0700', '+82700'],
  ])('%s is %s, which no subscriber has', (text, expected) => {
    expect(read(text)).toBe(expected);
    expect(isValidNumber(Number(expected))).toBe(false);
  });
});

describe('a carrier prefix before other digits', () => {
  it.each([
    ['00700', '00 +700'],
    ['006 12', '006 +12'],
    ['00700 44 123', '00700 +44123'],
    ['0042', '00 +42'],
    ['00700 010 1234', '00 +7000101234'],
  ])('%s is %s', (text, expected) => {
    expect(read(text)).toBe(expected);
  });
});

describe('a text that is not a number', () => {
  it.each([
    ['112', 'short 112'],
    ['1-1-9', 'short 119'],
    ['１３３５', 'short 1335'],
    ['10114', 'short 10114'],
    ['ACME', 'source ACME'],
    ['  우리은행 ', 'source 우리은행'],
    ['サーバー', 'source サーバー'],
    ['', 'NUMBER_MISSING'],
    ['  ', 'NUMBER_MISSING'],
    ['+', 'NUMBER_MISSING'],
    ['--', 'NUMBER_MISSING'],
    ['0', 'NUMBER_MISSING'],
    ['000-0000', 'NUMBER_MISSING'],
    ['+000', 'NUMBER_MISSING'],
    ['+010 1234 5678', 'NUMBER_CHARACTER'],
    ['+0082 10 1234 5678', 'NUMBER_CHARACTER'],
    ['82+1012345678', 'NUMBER_CHARACTER'],
    ['++82 10 1234 5678', 'NUMBER_CHARACTER'],
    ['1588x1234', 'NUMBER_CHARACTER'],
    ['010-1234-5678*', 'NUMBER_CHARACTER'],
    ['KR\ufffd\ufffdGOV', 'NUMBER_CHARACTER'],
    ['1588-1234~5', 'NUMBER_CHARACTER'],
    ['1234567890123456', 'NUMBER_TOO_LONG'],
    ['+1234567890123456', 'NUMBER_TOO_LONG'],
    ['012345678901234', 'NUMBER_TOO_LONG'],
    ['1'.repeat(PARTY_CHARS_MAX), 'NUMBER_TOO_LONG'],
    ['-'.repeat(PARTY_CHARS_MAX + 1), 'NUMBER_TOO_LONG'],
    ['x'.repeat(PARTY_CHARS_MAX + 1), 'NUMBER_TOO_LONG'],
  ])('%j is %s', (text, expected) => {
    expect(read(text)).toBe(expected);
  });
});
