/**
 * `/v1/check/stream` with `text/plain`: one output line for each input line.
 */
import { describe, expect, it } from 'vitest';
import { NUMBERS, SOURCES } from './support/input-lists.ts';
import { inPieces } from './support/pieces.ts';
import { check, send, stream } from './support/send.ts';
import { TEST_NUMBERS } from './support/test-number-table.ts';
import { world } from './support/world.ts';

describe('a stream of text', () => {
  it('each output line is the input line, verdict and code', async () => {
    expect(await stream('010-4444-0001\n+82 10 5555 0000\n1335\n')).toEqual([
      '010-4444-0001,block,NUMBER_SUSPENDED',
      '+82 10 5555 0000,allow,',
      '1335,allow,',
    ]);
  });

  it('lines are recipients, or senders with ?subject=from', async () => {
    const lines = `${NUMBERS.overseas}\n`;
    expect(await stream(lines)).toEqual([`${NUMBERS.overseas},allow,`]);
    expect(await stream(lines, { query: '?subject=to' })).toEqual([`${NUMBERS.overseas},allow,`]);
    expect(await stream(`${lines}${SOURCES.listed}\n`, { query: '?subject=from' })).toEqual([
      `${NUMBERS.overseas},block,OVERSEAS_NUMBER_LISTED`,
      `${SOURCES.listed},block,OVERSEAS_SOURCE_LISTED`,
    ]);
  });

  it('every test number has the verdict of a check', async () => {
    const lines = await stream(TEST_NUMBERS.map(({ written }) => `${written}\n`).join(''));
    expect(lines).toEqual(TEST_NUMBERS.map(({ written, verdict, code }) => `${written},${verdict},${code}`));
  });

  it('a stream may have CRLF and no last line end', async () => {
    const suspended = `${NUMBERS.suspended},block,NUMBER_SUSPENDED`;
    expect(await stream(`${NUMBERS.suspended}\r\n112\r\n${NUMBERS.suspended}`)).toEqual([
      suspended,
      '112,allow,EMERGENCY_NEVER_BLOCKED',
      suspended,
    ]);
    expect(await stream(`${NUMBERS.suspended}\r\n`)).toEqual([suspended]);
  });

  it('an empty line gives an error line, so that lines still match', async () => {
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
    ['1'.repeat(18_432), 'NUMBER_TOO_LONG'],
  ])('a line that is not a number gives an error line: %.20s', async (line, code) => {
    expect(await stream(`${line}\n${NUMBERS.free}\n`)).toEqual([
      `${line},error,${code}`,
      `${NUMBERS.free},allow,`,
    ]);
  });

  it('an overlong line is not echoed', async () => {
    const most = '1'.repeat(18_432);
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

  it('control characters and line separators are not echoed', async () => {
    const query = '?subject=from';
    const controls = ['\r', '\u0085', '\u000b', '\u000c', '\u0000', '\u001b'];
    const answers = await stream(controls.map((end) => `MY${end}SHOP\n`).join(''), { query });
    expect(answers).toEqual(controls.map(() => 'MY SHOP,error,FIELD_VALUE'));
    const separators = await stream('MY\u2028SHOP\nMY\u2029SHOP\n', { query });
    expect(separators).toEqual(Array.from({ length: 2 }, () => 'MY SHOP,error,FIELD_VALUE'));
    expect(await stream('JO\u2028HN\n')).toEqual(['JO HN,error,SOURCE_AS_RECIPIENT']);
  });

  it('8 MB without a line end give one line', async () => {
    expect(await stream(inPieces('1'.repeat(8_000_000), 65_536))).toEqual([',error,NUMBER_TOO_LONG']);
  });

  it('chunks may be cut anywhere', async () => {
    const text = `${NUMBERS.suspended}\r\n０１０-4444-0002\nKR-한글\n\n112`;
    const whole = await stream(text);
    expect(whole).toHaveLength(5);
    for (const size of [1, 2, 3, 7]) expect(await stream(inPieces(text, size))).toEqual(whole);
  });

  it('an empty body gives an empty response', async () => {
    expect(await stream(inPieces('', 1))).toEqual([]);
    expect(await stream('')).toEqual([]);
    expect(await stream(undefined, { method: 'POST' })).toEqual([]);
  });

  it('headers name the same head as a check', async () => {
    const { headers } = await send('/v1/check/stream', {
      body: '112\n',
      headers: { 'content-type': 'text/plain' },
    });
    const { seq, stale } = await check({ to: NUMBERS.free });
    expect(headers.get('numgate-release')).toBe(world().release);
    expect([headers.get('numgate-seq'), headers.get('numgate-stale')]).toEqual([String(seq), String(stale)]);
    expect(Date.parse(headers.get('numgate-as-of')!)).toBeLessThanOrEqual(Date.now());
  });

  it('the content type names UTF-8', async () => {
    const { headers } = await send('/v1/check/stream', {
      body: '112\n',
      headers: { 'content-type': 'text/plain' },
    });
    expect(headers.get('content-type')).toBe('text/plain; charset=utf-8');
  });
});
