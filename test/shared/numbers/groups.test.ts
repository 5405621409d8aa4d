/** Texts whose groups of digits show more than one number. The parser once read each of them as another subscriber. */
import { describe, expect, it } from 'vitest';
import { parseListed } from '../../../shared/numbers/parse.ts';
import { read } from './read.ts';

describe('digits beside a number', () => {
  it.each([
    ...['·8', 'ㆍ8', '•8', '.8', '-8', '–8', ' 8', '(8)', '[8]', '~8', '/8', '-70', '/4568', '~4568'].map(
      (tail) => `02-123-4567${tail}`,
    ),
    ...['-1', ' 1', '(1)', ' 12', '/123', ' 123'].map((tail) => `1588-1234${tail}`),
    '0505-123-4567 8',
    '+82 2 123 4567 8',
    '02-2123-4567-70',
    '02)2123-4567~4570',
    ...['1. ', '1)', '(1)', '[1] ', '1 ', '1_', '1/'].map((front) => `${front}02-123-4567`),
    '3) 031-123-4567',
    '2)1588-1234',
    '1)1588-1234',
    '1) 010-1234-5678',
    '12. 02-123-4567',
  ])('%s is refused, also in lists', (text) => {
    expect(read(text)).toBe('NUMBER_CHARACTER');
    expect(parseListed(text)).toMatchObject({ kind: 'invalid' });
  });

  it.each([
    ['02 21 23 45 67', '+82221234567'],
    ['+82 10 12 34 56 78', '+821012345678'],
    ['+33 1 23 45 67 89', '+33123456789'],
    ['+46 8 123 456 78', '+46812345678'],
    ['0033 1 23 45 67 89', '00 +33123456789'],
    ['(02)123-4567', '+8221234567'],
    ['02)123-4567', '+8221234567'],
    ['1.800.555.1234', '+18005551234'],
    ['82-10-1234-5678', '+821012345678'],
    ['82 010-1234-5678', '+821012345678'],
    ['2-2123-4567', '+82221234567'],
    ['010 ~ 1234 ~ 5678', '+821012345678'],
    ['031-114', '+8231114'],
  ])('%s is one number, %s', (text, expected) => {
    expect(read(text)).toBe(expected);
  });
});

describe('a float', () => {
  it.each([
    '1012345678.0',
    '1012345678.0 ',
    '1012345678.0\r',
    "'1012345678.0",
    '"1012345678.0"',
    '１０１２３４５６７８．０',
    '1012345678.000',
    '+821012345678.0',
    '821012345678.00',
  ])('%j is the number before the dot', (text) => {
    expect(read(text)).toBe('+821012345678');
  });

  it.each([
    ['15881234.0 ', '+8215881234'],
    ['21234567.0 ', 'local 21234567'],
    ['02-123-4560', '+8221234560'],
    ['010.1234.5000', '+821012345000'],
  ])('%j is %s', (text, expected) => {
    expect(read(text)).toBe(expected);
  });
});

describe('a list', () => {
  it.each([
    'tel:02-1234-567ㅇ',
    'tel:02-123-4567 내선 12',
    'tel:02-123-4567 (1번)',
    '02-123-4567 내선 12',
    '010-2000-5036 (대표)',
  ])('takes no decorated number: %s', (text) => {
    expect(parseListed(text)).toMatchObject({ kind: 'invalid' });
  });

  it.each(['tel:+82-2-123-4567', 'tel:02-123-4567;phone-context=+82', '02-123-4567', '1588-1234'])(
    'takes %s',
    (text) => {
      expect(parseListed(text)).toMatchObject({ kind: 'number' });
    },
  );
});
