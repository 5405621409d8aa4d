/** Invalid fields and parameters. The error has a code and the name of the field, never the value. */
import { describe, expect, it } from 'vitest';
import { expectRefused, type Request, send } from './support/send.ts';

const TOO_LONG = '+1234567890123456';

describe('fields of a check', () => {
  it.each<[string, unknown, string, string]>([
    ['no party', {}, 'FIELD_MISSING', 'to'],
    ['only a channel', { channel: 'sms' }, 'FIELD_MISSING', 'to'],
    ['a JSON number', { to: 1_044_440_001 }, 'FIELD_TYPE', 'to'],
    ['null', { from: null, to: '112' }, 'FIELD_TYPE', 'from'],
    ['a list', { to: ['112'] }, 'FIELD_TYPE', 'to'],
    ['an object', { from: {} }, 'FIELD_TYPE', 'from'],
    ['an unknown field', { to: '112', recipient: '112' }, 'FIELD_UNKNOWN', 'recipient'],
    ['an id, which a check does not have', { id: 'a', to: '112' }, 'FIELD_UNKNOWN', 'id'],
    ['an unknown channel', { to: '112', channel: 'fax' }, 'FIELD_VALUE', 'channel'],
    ['a channel in capitals', { to: '112', channel: 'SMS' }, 'FIELD_VALUE', 'channel'],
    ['a channel that is null', { to: '112', channel: null }, 'FIELD_VALUE', 'channel'],
    ['an empty number', { to: '' }, 'NUMBER_MISSING', 'to'],
    ['no digits', { from: '+ - ()' }, 'NUMBER_MISSING', 'from'],
    ['only zeros', { to: '000-0000-0000' }, 'NUMBER_MISSING', 'to'],
    ['16 digits', { to: TOO_LONG }, 'NUMBER_TOO_LONG', 'to'],
    ['65 characters', { from: ` ${'-'.repeat(53)}01044440001` }, 'NUMBER_TOO_LONG', 'from'],
    ['a character of no number', { to: '010-4444-0001~2' }, 'NUMBER_CHARACTER', 'to'],
    ['two numbers', { to: '010-4444-0001;010-4444-0002' }, 'NUMBER_CHARACTER', 'to'],
    ['a plus in the middle', { from: '010+44440001' }, 'NUMBER_CHARACTER', 'from'],
    ['letters in to', { to: 'MYSHOP' }, 'SOURCE_AS_RECIPIENT', 'to'],
    ['letters in a number', { to: '010-4444-OOO1' }, 'NUMBER_CHARACTER', 'to'],
    ['several numbers', { to: '02-444-0001~2' }, 'NUMBER_CHARACTER', 'to'],
    ['a long sender ID', { from: '\ufdfa'.repeat(4) }, 'FIELD_VALUE', 'from'],
    ['a sender ID with a control character', { from: 'MY\u0007SHOP' }, 'FIELD_VALUE', 'from'],
    ['a sender ID with a line end', { from: 'MY\nSHOP' }, 'FIELD_VALUE', 'from'],
    ['a sender ID that is displayed backwards', { from: 'MY\u202eSHOP' }, 'FIELD_VALUE', 'from'],
    ['a sender ID with an invisible character', { from: 'MY\u200bSHOP' }, 'FIELD_VALUE', 'from'],
    ['a sender ID with a joiner', { from: 'MY\u200dSHOP' }, 'FIELD_VALUE', 'from'],
    ['a token that is a number', { from: '112', senderToken: 1 }, 'FIELD_TYPE', 'senderToken'],
    ['a token without a sender', { to: '112', senderToken: 'x' }, 'FIELD_MISSING', 'from'],
    ['a number with a control character', { from: '010-4444\u00070001' }, 'NUMBER_CHARACTER', 'from'],
  ])('an invalid check is rejected with the name of the field: %s', async (_name, body, code, field) => {
    const { text } = await expectRefused(['/v1/check', { body }], [400, code, field]);
    expect(text).not.toMatch(/0001|fax|MYSHOP/);
  });

  it.each(['7', '"112"', '[]', 'null', 'true'])(
    'the body %s is rejected because it is not an object',
    async (body) => {
      await expectRefused(['/v1/check', { body }], [400, 'FIELD_TYPE', 'body']);
    },
  );

  it('an unknown field with any name is rejected by name', async () => {
    for (const field of ['__proto__', 'constructor', 'toString', 'from ', 'FROM', '수신']) {
      await expectRefused(
        ['/v1/check', { body: `{"to":"112","${field}":"1"}` }],
        [400, 'FIELD_UNKNOWN', field],
      );
    }
    await expectRefused(
      ['/v1/check', { body: { to: '112', ['x'.repeat(100)]: 1 } }],
      [400, 'FIELD_UNKNOWN', 'x'.repeat(64)],
    );
  });

  it('an error never contains a number, even as the name of a field', async () => {
    const { status, json } = await send('/v1/check', { body: { '01044440001': 'x' } });
    expect([status, json.code]).toEqual([400, 'FIELD_UNKNOWN']);
  });
});

