/**
 * Two values of `Content-Type`, on two lines or joined into one, as clients built on libcurl send them. The first value counts.
 */
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { NUMBERS } from './support/input-lists.ts';
import { expectRefused, send } from './support/send.ts';
import { world } from './support/world.ts';

const FORM = 'application/x-www-form-urlencoded';
const JSON_ROUTES = {
  '/v1/check': JSON.stringify({ to: NUMBERS.free }),
  '/v1/check/batch': JSON.stringify({ items: [{ to: NUMBERS.free }] }),
};

/** Sends a request with exactly these header lines. @returns the status */
async function sendRaw(path: string, types: readonly string[], body: string): Promise<number> {
  const { hostname, port, host } = new URL(world().url);
  const lines = [
    `POST ${path} HTTP/1.1`,
    `Host: ${host}`,
    `Authorization: Bearer ${world().keys.bulk}`,
    'Connection: close',
    ...types.map((type) => `Content-Type: ${type}`),
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  const socket = connect(Number(port), hostname);
  socket.write(`${lines.join('\r\n')}\r\n\r\n${body}`);
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  const [, status] = /^HTTP\/1\.1 (\d+) /.exec(Buffer.concat(chunks).toString()) ?? [];
  return Number(status);
}

describe('Content-Type', () => {
  it.each([
    `application/json, ${FORM}`,
    `application/json,${FORM}`,
    'application/json; charset=utf-8, text/plain',
    'application/json; a="x,y", text/plain',
    'application/json, application/json',
  ])('the first of several values on one line counts: %s', async (type) => {
    for (const [path, body] of Object.entries(JSON_ROUTES))
      expect((await send(path, { body, headers: { 'content-type': type } })).status).toBe(200);
  });

  it.each([
    `${FORM}, application/json`,
    'text/plain; a="application/json", application/json',
    'application/jsonp, application/json',
  ])('a first value that is not JSON is rejected: %s', async (type) => {
    for (const [path, body] of Object.entries(JSON_ROUTES))
      await expectRefused(
        [path, { body, headers: { 'content-type': type } }],
        [415, 'CONTENT_TYPE_UNSUPPORTED'],
      );
  });

  it.each([
    ['JSON first', ['application/json', FORM], 200],
    ['JSON twice', ['application/json', 'application/json'], 200],
    ['JSON last', [FORM, 'application/json'], 415],
  ] as const)('the first of two header lines counts: %s', async (_, types, status) => {
    for (const [path, body] of Object.entries(JSON_ROUTES))
      expect(await sendRaw(path, types, body)).toBe(status);
  });

  it('the first value counts for a stream too', async () => {
    const path = '/v1/check/stream';
    const line = `${NUMBERS.free}\n`;
    expect(await sendRaw(path, ['text/plain', FORM], line)).toBe(200);
    expect(await sendRaw(path, [FORM, 'text/plain'], line)).toBe(415);
    for (const type of [`text/plain, ${FORM}`, `application/x-ndjson, ${FORM}`]) {
      const { status, headers } = await send(path, { body: '{}\n', headers: { 'content-type': type } });
      expect([status, headers.get('content-type')]).toEqual([200, `${type.split(',')[0]}; charset=utf-8`]);
    }
  });
});
