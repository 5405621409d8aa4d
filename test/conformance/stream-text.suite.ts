/**
 * `/v1/check/stream` with `text/plain`: one line out for each line in, whatever the line is.
 */
import { describe, expect, it } from 'vitest';
import { ask, check, stream } from './support/ask.ts';
import { NUMBERS, SOURCES } from './support/input-lists.ts';
import { inPieces } from './support/pieces.ts';
import { TEST_NUMBERS } from './support/test-number-table.ts';
import { world } from './support/world.ts';

describe('a stream of text', () => {
  it('answers number, verdict and code, with the line as it came', async () => {
    expect(await stream('010-4444-0001\n+82 10 5555 0000\n1335\n')).toEqual([
      '010-4444-0001,block,NUMBER_SUSPENDED',
      '+82 10 5555 0000,allow,',
      '1335,allow,',
    ]);
  });

  it('takes its lines as recipients, or as senders where that is asked for', async () => {
    const lines = `${NUMBERS.overseas}\n`;
    expect(await stream(lines)).toEqual([`${NUMBERS.overseas},allow,`]);
    expect(await stream(lines, { query: '?subject=to' })).toEqual([`${NUMBERS.overseas},allow,`]);
    expect(await stream(`${lines}${SOURCES.listed}\n`, { query: '?subject=from' })).toEqual([
      `${NUMBERS.overseas},block,OVERSEAS_NUMBER_LISTED`,
      `${SOURCES.listed},block,OVERSEAS_SOURCE_LISTED`,
    ]);
  });

  it('answers as a check does, for every test number', async () => {
    const lines = await stream(TEST_NUMBERS.map(({ written }) => `${written}\n`).join(''));
    expect(lines).toEqual(TEST_NUMBERS.map(({ written, verdict, code }) => `${written},${verdict},${code}`));
  });

  it('takes CRLF, and a last line without an end', async () => {
    const suspended = `${NUMBERS.suspended},block,NUMBER_SUSPENDED`;
    expect(await stream(`${NUMBERS.suspended}\r\n112\r\n${NUMBERS.suspended}`)).toEqual([
      suspended,
      '112,allow,EMERGENCY_NEVER_BLOCKED',
      suspended,
    ]);
    expect(await stream(`${NUMBERS.suspended}\r\n`)).toEqual([suspended]);
  });

  it('answers an empty line with an error line, so that lines still match', async () => {
    expect(await stream('\n112\n\r\n\n')).toEqual([
      ',error,NUMBER_MISSING',
      '112,allow,EMERGENCY_NEVER_BLOCKED',
      ',error,NUMBER_MISSING',
      ',error,NUMBER_MISSING',
    ]);
  });

  it.each([
    ['JOHN', 'SOURCE_AS_RECIPIENT'],
    ['+1234567890123456', 'NUMBER_TOO_LONG'],
    ['010#4444', 'NUMBER_CHARACTER'],
    ['---', 'NUMBER_MISSING'],
    ['1'.repeat(1_024), 'NUMBER_TOO_LONG'],
  ])('answers an error line where a line is no number: %.20s', async (line, code) => {
    expect(await stream(`${line}\n${NUMBERS.free}\n`)).toEqual([
      `${line},error,${code}`,
      `${NUMBERS.free},allow,`,
    ]);
  });

  it('leaves a line out of its answer where it was too long to keep', async () => {
    const most = '1'.repeat(1_024);
    expect(await stream(`${most}\r\n112`)).toEqual([
      `${most},error,NUMBER_TOO_LONG`,
      '112,allow,EMERGENCY_NEVER_BLOCKED',
    ]);
    const long = `${most}1`;
    expect(await stream(`112\n${long}\n112\n${long}`)).toEqual([
      '112,allow,EMERGENCY_NEVER_BLOCKED',
      ',error,NUMBER_TOO_LONG',
      '112,allow,EMERGENCY_NEVER_BLOCKED',
      ',error,NUMBER_TOO_LONG',
    ]);
  });

  it('never echoes what a reader could take for the end of a line', async () => {
    const query = '?subject=from';
    const controls = ['\r', '\u0085', '\u000b', '\u000c', '\u0000', '\u001b'];
    const answers = await stream(controls.map((end) => `MY${end}SHOP\n`).join(''), { query });
    expect(answers).toEqual(controls.map(() => 'MY SHOP,error,NUMBER_CHARACTER'));
    const separators = await stream('MY\u2028SHOP\nMY\u2029SHOP\n', { query });
    expect(separators).toEqual(Array.from({ length: 2 }, () => 'MY SHOP,block,SENDER_FORMAT_RULE'));
    expect(await stream('JO\u2028HN\n')).toEqual(['JO HN,error,SOURCE_AS_RECIPIENT']);
  });

  it('answers one line to 8 MB without a line end', async () => {
    expect(await stream(inPieces('1'.repeat(8_000_000), 65_536))).toEqual([',error,NUMBER_TOO_LONG']);
  });

  it('does not care how the bytes are cut', async () => {
    const text = `${NUMBERS.suspended}\r\n０１０-4444-0002\nKR-한글\n\n112`;
    const whole = await stream(text);
    expect(whole).toHaveLength(5);
    for (const size of [1, 2, 3, 7]) expect(await stream(inPieces(text, size))).toEqual(whole);
  });

  it('answers nothing to an empty body: no line in, no line out', async () => {
    expect(await stream(inPieces('', 1))).toEqual([]);
    expect(await stream('')).toEqual([]);
    expect(await stream(undefined, { method: 'POST' })).toEqual([]);
  });

  it('names the head in its headers, the same that a check names', async () => {
    const { headers } = await ask('/v1/check/stream', {
      body: '112\n',
      headers: { 'content-type': 'text/plain' },
    });
    const { seq, stale } = await check({ to: NUMBERS.free });
    expect(headers.get('numgate-release')).toBe(world().release);
    expect([headers.get('numgate-seq'), headers.get('numgate-stale')]).toEqual([String(seq), String(stale)]);
    expect(Date.parse(headers.get('numgate-as-of')!)).toBeLessThanOrEqual(Date.now());
  });

  it('says that its text is UTF-8', async () => {
    const { headers } = await ask('/v1/check/stream', {
      body: '112\n',
      headers: { 'content-type': 'text/plain' },
    });
    expect(headers.get('content-type')).toBe('text/plain; charset=utf-8');
  });
});