describe('parameters of a GET', () => {
  it.each([
    ['', 'FIELD_MISSING', 'to'],
    ['?', 'FIELD_MISSING', 'to'],
    ['?to=', 'NUMBER_MISSING', 'to'],
    ['?to=112&recipient=112', 'FIELD_UNKNOWN', 'recipient'],
    ['?to=112&To=112', 'FIELD_UNKNOWN', 'To'],
    ['?to=112&to=119', 'FIELD_TYPE', 'to'],
    ['?to=112&from=1&from=1', 'FIELD_TYPE', 'from'],
    ['?to=112&channel=fax', 'FIELD_VALUE', 'channel'],
    ['?to=MYSHOP', 'SOURCE_AS_RECIPIENT', 'to'],
    [`?from=${encodeURIComponent(TOO_LONG)}`, 'NUMBER_TOO_LONG', 'from'],
    ['?to=112%23', 'NUMBER_CHARACTER', 'to'],
    ['?to=112&__proto__=1', 'FIELD_UNKNOWN', '__proto__'],
    ['?to=112&id=1', 'FIELD_UNKNOWN', 'id'],
  ])('an invalid query is rejected with the name of the parameter: %s', async (query, code, field) => {
    await expectRefused([`/v1/check${query}`, {}], [400, code, field]);
  });
});

describe('parameters of a POST', () => {
  const text = { 'content-type': 'text/plain' };
  const stream: Request = { body: '112\n', headers: text };

  it.each<[string, Request, string, string]>([
    ['/v1/check/stream?subject=both', stream, 'FIELD_VALUE', 'subject'],
    ['/v1/check/stream?subject=', stream, 'FIELD_VALUE', 'subject'],
    ['/v1/check/stream?channel=sms', stream, 'FIELD_UNKNOWN', 'channel'],
    ['/v1/check/stream?subject=from&subject=to', stream, 'FIELD_TYPE', 'subject'],
    ['/v1/check?to=112', { body: { to: '112' } }, 'FIELD_UNKNOWN', 'to'],
    ['/v1/check/batch?report=hits', { body: { items: [] } }, 'FIELD_UNKNOWN', 'report'],
  ])('a parameter of a POST is rejected by name: %s', async (path, request, code, field) => {
    await expectRefused([path, request], [400, code, field]);
  });
});

describe('fields of a batch', () => {
  const items = [{ to: '112' }];

  it.each<[string, unknown, string, string | undefined]>([
    ['a list', [], 'FIELD_TYPE', 'body'],
    ['null', null, 'FIELD_TYPE', 'body'],
    ['no items', {}, 'FIELD_MISSING', 'items'],
    ['items that are no list', { items: {} }, 'FIELD_TYPE', 'items'],
    ['items that are null', { items: null }, 'FIELD_TYPE', 'items'],
    ['an unknown field', { items, to: '112' }, 'FIELD_UNKNOWN', 'to'],
    ['an unknown report', { items, report: 'some' }, 'FIELD_VALUE', 'report'],
    ['a report that is null', { items, report: null }, 'FIELD_VALUE', 'report'],
    ['defaults that are no object', { items, defaults: 'x' }, 'FIELD_TYPE', 'defaults'],
    ['defaults that are null', { items, defaults: null }, 'FIELD_TYPE', 'defaults'],
    ['an unknown default', { items, defaults: { colour: 'red' } }, 'FIELD_UNKNOWN', 'defaults.colour'],
    ['an id as default', { items, defaults: { id: 'a' } }, 'FIELD_UNKNOWN', 'defaults.id'],
    ['a default with letters', { items, defaults: { to: 'MYSHOP' } }, 'SOURCE_AS_RECIPIENT', 'defaults.to'],
    ['a default too long', { items, defaults: { from: TOO_LONG } }, 'NUMBER_TOO_LONG', 'defaults.from'],
    ['a default channel', { items, defaults: { channel: 'fax' } }, 'FIELD_VALUE', 'defaults.channel'],
  ])('an invalid batch is rejected with the name of the field: %s', async (_name, body, code, field) => {
    await expectRefused(['/v1/check/batch', { body: JSON.stringify(body) }], [400, code, field]);
  });

  it('10,001 items are too many', async () => {
    const body = { items: Array.from({ length: 10_001 }, () => ({ to: '112' })) };
    const { json } = await expectRefused(['/v1/check/batch', { body }], [400, 'ITEMS_TOO_MANY', 'items']);
    expect(json.message).toContain('/v1/check/stream');
  });
});
