/** Valid gateway requests, and the error and field name of each invalid one. */
import { describe, expect, it } from 'vitest';
import type { Ingress, ScreenRequest } from '../../../shared/request.ts';
import { GATEWAY_FIELDS } from '../../../shared/screening/parse-gateway-request.ts';
import { parseDefaults, parseItem, parseRequest } from '../../../shared/screening/parse-request.ts';

function read(fields: unknown) {
  return parseRequest(fields, GATEWAY_FIELDS, null);
}

function parse(fields: object): ScreenRequest {
  const result = read(fields);
  if (!result.ok) throw new Error(result.message);
  return result.value;
}

describe('a gateway request', () => {
  it('defaults to traffic from abroad with an unknown ingress', () => {
    expect(parse({ from: '+639171234567' })).toMatchObject({
      from: { kind: 'number', n: 639_171_234_567 },
      to: null,
      channel: 'sms',
      ingress: {
        type: 'international',
        country: null,
        operator: null,
        roaming: 'unknown',
        attestation: null,
        identity: [],
      },
    });
  });

  it.each([
    ['', 'sms', 'withheld'],
    ['  ', 'sms', 'withheld'],
    ['anonymous', 'voice', 'withheld'],
    ['Anonymous', 'voice', 'withheld'],
    ['anonymous@anonymous.invalid', 'voice', 'withheld'],
    ['front-desk.seoul', 'voice', 'source'],
    ['\u31640212345678', 'voice', 'number'],
    ['15881234\u115f', 'sms', 'number'],
    ['anonymous', 'sms', 'source'],
    ['112', 'voice', 'shortCode'],
    ['PARCEL-KR-1', 'sms', 'source'],
    ['국제발신국제발신국제', 'sms', 'source'],
  ])('parses %j with %s as %s', (from, channel, kind) => {
    expect(parse({ from, channel }).from?.kind).toBe(kind);
    expect(parse({ channel, from }).from?.kind).toBe(kind);
  });

  it.each<[object, Partial<Ingress>]>([
    [
      { type: 'domestic', country: 'KR', operator: '450-05' },
      { type: 'domestic', country: 'KR', operator: '45005' },
    ],
    [{ smsc: '+63 917 000 0130' }, { smsc: 639_170_000_130 }],
    [{ smsc: '639170000130' }, { smsc: 639_170_000_130 }],
    [
      { trunk: 'MNL-2', carrierPrefix: '00700' },
      { trunk: 'MNL-2', carrierPrefix: '00700' },
    ],
  ])('parses %j', (given, expected) => {
    expect(parse({ from: '', ingress: given }).ingress).toMatchObject(expected);
  });

  it.each([
    [{}, 'FIELD_MISSING', 'from'],
    [{ to: '010-9876-5432' }, 'FIELD_MISSING', 'from'],
    [{ from: 1 }, 'FIELD_TYPE', 'from'],
    [{ from: 'TWELVE-CHARS' }, 'FIELD_VALUE', 'from'],
    [{ from: 'A'.repeat(65), channel: 'voice' }, 'NUMBER_TOO_LONG', 'from'],
    [{ from: 'A\tB' }, 'FIELD_VALUE', 'from'],
    [{ from: '010\n1234 5678' }, 'FIELD_VALUE', 'from'],
    [{ from: '---' }, 'NUMBER_MISSING', 'from'],
    [{ from: '+1234567890123456' }, 'NUMBER_TOO_LONG', 'from'],
    [{ from: '', to: 'ACME' }, 'SOURCE_AS_RECIPIENT', 'to'],
    [{ from: '', roaming: 'yes' }, 'FIELD_VALUE', 'roaming'],
    [{ from: '', attestation: 'D' }, 'FIELD_VALUE', 'attestation'],
    [{ from: '', channel: 'mms' }, 'FIELD_VALUE', 'channel'],
    [{ from: '', ingress: 'international' }, 'FIELD_TYPE', 'ingress'],
    [{ from: '', ingress: null }, 'FIELD_TYPE', 'ingress'],
    [{ from: '', ingress: { type: 'national' } }, 'FIELD_VALUE', 'ingress.type'],
    [{ from: '', ingress: { country: 'ph' } }, 'FIELD_VALUE', 'ingress.country'],
    [{ from: '', ingress: { country: 'PHL' } }, 'FIELD_VALUE', 'ingress.country'],
    [{ from: '', ingress: { operator: '5150' } }, 'FIELD_VALUE', 'ingress.operator'],
    [{ from: '', ingress: { operator: 51502 } }, 'FIELD_TYPE', 'ingress.operator'],
    [{ from: '', ingress: { trunk: 'a\u0007' } }, 'FIELD_VALUE', 'ingress.trunk'],
    [{ from: '', ingress: { trunk: 'x'.repeat(65) } }, 'FIELD_VALUE', 'ingress.trunk'],
    [{ from: '', ingress: { smsc: 'MNL' } }, 'FIELD_VALUE', 'ingress.smsc'],
    [{ from: '', ingress: { carrierPrefix: '007' } }, 'FIELD_VALUE', 'ingress.carrierPrefix'],
    [{ from: '', ingress: { cell: '1' } }, 'FIELD_UNKNOWN', 'ingress.cell'],
    [{ from: '', ingress: { 821012345678: '1' } }, 'FIELD_UNKNOWN', 'ingress.************'],
    [{ from: '', ingress: { type: 'domestic', country: 'PH' } }, 'FIELD_CONTRADICTION', 'ingress.country'],
    [{ from: '', ingress: { country: 'KR' } }, 'FIELD_CONTRADICTION', 'ingress.country'],
    [
      { from: '', ingress: { type: 'domestic', operator: '51502' } },
      'FIELD_CONTRADICTION',
      'ingress.operator',
    ],
    [{ from: '', certificate: 'x' }, 'FIELD_UNKNOWN', 'certificate'],
    [[], 'FIELD_TYPE', 'body'],
  ])('is refused: %j is %s of %s', (fields, code, field) => {
    expect(read(fields)).toMatchObject({ ok: false, code, field });
  });

  it.each([
    ['00639171234567', '00700', 639_171_234_567, 'number'],
    ['0070000639171234567', '00700', 639_171_234_567, 'number'],
    ['15881234', '006', 8_215_881_234, 'number'],
    ['006 1588-1234', '006', 8_215_881_234, 'number'],
    ['1335', '006', undefined, 'shortCode'],
    ['010-1234-5678', '002', 821_012_345_678, 'number'],
    ['+20212345678', '008', 20_212_345_678, 'number'],
  ])('parses %j behind %s', (from, carrierPrefix, n, kind) => {
    expect(parse({ from, ingress: { carrierPrefix } }).from).toMatchObject(
      n === undefined ? { kind } : { kind, n },
    );
  });

  it('drops the default country and operator when an item has another ingress type', () => {
    const defaults = parseDefaults(
      { ingress: { country: 'PH', operator: '51502', trunk: 'A' } },
      GATEWAY_FIELDS,
      null,
    );
    if (!defaults.ok) throw new Error(defaults.message);
    const item = { from: '', ingress: { type: 'domestic' } };
    expect(parseItem(item, defaults.value, GATEWAY_FIELDS, null).parsed).toMatchObject({
      value: { ingress: { type: 'domestic', country: null, operator: null, trunk: 'A' } },
    });
  });

  it('takes single ingress fields from the defaults of a batch', () => {
    const defaults = parseDefaults(
      { from: '+639170000000', ingress: { operator: '51502', trunk: 'MNL-2' }, roaming: 'verified' },
      GATEWAY_FIELDS,
      null,
    );
    if (!defaults.ok) throw new Error(defaults.message);
    const item = { id: 'a', ingress: { trunk: 'MNL-3' } };
    const result = parseItem(item, defaults.value, GATEWAY_FIELDS, null);
    expect(result).toMatchObject({
      id: 'a',
      parsed: {
        value: {
          from: { n: 639_170_000_000 },
          ingress: { operator: '51502', trunk: 'MNL-3', roaming: 'verified', type: 'international' },
        },
      },
    });
  });

  it('checks an item against the defaults', () => {
    const defaults = parseDefaults({ ingress: { type: 'domestic' } }, GATEWAY_FIELDS, null);
    if (!defaults.ok) throw new Error(defaults.message);
    const item = { from: '', ingress: { country: 'PH' } };
    const { parsed } = parseItem(item, defaults.value, GATEWAY_FIELDS, null);
    expect(parsed).toMatchObject({ ok: false, field: 'ingress.country' });
    expect(parseDefaults({ ingress: { type: 'x' } }, GATEWAY_FIELDS, null)).toMatchObject({
      field: 'defaults.ingress.type',
    });
    expect(parseDefaults({ from: '---' }, GATEWAY_FIELDS, null)).toMatchObject({ field: 'defaults.from' });
  });
});
