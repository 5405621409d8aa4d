/** Numbers surrounded by URIs, names, extensions and signs. None of them is a sender ID. */
import { describe, expect, it } from 'vitest';
import { read } from './read.ts';

describe('a decorated number', () => {
  it.each([
    'tel:+82-2-2123-4567',
    'tel:02-2123-4567;phone-context=+82',
    'sip:+82221234567@example.kr',
    'sips:+82221234567;npdi@example.kr;user=phone',
    'sip:%2B82221234567@example.kr',
    '"KR" <sip:+82221234567@example.kr>',
    '<tel:+82221234567>',
    'Tel: 02-2123-4567',
    'T. 02-2123-4567',
    '전화 02-2123-4567',
    '02-2123-4567 (대표)',
    '02-2123-4567번',
    '02-2123-4567x',
    '+82 2 2123 4567 (KR)',
    '02-2123-4567 내선 12',
    '02-2123-4567 (내선 12)',
    '02-2123-4567 내선번호: 12',
    '02-2123-4567 ext. 12',
    'tel: 02-2123-4567 EXT 12',
    '02-2123-4567 x12',
    '02-2123-4567 #12',
    '02-2123-4567 (내선 12번)',
    '02-2123-4567 (내선12번)',
    '☎ 02-2123-4567 (대표)',
    '０２－２１２３－４５６７（대표）',
  ])('%j is that number', (text) => {
    expect(read(text)).toBe('+82221234567');
  });

  it.each([
    ['tel:112', 'short 112'],
    ['tel:1588-1234', '+8215881234'],
    ['sip:15881234', '+8215881234'],
    ['sip:alice@example.kr', 'source alice'],
    ['1588-1234 국민', '+8215881234'],
    ['KB국민은행', 'source KB국민은행'],
    ['KT 고객센터 100', 'source KT 고객센터 100'],
    ['SALE 1588-1234 TODAY', '+8215881234'],
    ['KB Kookmin Bank <1588-1234>', '+8215881234'],
    ['02-2123-4567 (서울특별시청 대표전화)', '+82221234567'],
    ['15881234@sip.example.kr', '+8215881234'],
    ['010-1234-5678 이사', '+821012345678'],
    ['🇰🇷 010-1234-5678', '+821012345678'],
    ['1️⃣588-1234', '+8215881234'],
    ['010-1234-5678,', '+821012345678'],
    ['"KB" <sip:+8215881234@example.kr>;tag=abc12', '+8215881234'],
    ['<sip:+8215881234@example.kr>;party=calling;screen=yes', '+8215881234'],
    ['sip:010.1234.5678;npdi=yes@example.kr', '+821012345678'],
    ['sip:anonymous@anonymous.invalid', 'source anonymous'],
    ['112 (경찰)', 'short 112'],
    ['119번', 'short 119'],
    ['+112', 'short 112'],
    ['00700112', 'short 112'],
    ['82 031 119', '+8231119'],
    ['112번가', 'short 112'],
    ['AS112', 'source AS112'],
  ])('%j is %s', (text, expected) => {
    expect(read(text)).toBe(expected);
  });

  it.each([
    ['02-1234-567l', 'a small l for 1 would make it 02-123-4567'],
    ['02-1234-567 O', 'a capital O for 0'],
    ['02-1234-567팔', 'the name of 8'],
    ['010-2000-5O36', 'a letter among the digits'],
    ['02-1234-567\u0417', 'a Cyrillic letter like 3'],
    ['8.21012E+11', 'a spreadsheet float that lost its digits'],
    ['02-123-4567~9', 'several numbers'],
    ['02-123-4567/8', 'several numbers'],
    ['02-123-4567 또는 02-123-4568', 'several numbers'],
    ['sip:10.0.0.1', 'an IP address'],
    ['tel:863-1234;phone-context=+1-914-555', 'a local number of another country'],
    ['01099999999 <sip:alice@example.kr>', 'a name that is a number'],
    ['tel:+821012345678, <sip:x@example.kr>', 'two addresses'],
    ['sip:user15881234@example.kr', 'a login name'],
    ['sip:K%0AB@example.kr', 'a control character in disguise'],
    ['tel:15881234;phone-context=%2B1', 'a local number of another country'],
    ['tel:15881234;phone-context=example.com', 'a local number of an exchange'],
    ['①⑤⑧⑧-①②③④ 국민', 'digits in circles'],
    ['1.01E+09', 'a spreadsheet float that lost its digits'],
    ['8,21E+11', 'the same with a comma'],
    ...['🔟', '💯', '⭕', 'ㅇ', 'ㅣ', '口', 'ロ', '빵', '하나', 'eight', 'L', 'X', '#8', 'x8'].map((last) => [
      `02-1234-567${last}`,
      'a last digit that is none',
    ]),
    ['021234567ㅇ', 'a jamo like 0'],
    ['010-5555-OOOO', 'letters for digits'],
    ['010-5555-XXXX', 'a mask'],
    ['010-5555-ㅇㅇㅇㅇ', 'letters for digits'],
    ['021234567X', 'a mask'],
    ['+82221234567x', 'a letter that can hide a digit'],
    ['821012345678@s.example.net', 'a word that looks like a digit'],
    ['021234567 O', 'a letter like 0'],
    ['02-123-4567 (1번)', 'digits beside the number'],
    ['02-123-4567 3F', 'a floor'],
    ['031-123-4567 2층', 'a floor'],
    ['1588-1234 (24시간)', 'hours'],
  ])('%j is refused: %s', (text) => {
    expect(read(text)).toBe('NUMBER_CHARACTER');
  });
});
