/** `/v1/check/stream` with `application/x-ndjson`: one request per line, and one response per line. */
import { describe, expect, it } from 'vitest';
import { utf8 } from '../../shared/bytes.ts';
import { NUMBERS, SOURCES } from './support/input-lists.ts';
import { inPieces } from './support/pieces.ts';
import { check, streamJson } from './support/send.ts';

function lines(...values: unknown[]): string {
  return values.map((value) => `${JSON.stringify(value)}\n`).join('');
}

describe('a stream of NDJSON', () => {
  it('each line gets the response of a check, with its id', async () => {
    const questions = [
      { to: NUMBERS.suspended },
      { from: SOURCES.listed, to: NUMBERS.free, channel: 'sms' },
      { to: NUMBERS.free },
      { to: '010-0000-0022' },
    ];
    const answers = await streamJson(
      lines(...questions.map((question, index) => ({ id: `n${index}`, ...question }))),
    );
    for (const [index, question] of questions.entries()) {
      const { asOf: _, ...alone } = await check(question);
      expect(answers[index]).toMatchObject({ ...alone, id: `n${index}` });
    }
    expect((await streamJson(lines({ to: '112' })))[0]!.id).toBeNull();
  });

  it.each([
    ['not JSON', '{"to":"112"', 'JSON_INVALID', 'line'],
    ['an empty line', '', 'JSON_INVALID', 'line'],
    ['too long', JSON.stringify({ id: 'x'.repeat(18_432), to: '112' }), 'JSON_INVALID', 'line'],
    ['no object', '7', 'FIELD_TYPE', 'item'],
    ['without a number', '{}', 'FIELD_MISSING', 'to'],
    ['with letters in to', '{"to":"JOHN"}', 'SOURCE_AS_RECIPIENT', 'to'],
    ['with a number too long', '{"from":"+1234567890123456"}', 'NUMBER_TOO_LONG', 'from'],
    ['with an unknown field', '{"to":"112","colour":"red"}', 'FIELD_UNKNOWN', 'colour'],
    ['with an unknown channel', '{"to":"112","channel":"fax"}', 'FIELD_VALUE', 'channel'],
  ])('a line that is %s gets its own error', async (_name, line, code, field) => {
    const answers = await streamJson(`{"id":"a","to":"112"}\n${line}\n{"id":"c","to":"112"}\n`);
    expect(answers.map(({ id, verdict }) => [id, verdict])).toEqual([
      ['a', 'allow'],
      [null, undefined],
      ['c', 'allow'],
    ]);
    expect(answers[1]!.error).toMatchObject({ code, field });
    expect(JSON.stringify(answers[1])).not.toMatch(/\d{7}/);
  });

  it('a line in CP949 gets an error, and one with a U+FFFD that was sent does not', async () => {
    const cp949 = Uint8Array.from([...utf8('{"to":"112","text":"'), 0xb0, 0xa1, ...utf8('"}\n')]);
    const sent = utf8(lines({ id: 'a', to: '112', text: '\ufffd' }));
    expect((await streamJson(sent)).map(({ verdict }) => verdict)).toEqual(['allow']);
    const answers = await streamJson(Uint8Array.from([...utf8(lines({ id: 'a', to: '112' })), ...cp949]));
    expect(answers[0]).toMatchObject({ id: 'a', verdict: 'allow' });
    expect(answers[1]!.error).toMatchObject({ code: 'JSON_INVALID', field: 'line' });
  });

  it('a line with an error keeps its id', async () => {
    expect((await streamJson(lines({ id: 'x', to: 'JOHN' })))[0]!.id).toBe('x');
  });

  it('a stream may have CRLF, no last line end, and chunks cut anywhere', async () => {
    const text = '{"id":"가나","to":"112"}\r\n{"id":"b","to":"112"}';
    for (const size of [1, 5, 1_000]) {
      expect((await streamJson(inPieces(text, size))).map(({ id }) => id)).toEqual(['가나', 'b']);
    }
  });
});
