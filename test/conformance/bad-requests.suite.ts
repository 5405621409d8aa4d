/**
 * Invalid requests: body, key, method, path, type, size. Each has its own status and code.
 */
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { utf8 } from '../../shared/bytes.ts';
import { NUMBERS } from './support/input-lists.ts';
import { inPieces } from './support/pieces.ts';
import { expectRefused, type Request, send } from './support/send.ts';
import { world } from './support/world.ts';

const json = { 'content-type': 'application/json' };
const BODY_BYTES_MAX = { '/v1/check': 24_576, '/v1/check/batch': 8_388_608 };
const JSON_ROUTES = ['/v1/check', '/v1/check/batch'] as const;

describe('the body', () => {
  it.each(JSON_ROUTES)('%s rejects a missing body', async (path) => {
    const nothing: Request[] = [
      { method: 'POST' },
      { method: 'POST', headers: json },
      { body: '' },
      { body: ' \n' },
      { body: inPieces('', 1) },
    ];
    for (const request of nothing) await expectRefused([path, request], [400, 'BODY_MISSING']);
  });

  it.each(JSON_ROUTES)('%s rejects a body that is not JSON', async (path) => {
    const bad = [
      '{',
      '{"to":"010-4444-0001"',
      "{'to':'112'}",
      '{"to":"112"}{"to":"112"}',
      'to=112',
      '\u0000',
    ];
    for (const body of bad) await expectRefused([path, { body }], [400, 'JSON_INVALID']);
  });

  it.each(JSON_ROUTES)('%s rejects a body in CP949, and takes a U+FFFD that was sent', async (path) => {
    // 가 in CP949 (EUC-KR).
    const cp949 = Uint8Array.from([...utf8('{"to":"112","text":"'), 0xb0, 0xa1, ...utf8('"}')]);
    const inParts = new ReadableStream({
      start(controller) {
        for (const part of [cp949.subarray(0, 21), cp949.subarray(21)]) controller.enqueue(part);
        controller.close();
      },
    });
    for (const body of [cp949, inParts]) {
      const sent = { body, headers: { 'content-type': 'application/json; charset=euc-kr' } };
      const { json: answer } = await expectRefused([path, sent], [400, 'JSON_INVALID']);
      expect(answer.message).toContain('CP949');
    }
    const one = { to: '112', text: '\ufffd' };
    expect((await send(path, { body: path === '/v1/check' ? one : { items: [one] } })).status).toBe(200);
  });

  it.each(JSON_ROUTES)('%s rejects a body over the bound without Content-Length', async (path) => {
    const max = BODY_BYTES_MAX[path];
    const body = inPieces(`{"to":"112"${' '.repeat(max)}}`, 65_536);
    const { json: answer } = await expectRefused([path, { body, headers: json }], [413, 'BODY_TOO_LARGE']);
    expect(answer.message).toContain(String(max));
  });

  it('a check rejects a body over the bound with Content-Length', async () => {
    await expectRefused(
      ['/v1/check', { body: `{"to":"112"${' '.repeat(24_576)}}` }],
      [413, 'BODY_TOO_LARGE'],
    );
  });

  it('a body of exactly the bound is accepted', async () => {
    const body = `{"to":"112"${' '.repeat(24_576 - 12)}}`;
    expect((await send('/v1/check', { body })).status).toBe(200);
    expect(
      (await send('/v1/check', { body: inPieces(body, 1_000), headers: json, undocumented: true })).status,
    ).toBe(200);
    await expectRefused(['/v1/check', { body: ` ${body}` }], [413, 'BODY_TOO_LARGE']);
  });

  it('a check and a batch accept only application/json', async () => {
    for (const path of JSON_ROUTES) {
      for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/xml', 'nonsense']) {
        const request = { body: '{"to":"112"}', headers: { 'content-type': type } };
        await expectRefused([path, request], [415, 'CONTENT_TYPE_UNSUPPORTED']);
      }
    }
  });

  it('a stream rejects other content types', async () => {
    for (const type of ['application/json', 'text/csv', '']) {
      const request = { body: '112\n', headers: { 'content-type': type } };
      await expectRefused(['/v1/check/stream', request], [415, 'CONTENT_TYPE_UNSUPPORTED']);
    }
  });

  it('the content type may have a charset, in any case', async () => {
    const type = 'Application/JSON; charset=utf-8';
    expect((await send('/v1/check', { body: { to: '112' }, headers: { 'content-type': type } })).status).toBe(
      200,
    );
  });
});

