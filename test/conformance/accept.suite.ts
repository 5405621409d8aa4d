/**
 * `Accept` (RFC 9110, 12.5.1) chooses between JSON and a line of text, for verdicts and errors.
 */

import { describe, expect, it } from 'vitest';
import { CHECK_BODY_BYTES_MAX } from '../../shared/limits/requests.ts';
import { NUMBERS } from './support/input-lists.ts';
import { send } from './support/send.ts';

const JSON_TYPE = 'application/json';
const TEXT_TYPE = 'text/plain; charset=utf-8';

async function typeFor(accept: string): Promise<string | null> {
  const { headers } = await send('/v1/check', { body: { to: NUMBERS.free }, headers: { accept } });
  return headers.get('content-type');
}

describe('Accept', () => {
  it.each([
    'text/plain',
    'Text/PLAIN',
    'text/*',
    'text/plain, */*;q=0.9',
    '*/*;q=0.9, text/plain',
    'text/plain;q=0.2, application/json;q=0.1',
    'application/json;q=0.1, text/*;q=0.2',
    'application/json;q=0, */*',
    'application/*;q=0.5, text/plain;q=0.501',
    'text/plain;charset=utf-8',
    'text/plain;format="a,b;q=0"',
    'text/plain ; q=1.000 , application/json ; q=0.999',
    'text/plain;q=0.5;ext=1, application/json;q=0.4',
    'application/json;q=2, text/plain',
    ', text/plain,',
  ])('text is preferred by %s', async (accept) => {
    expect(await typeFor(accept)).toBe(TEXT_TYPE);
  });

  it.each([
    '*/*',
    'application/json',
    'application/problem+json',
    'application/*',
    'text/plain, application/json',
    'application/json, text/plain',
    'text/*, application/*',
    'text/plain, */*',
    'text/plain;q=0.5, */*',
    'text/*;q=0.9, application/json',
    'text/plain;q=0, */*;q=0.1',
    'text/plain;q=0.1, application/json;q=0.2',
    'text/plain;q=1.5',
    'text/plain;q=x',
    'text/plain;q=1 x',
    'a="b, text/plain',
    'text/html, application/xhtml+xml, application/xml;q=0.9, */*;q=0.8',
    'text/html',
    'image/png;q=1',
    'text/plainly',
    'x-text/plain',
    'nonsense',
    '',
  ])('JSON is preferred by, or the only choice for: %s', async (accept) => {
    expect(await typeFor(accept)).toBe(JSON_TYPE);
  });

  it('a header that is too long is ignored', async () => {
    expect(await typeFor(`text/plain;a="${'x'.repeat(1_100)}"`)).toBe(JSON_TYPE);
  });

  it('a batch is JSON, whatever Accept says', async () => {
    const body = { items: [{ to: NUMBERS.free }] };
    const { headers } = await send('/v1/check/batch', { body, headers: { accept: 'text/plain' } });
    expect(headers.get('content-type')).toBe(JSON_TYPE);
  });
});

describe('an error', () => {
  const accept = 'text/plain';

  it.each([
    ['/v1/check', 400, 'SOURCE_AS_RECIPIENT', { body: { to: 'JOHN' } }],
    ['/v1/check?to=', 400, 'NUMBER_MISSING', {}],
    ['/v1/check', 400, 'JSON_INVALID', { body: '{' }],
    ['/v1/check?to=112', 401, 'UNAUTHENTICATED', { client: null }],
    ['/v1/check?to=112', 403, 'PERMISSION_DENIED', { client: 'gateway' }],
    ['/v1/gateway/check', 400, 'FIELD_VALUE', { body: { from: 'A\u0000B' }, client: 'gateway' }],
    ['/v1/check', 413, 'BODY_TOO_LARGE', { body: ' '.repeat(CHECK_BODY_BYTES_MAX + 1) }],
  ] as const)(
    'is a line of status, code and message if text is preferred: %s, %i %s',
    async (path, status, code, request) => {
      const reply = await send(path, { ...request, headers: { accept } });
      expect([reply.status, reply.headers.get('content-type')]).toEqual([status, TEXT_TYPE]);
      expect(reply.text).toMatch(new RegExp(`^${status} ${code} [^\\n]+\\n$`));
      const json = await send(path, request);
      expect(reply.text).toBe(`${status} ${code} ${json.json.message}\n`);
    },
  );

  it('is one line, even if a name in the request has a line end', async () => {
    const { text } = await send('/v1/check', { body: { 'a\nallow': '1' }, headers: { accept } });
    expect(text).toBe('400 FIELD_UNKNOWN "a allow" is not a field of this request\n');
  });

  it('is JSON if JSON is preferred, or both alike', async () => {
    for (const type of ['application/json', 'application/problem+json, text/plain;q=0.9', '*/*']) {
      const { headers } = await send('/v1/check', { body: { to: 'JOHN' }, headers: { accept: type } });
      expect(headers.get('content-type')).toBe('application/problem+json');
    }
  });
});

describe('the headers of a line of text at a gateway', () => {
  const read = async (from: string): Promise<(string | null)[]> => {
    const { text, headers } = await send('/v1/gateway/check', {
      method: 'POST',
      client: 'gateway',
      body: { from, channel: 'voice' },
      headers: { accept: 'text/plain' },
    });
    const names = ['numgate-label', 'numgate-sip-status', 'numgate-cache-until'];
    return [text.split(' ')[0]!, ...names.map((name) => headers.get(name))];
  };

  it('name the label, the SIP status, and how long the response may be reused', async () => {
    const [labelled, label, passes, until] = await read('+639179876543');
    expect([labelled, decodeURIComponent(label!), passes]).toEqual(['label', '[국제발신]', null]);
    expect(Date.parse(until!)).toBeGreaterThan(Date.now() - 60_000);
    const [blocked, none, status] = await read('+82212345678');
    expect([blocked, none, status]).toEqual(['block', null, '603']);
  });

  it('are absent from other checks and from JSON', async () => {
    const plain = await send('/v1/check?to=112', { headers: { accept: 'text/plain' } });
    const json = await send('/v1/gateway/check', { client: 'gateway', body: { from: '+639179876543' } });
    for (const { headers } of [plain, json])
      expect([...headers.keys()].filter((name) => /^numgate-(label|sip|cache)/.test(name))).toEqual([]);
  });
});
