/** Input files as rows, in every format. Each line is read or rejected, with its own line number. */
import '../support/workspace.ts';
import { describe, expect, it } from 'vitest';
import { failureOf } from '../support/failing.ts';
import { rowsOf, rowTexts } from '../support/rows.ts';
import { write } from '../support/workspace.ts';

describe('CSV', () => {
  it('may have a byte order mark, CRLF, quotes, any order of columns and notes', async () => {
    const text = '\ufeffReason, NUMBER ,note\r\nA,+821,"x, ""y"""\r\n\r\nB,"+822",\r\n';
    expect(await rowsOf('a.csv', text)).toMatchObject([
      { line: 2, number: '+821', reason: 'A', note: 'x, "y"', damage: null },
      { line: 4, number: '+822', reason: 'B', until: '', damage: null },
    ]);
  });

  it('may mix line ends and omit the last one', async () => {
    expect(await rowTexts('a.csv', 'number\r\n1\n2\r\n3\n4')).toEqual(['2 1', '3 2', '4 3', '5 4']);
    expect(await rowTexts('a.csv', 'number\n1\r\n2\n3\r')).toEqual(['2 1', '3 2', '4 3']);
  });

  it('may omit the last cells of a row or add empty ones, but not others', async () => {
    expect(await rowTexts('a.csv', 'number,reason\n1\n2,A,,\n3,A,x\n4,A\n')).toEqual([
      '2 1',
      '3 2',
      '4 ! CSV: 3 fields, but the header has 2',
      '5 4',
    ]);
  });

  it('loses one line to a bad quote, and none after it', async () => {
    const bad = '! CSV: quotes do not match, or continue on the next line';
    const text = 'number,note\n"1,x\n2,x\n3,"y\n4,"x"y\n5,x\n6,"a\nb"\n7,x';
    expect(await rowTexts('a.csv', text)).toEqual([
      `2 ${bad}`,
      '3 2',
      `4 ${bad}`,
      `5 ${bad}`,
      '6 5',
      `7 ${bad}`,
      `8 ${bad}`,
      '9 7',
    ]);
  });

  it.each([
    ['numbre,reason\n1,A\n', 'unknown column "numbre"; the first line must name columns of number, reason'],
    ['+821012345678,A\n', 'unknown column "+************"'],
    ['reason,note\nA,x\n', 'the header has no column "number"'],
    ['number,reason,Number\n', 'the header has column "number" twice'],
    ['number,"reason\n', 'the quotes in the header do not match'],
    ['', 'is empty: a header is required'],
    ['\n\n', 'is empty: a header is required'],
  ])('%j is rejected', async (text, message) => {
    const failure = await failureOf(() => rowsOf('bad.csv', text));
    expect(failure.message).toContain(message);
    expect(failure.message).toContain('bad.csv');
  });

  it('may have only a header', async () => {
    expect(await rowsOf('a.csv', 'number\n')).toEqual([]);
  });
});

describe('NDJSON', () => {
  it('may have blank lines, null for absent values, and CRLF', async () => {
    const text = '{"number":"+821","reason":"A","note":"x"}\r\n\n{"number":"+822","until":null}';
    expect(await rowsOf('a.ndjson', text)).toMatchObject([
      { line: 1, number: '+821', reason: 'A', damage: null },
      { line: 3, number: '+822', reason: '', until: '', damage: null },
    ]);
  });

  it('rejects invalid lines by their number, and reads the others', async () => {
    const text =
      '{"number":821}\n{"number":"1","x":"y"}\n{"821012345678":"y"}\n[]\n"1"\n{"number\n{"number":"7"}';
    expect(await rowTexts('a.jsonl', text)).toEqual([
      '1 ! "number" must be a string',
      '2 ! unknown field "x"',
      '3 ! unknown field "************"',
      '4 ! is not a JSON object',
      '5 ! is not a JSON object',
      '6 ! is not JSON',
      '7 7',
    ]);
  });

  it('rejects names that every object has', async () => {
    expect(await rowTexts('a.jsonl', '{"number":"1","__proto__":{"reason":"A"}}\n{"damage":"x"}')).toEqual([
      '1 ! unknown field "__proto__"',
      '2 ! unknown field "damage"',
    ]);
  });
});

describe('plain text', () => {
  it('has one number per line, with comments, blank lines and any line end', async () => {
    const text = '\ufeff# a comment\r\n\r\n 010-1234-5678 \r\n  # another\n1\n2';
    expect(await rowTexts('a.txt', text)).toEqual(['3 010-1234-5678', '5 1', '6 2']);
  });

  it('may be empty', async () => {
    expect(await rowsOf('a.txt', '')).toEqual([]);
  });
});

describe('every format', () => {
  it.each([
    ['a.csv', 'number\n'],
    ['a.jsonl', ''],
    ['a.txt', ''],
  ])('%s rejects a huge line and continues', async (name, head) => {
    const row = (number: string): string => (name === 'a.jsonl' ? JSON.stringify({ number }) : number);
    const first = head === '' ? 1 : 2;
    expect(await rowTexts(name, `${head}${row('1'.repeat(5_000_000))}\n${row('7')}\n`)).toEqual([
      `${first} ! is longer than 4096 characters`,
      `${first + 1} 7`,
    ]);
  });

  it('is selected by the file name or by the catalogue', async () => {
    expect(await rowTexts('A.TXT', '1')).toEqual(['1 1']);
    expect(await rowTexts('numbers', '1', 'plain')).toEqual(['1 1']);
    expect((await failureOf(() => rowsOf('numbers.dat', '1'))).message).toMatch(
      /numbers\.dat: the name does not show the format: name it \.txt, \.csv or \.ndjson, /,
    );
  });

  it('reports a missing file, or a folder', async () => {
    const { readRows } = await import('../../../cli/import/rows.ts');
    const path = write('folder.txt/file', '').replace(/\/file$/, '');
    const ignore = (): void => undefined;
    expect((await failureOf(() => readRows({ path }, ignore))).message).toMatch(
      /folder\.txt: is a folder; a file is needed$/,
    );
    const missing = `${path}-no.txt`;
    expect((await failureOf(() => readRows({ path: missing }, ignore))).message).toMatch(
      /no\.txt: does not exist$/,
    );
  });
});