describe('the key', () => {
  const valid = { body: { to: NUMBERS.free } };

  it('a missing, damaged or unknown key is 401 with a challenge', async () => {
    const { bulk } = world().keys;
    const bad = [
      undefined,
      '',
      bulk,
      `Basic ${bulk}`,
      'Bearer',
      `Bearer ${bulk}x`,
      `Bearer ${bulk.slice(0, -1)}`,
      `Bearer nobody.${bulk.split('.')[1]}`,
      `Bearer small.${bulk.split('.')[1]}`,
      `Bearer bulk.${'a'.repeat(8_000)}`,
      'Bearer bulk.',
      'Bearer __proto__.x',
    ];
    for (const authorization of bad) {
      const headers: Record<string, string> = authorization === undefined ? {} : { authorization };
      const reply = await expectRefused(
        ['/v1/check', { ...valid, client: null, headers }],
        [401, 'UNAUTHENTICATED'],
      );
      expect(reply.headers.get('www-authenticate')).toBe('Bearer realm="numgate"');
    }
  });

  it.each([
    ['/v1/check?to=112', {}],
    ['/v1/check', valid],
    ['/v1/check/batch', { body: { items: [] } }],
    ['/v1/check/stream', { body: '1', headers: { 'content-type': 'text/plain' } }],
  ])('%s needs a key with the right to check', async (path, request) => {
    await expectRefused([path, { ...request, client: null }], [401, 'UNAUTHENTICATED']);
    await expectRefused([path, { ...request, client: 'gateway' }], [403, 'PERMISSION_DENIED']);
  });

  it('the key is checked before the body', async () => {
    await expectRefused(['/v1/check', { body: '{', client: null }], [401, 'UNAUTHENTICATED']);
  });
});

describe('method and path', () => {
  it.each([
    ['/v1/check', 'GET, HEAD, POST', ['PUT', 'DELETE', 'PATCH', 'OPTIONS']],
    ['/v1/check/batch', 'POST', ['GET', 'PUT']],
    ['/v1/check/stream', 'POST', ['GET', 'PUT']],
    ['/healthz', 'GET, HEAD', ['POST', 'DELETE']],
    ['/openapi.json', 'GET, HEAD', ['POST', 'PUT']],
  ])('another method on %s is 405, with Allow: %s', async (path, allow, methods) => {
    for (const method of methods) {
      const reply = await expectRefused([path, { method, client: null }], [405, 'METHOD_NOT_ALLOWED']);
      expect(reply.headers.get('allow')).toBe(allow);
    }
  });

  it.each([
    '/',
    '/v1',
    '/v1/checks',
    '/V1/CHECK',
    '/v1/check/one',
    '/v2/check',
    '/constructor',
    '/__proto__',
  ])('%s is 404', async (path) => {
    await expectRefused([path, {}], [404, 'NOT_FOUND']);
    await expectRefused([path, { body: {} }], [404, 'NOT_FOUND']);
  });

  it('a path with a slash at the end is 404 for every method', async () => {
    for (const path of ['/healthz/', '/openapi.json/']) {
      for (const method of ['GET', 'PUT']) {
        const { status } = await fetch(world().url + path, { method });
        expect([method, path, status]).toEqual([method, path, 404]);
      }
    }
  });

  it.each([
    ['/healthz', null, 200],
    ['/openapi.json', null, 200],
    ['/v1/check?to=112', 'bulk', 200],
    ['/v1/check?to=112', null, 401],
    ['/v1/check?to=MYSHOP', 'bulk', 400],
    ['/v1/check/batch', 'bulk', 405],
    ['/nowhere', 'bulk', 404],
  ] as const)(
    'HEAD returns the same as GET without a body: %s with key %s is %i',
    async (path, client, want) => {
      const head = await send(path, { method: 'HEAD', client });
      const get = await send(path, { client });
      expect([head.status, get.status, head.text]).toEqual([want, want, '']);
      const names = (headers: Headers): string[] =>
        [...headers.keys()].filter(
          (name) => !/^(connection|keep-alive|content-length|transfer-encoding|content-encoding)$/.test(name),
        );
      expect(names(head.headers)).toEqual(names(get.headers));
    },
  );

  it.each(['/healthz', '/openapi.json', '/v1/check?to=112', '/v1/check', '/nowhere'])(
    'HEAD sends nothing after the header: %s',
    async (path) => {
      const { hostname, port, host } = new URL(world().url);
      const socket = connect(Number(port), hostname);
      const chunks: Buffer[] = [];
      socket.on('data', (chunk) => chunks.push(chunk));
      const closed = new Promise((resolve) => socket.on('close', resolve));
      const lines = [`HEAD ${path} HTTP/1.1`, `Host: ${host}`, 'Accept: text/plain', 'Connection: close'];
      socket.write(`${[...lines, `Authorization: Bearer ${world().keys.bulk}`].join('\r\n')}\r\n\r\n`);
      await closed;
      expect(Buffer.concat(chunks).toString()).toMatch(/^HTTP\/1\.1 \d{3} (?:.+\r\n)+\r\n$/);
    },
  );
});
