/** Compressed request bodies (RFC 9110, 8.4; RFC 7694), and interrupted uploads, over node:net. */
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { NUMBERS } from './support/input-lists.ts';
import { expectRefused, send, stream, streamJson } from './support/send.ts';
import { expectAdminRefused } from './support/send-admin.ts';
import { world } from './support/world.ts';

const BATCH = JSON.stringify({ items: [{ id: 'a', to: NUMBERS.suspended }, { to: NUMBERS.free }] });
const LINES = `${NUMBERS.suspended}\n${NUMBERS.free}\n`;
const GZIP = { 'content-encoding': 'gzip' };
const TEXT = { 'content-type': 'text/plain' };

function batch(body: Uint8Array | string, headers: Record<string, string> = GZIP) {
  const request = { body, headers: { 'content-type': 'application/json', ...headers } };
  return ['/v1/check/batch', request] as const;
}

describe('a body in gzip', () => {
  it('a batch gets the same response as without gzip', async () => {
    const plain = await send('/v1/check/batch', { body: BATCH });
    for (const headers of [GZIP, { 'content-encoding': 'GZIP' }, { 'content-encoding': 'x-gzip' }]) {
      const { status, json } = await send(...batch(gzipSync(BATCH), headers));
      expect([status, json.results]).toEqual([200, plain.json.results]);
    }
    for (const path of ['/v1/gateway/check/batch']) {
      const body = gzipSync(JSON.stringify({ items: [{ from: NUMBERS.overseas }] }));
      const { status, json } = await send(path, {
        body,
        client: 'gateway',
        headers: { ...GZIP, 'content-type': 'application/json' },
      });
      expect([status, json.summary.total]).toEqual([200, 1]);
    }
  });

  it('a stream gets the same response as without gzip, also in large pieces', async () => {
    expect(await stream(gzipSync(LINES), { headers: GZIP })).toEqual(await stream(LINES));
    const many = Array.from({ length: 20_000 }, (_, index) => `010-${4444 + (index % 9)}-${1000 + index}\n`);
    const answers = await stream(gzipSync(many.join('')), { headers: GZIP });
    expect(answers).toEqual(await stream(many.join('')));
    expect(answers).toHaveLength(many.length);
    expect(await stream(gzipSync(''), { headers: GZIP })).toEqual([]);
    const json = await streamJson(gzipSync('{"id":"a","to":"112"}\n'), { headers: GZIP });
    expect(json.map(({ id, verdict }) => [id, verdict])).toEqual([['a', 'allow']]);
  });

  it('the bound holds for the decompressed body, and a bomb is refused', async () => {
    const most = `{"items":[]${' '.repeat(8_388_608 - 12)}}`;
    expect((await send(...batch(gzipSync(most)))).status).toBe(200);
    for (const body of [` ${most}`, ' '.repeat(64_000_000)])
      await expectRefused(batch(gzipSync(body)), [413, 'BODY_TOO_LARGE']);
  });

  it('a body that is not one complete gzip member is refused', async () => {
    const whole = gzipSync(BATCH);
    const damaged = whole.slice();
    damaged[20]! ^= 0xff;
    const bad = [BATCH, '', whole.subarray(0, -9), damaged, Buffer.concat([whole, whole])];
    for (const body of bad) await expectRefused(batch(body), [400, 'BODY_UNREADABLE']);
  });

  it('a stream that is not valid gzip ends with an error', async () => {
    const cut = gzipSync(LINES.repeat(1_000)).subarray(0, -20);
    const answers = await stream(cut, { headers: GZIP });
    expect(answers.at(-1)).toBe(',error,BODY_UNREADABLE');
    expect(answers.slice(0, -1)).toEqual((await stream(LINES.repeat(1_000))).slice(0, answers.length - 1));
    expect(await stream(LINES, { headers: GZIP })).toEqual([',error,BODY_UNREADABLE']);
    const [line, ...more] = await streamJson('{"id":"a","to":"112"}\n', { headers: GZIP });
    expect([line!.id, line!.error, more]).toEqual([
      null,
      { code: 'BODY_UNREADABLE', field: 'body', message: expect.stringContaining('gzip') },
      [],
    ]);
  });
});

