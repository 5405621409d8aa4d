/** A CSV of registrations is split into pieces. Every line is in exactly one piece, and unreadable files are reported. */
import '../support/workspace.ts';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { readRegistrations } from '../../../cli/import/registration-file.ts';
import { IMPORT_BODY_BYTES_MAX, IMPORT_ROWS_MAX } from '../../../shared/limits/registrations.ts';
import { write } from '../support/workspace.ts';

const HEADER = 'reference,number,basis,holderKind,holder,clients';
const line = (index: number): string => `r${index},+8221234${index},own,organisation,한국,acme`;

describe('a file of registrations', () => {
  it('is cut into pieces that contain each line once, with its number', async () => {
    const lines = Array.from({ length: 2 * IMPORT_ROWS_MAX + 500 }, (_, index) =>
      index === 7 ? '' : line(index),
    );
    const text = `\uFEFF${HEADER}\r\n${lines.join('\r\n')}\r\n`;
    for (const content of [text, gzipSync(text)]) {
      const { header, pieces, rows } = await readRegistrations(write('bulk.csv', content));
      expect([header, rows, pieces.length]).toEqual([HEADER, lines.length - 1, 3]);
      expect(pieces.flatMap((piece) => piece.lines)).toEqual(lines);
      expect(pieces.map(({ firstLine }) => firstLine)).toEqual([2, 1_002, 2_002]);
    }
  });

  it('has no piece above the limit of a request, also with long lines of Korean', async () => {
    const lines = Array.from(
      { length: IMPORT_ROWS_MAX },
      (_, index) => `r${index},${'한'.repeat(4_000)},own`,
    );
    const { header, pieces } = await readRegistrations(write('long.csv', [HEADER, ...lines].join('\n')));
    expect(pieces.flatMap((piece) => piece.lines)).toEqual(lines);
    for (const piece of pieces) {
      const body = [header, ...piece.lines].join('\n');
      expect(Buffer.byteLength(body)).toBeLessThanOrEqual(IMPORT_BODY_BYTES_MAX);
    }
    expect(pieces.length).toBeGreaterThan(1);
  });

  it.each<[string, string | Uint8Array, string]>([
    ['without lines', '', 'is empty: a header is required'],
    ['with a header only', `${HEADER}\n\n`, 'has no registrations, only a header'],
    [
      'with a wrong column',
      `\n${HEADER},phone\n${line(1)}\n`,
      'line 2: the header has the unknown column "phone"',
    ],
    ['without a column', `reference,number\n${line(1)}\n`, 'line 1: the header has no column "basis"'],
    ['with a long line', `${HEADER}\n${'x'.repeat(5_000)}\n`, 'line 2 is longer than 4096 characters'],
    // 한국 in CP949.
    [
      'in CP949',
      Buffer.concat([
        Buffer.from(`${HEADER}\nr1,+8215881234,own,organisation,`),
        Buffer.from([0xc7, 0xd1, 0xb1, 0xb9]),
      ]),
      'line 2: the file is CP949 (EUC-KR), not UTF-8',
    ],
    [
      'in UTF-16',
      Buffer.from(`\uFEFF${HEADER}\n${line(1)}`, 'utf16le'),
      'line 1: the file is UTF-16, not UTF-8',
    ],
    ['of a spreadsheet', Buffer.from('PK\u0003\u0004rest'), 'is an XLSX workbook or another ZIP archive'],
  ])('%s is refused', async (_what, content, words) => {
    await expect(readRegistrations(write('wrong.csv', content))).rejects.toThrow(words);
  });
});
