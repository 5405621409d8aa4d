/** The field `text` of a request: which requests may have it, and which values are refused. */
import { describe, expect, test } from 'vitest';
import { GATEWAY_FIELDS } from '../../../shared/screening/parse-gateway-request.ts';
import { CHECK_FIELDS, parseRequest } from '../../../shared/screening/parse-request.ts';
import { SENDER_FIELDS } from '../../../shared/screening/sender-check.ts';

describe('the fields of a request', () => {
  const KINDS = { check: CHECK_FIELDS, gateway: GATEWAY_FIELDS, sender: SENDER_FIELDS };

  test.each([
    ['a number', 'check', { text: 5 }, 'FIELD_TYPE', '"text" must be a string'],
    ['null', 'check', { text: null }, 'FIELD_TYPE', '"text" must be a string'],
    [
      '2,001 characters',
      'check',
      { text: '가'.repeat(2_001) },
      'FIELD_VALUE',
      'at most 2000 characters: send the first 2000',
    ],
    ['half of a character', 'gateway', { text: 'x\ud83d' }, 'FIELD_VALUE', 'join the parts of a message'],
    [
      'that of a voice call',
      'check',
      { text: 'x', channel: 'voice' },
      'FIELD_CONTRADICTION',
      'leave it out for the channel "voice"',
    ],
    [
      'that of a voice call',
      'gateway',
      { channel: 'voice', text: 'x' },
      'FIELD_CONTRADICTION',
      'for the channel "voice"',
    ],
    ['any', 'sender', { text: 'x' }, 'FIELD_UNKNOWN', 'use /v1/check'],
  ] as const)(
    '%s as the text of a %s is refused by name, with the way out',
    (_, kind, fields, code, message) => {
      const parsed = parseRequest({ from: '021234567', ...fields }, KINDS[kind], null);
      expect(parsed).toMatchObject({ ok: false, code, field: 'text' });
      if (!parsed.ok) expect(parsed.message).toContain(message);
    },
  );

  test('may be any well-formed text of up to 2,000 UTF-16 units, also an empty one', () => {
    for (const text of ['', '\0', '가'.repeat(2_000), '😀'.repeat(1_000)])
      expect(parseRequest({ to: '021234567', text }, CHECK_FIELDS, null)).toMatchObject({ value: { text } });
  });
});