describe('another coding', () => {
  it.each(['br', 'deflate', 'zstd', 'gzip, gzip', 'br, gzip', 'nonsense'])(
    'a batch and a stream refuse it by name: %s',
    async (coding) => {
      const headers = { 'content-encoding': coding };
      const stream = ['/v1/check/stream', { body: LINES, headers: { ...headers, ...TEXT } }] as const;
      for (const request of [batch(BATCH, headers), stream]) {
        const reply = await expectRefused(request, [415, 'CONTENT_ENCODING_UNSUPPORTED']);
        expect(reply.json.message).toContain(`"${coding}"`);
        expect(reply.headers.get('accept-encoding')).toBe('gzip');
      }
    },
  );

  it('a check and the control plane accept no coding', async () => {
    const headers = { ...GZIP, 'content-type': 'application/json' };
    const refused = [415, 'CONTENT_ENCODING_UNSUPPORTED'] as const;
    const check = gzipSync(JSON.stringify({ to: '112' }));
    const change = gzipSync(JSON.stringify({ release: 'x', reason: 'a test' }));
    for (const reply of [
      await expectRefused(['/v1/check', { body: check, headers }], refused),
      await expectRefused(['/v1/gateway/check', { body: check, headers, client: 'gateway' }], refused),
      await expectAdminRefused(['rollback', { body: change, headers }], refused),
    ]) {
      expect(reply.json.message).toContain('"gzip"');
      expect(reply.headers.get('accept-encoding')).toBe('identity');
    }
  });

  it('identity is no coding', async () => {
    const headers = { 'content-encoding': 'identity', 'content-type': 'application/json' };
    expect((await send('/v1/check', { body: { to: '112' }, headers })).status).toBe(200);
    expect((await send(...batch(BATCH, headers))).status).toBe(200);
  });
});

/** Sends the beginning of a request. @returns the response, up to the end of the connection */
async function sendPart(
  path: string,
  [type, part]: readonly [type: string, part: string],
  isChunked: boolean,
  end: 'end' | 'destroy',
): Promise<string> {
  const isAdmin = path.startsWith('/v1/admin/');
  const { hostname, port, host } = new URL(isAdmin ? world().admin : world().url);
  const socket = connect(Number(port), hostname);
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => chunks.push(chunk));
  socket.on('error', () => undefined);
  const closed = new Promise((resolve) => socket.on('close', resolve));
  const head = [
    `POST ${path} HTTP/1.1`,
    `Host: ${host}`,
    `Authorization: Bearer ${isAdmin ? world().tokens.root : world().keys.bulk}`,
    `Content-Type: ${type}`,
    isChunked ? 'Transfer-Encoding: chunked' : 'Content-Length: 1000',
  ];
  const body = isChunked ? `${part.length.toString(16)}\r\n${part}\r\n` : part;
  await new Promise((resolve) => socket.write(`${head.join('\r\n')}\r\n\r\n${body}`, resolve));
  if (end === 'end') socket.end();
  else socket.destroy();
  await closed;
  return Buffer.concat(chunks).toString();
}

describe('an upload that breaks off', () => {
  const JSON_TYPE = 'application/json';

  it.each([
    ['/v1/check', JSON_TYPE, '{"to":'],
    ['/v1/check/batch', JSON_TYPE, '{"items":['],
    ['/v1/admin/rollback', JSON_TYPE, '{"reason":'],
    ['/v1/check/stream', 'text/plain', '010-'],
  ])('is no error of the service: %s', async (path, type, part) => {
    const bugs = (): number => world().logged().split('"event":"bug"').length;
    const before = bugs();
    for (const isChunked of [false, true]) {
      // A client that is still connected can read the error.
      const ended = await sendPart(path, [type, part], isChunked, 'end');
      expect(ended).toContain('BODY_UNREADABLE');
      expect(ended).toMatch(path.endsWith('/stream') ? /^HTTP\/1\.1 200 / : /^HTTP\/1\.1 400 /);
      await sendPart(path, [type, part], isChunked, 'destroy');
    }
    expect((await send('/v1/check', { body: { to: '112' } })).status).toBe(200);
    expect(bugs()).toBe(before);
  });
});
