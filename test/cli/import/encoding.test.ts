/** Files that are not UTF-8 text are identified and reported with a remedy, before anything else fails. */
import '../support/workspace.ts';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { failureOf } from '../support/failing.ts';
import { rowsOf, rowTexts } from '../support/rows.ts';

/** Korean in CP949: 번호 (number), 대표 (main), and 똠, which EUC-KR lacks. */
const NUMBER = [0xb9, 0xf8, 0xc8, 0xa3];
const MAIN = [0xb4, 0xeb, 0xc7, 0xa5];
const DDOM = [0x8c, 0x63];

const bytes = (...parts: (string | readonly number[])[]): Buffer =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.from(part))));

async function messageOf(name: string, content: Uint8Array): Promise<string> {
  return (await failureOf(() => rowsOf(name, content))).message;
}

describe('CP949', () => {
  const HEADER = 'number,note\n';
  const row = (index: number): string => `010${20_000_000 + index},\n`;
  const rows = Array.from({ length: 200_000 }, (_, index) => row(index)).join('');

  it.each([
    ['in the header', 'a.csv', bytes(NUMBER, ',note\n010-2000-5036,x\n'), 1],
    ['after a header in ASCII', 'a.csv', bytes(HEADER, row(1), '010-2000-5036,', MAIN, '\n'), 3],
    ['with a character that EUC-KR lacks', 'a.csv', bytes(HEADER, '010-2000-5036,', DDOM, '\n'), 2],
    ['after 3 MB of ASCII', 'a.csv', bytes(HEADER, rows, '010-2000-5036,', MAIN, '\n', rows), 200_002],
    ['at the end, without a line end', 'a.csv', bytes(HEADER, rows, '010-2000-5036,', MAIN), 200_002],
    ['in a comment of a plain list', 'a.txt', bytes('# ', MAIN, '\n010-2000-5036\n'), 1],
    ['in JSON', 'a.ndjson', bytes('{"number":"1","note":"', MAIN, '"}\n'), 1],
    ['in a file whose name does not show the format', 'a.dat', bytes('1,', MAIN, '\n'), 1],
  ])('%s is named with its line and iconv', async (_, name, content, line) => {
    const message = await messageOf(name, content);
    expect(message).toContain(`${name}: line ${line}: the file is CP949 (EUC-KR), not UTF-8`);
    expect(message).toContain('save it as "CSV UTF-8"');
    expect(message).toMatch(/\niconv -f CP949 -t UTF-8 \S+ > utf8\.csv$/);
    expect(message).not.toContain('2000-5036');
  });

  it('is found in a gzipped file', async () => {
    const message = await messageOf('a.csv.gz', gzipSync(bytes(HEADER, rows, '1,', MAIN, '\n')));
    expect(message).toContain('a.csv.gz: line 200002: the file is CP949 (EUC-KR), not UTF-8');
    expect(message).toMatch(/\ngzip -dc \S+ \| iconv -f CP949 -t UTF-8 > utf8\.csv$/);
  });
});

describe('UTF-16', () => {
  const TEXT = 'number,note\n010-2000-5036,대표\n';
  const swapped = (text: string): Buffer => Buffer.from(text, 'utf16le').swap16();
  it.each([
    ['with a byte order mark', Buffer.from(`\ufeff${TEXT}`, 'utf16le'), 'UTF-16'],
    ['with a byte order mark, big-endian', swapped(`\ufeff${TEXT}`), 'UTF-16'],
    ['without one', Buffer.from(TEXT, 'utf16le'), 'UTF-16LE'],
    ['without one, big-endian', swapped(TEXT), 'UTF-16BE'],
    [
      'without one, with a Korean header',
      Buffer.from(TEXT.replace('number,note', '번호,비고'), 'utf16le'),
      'UTF-16LE',
    ],
  ])('%s is named with its line and iconv', async (_, content, from) => {
    const message = await messageOf('u16.csv', content);
    expect(message).toContain('u16.csv: line 1: the file is UTF-16, not UTF-8');
    expect(message).toContain(`iconv -f ${from} -t UTF-8 `);
  });
});

describe('a file of another program', () => {
  const PKZIP = bytes([0x50, 0x4b, 3, 4, 20, 0], '[Content_Types].xml');
  it.each([
    ['list.xlsx', PKZIP, 'an XLSX workbook or another ZIP archive'],
    ['list.csv', PKZIP, 'an XLSX workbook or another ZIP archive'],
    ['list.csv.gz', gzipSync(PKZIP), 'an XLSX workbook or another ZIP archive'],
    ['list.xls', bytes([0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1, 0, 0]), 'an XLS workbook'],
    ['list.pdf', bytes('%PDF-1.7\n', [0xe2, 0xe3, 0xcf, 0xd3]), 'a PDF'],
  ])('%s is named as what it is', async (name, content, what) => {
    const message = await messageOf(name, content);
    expect(message).toContain(`${name}: is ${what}`);
    expect(message).toMatch(/not a text file: save it as "CSV UTF-8"$/);
  });
});

describe('UTF-8', () => {
  it('may have characters of every length at the end of a chunk', async () => {
    // A file is read in chunks of 1 MiB. The shifts move the characters across the chunk boundaries.
    for (const shift of ['', 'x', 'xx', 'xxx']) {
      const note = `${shift}${'é대😀'.repeat(300)}`;
      const text = `number,note\n${`1,${note}\n`.repeat(800)}`;
      expect(await rowTexts('a.csv', text)).toHaveLength(800);
    }
  });

  it('may have a few bytes that are not, which damage only their line', async () => {
    const content = bytes('number,note\n1,x\n', [0x32, 0xe9], ',x\n3,', [0xff, 0xfe], '\n');
    expect(await rowTexts('a.csv', content)).toHaveLength(3);
  });

  it.each(['대표 번호', '中文备注'])('is no CP949 if %s was before a character that is cut', async (note) => {
    // Read as CP949, these bytes of 볱뵺뱁 are Hangul.
    const cut = Buffer.from('볱뵺뱁').subarray(0, -2);
    expect(await messageOf('a.csv', bytes('number,note\n1,x\n2,', [...cut], '\n'))).toContain('is CP949');
    expect(await rowTexts('a.csv', bytes(`number,note\n1,${note}\n2,`, [...cut], '\n'))).toHaveLength(2);
  });

  it('is no UTF-16 because a tiny file has a stray NUL byte', async () => {
    expect(await rowTexts('a.txt', bytes('1588', [0], '\n'))).toHaveLength(1);
  });

  it('may have NUL bytes in a line', async () => {
    expect(await rowTexts('a.txt', bytes('010-2000-5036\n010-2000-5037', [0], '\n'))).toHaveLength(2);
  });
});
