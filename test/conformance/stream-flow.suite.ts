/**
 * Timing of a stream. Verdicts arrive while the request is still being sent, and an overlong body is rejected
 * before it is sent. The tests use node:http, because fetch hides this order.
 */
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { describe, expect, it } from 'vitest';
import { NUMBERS } from './support/input-lists.ts';
import { world } from './support/world.ts';

function post(
  path: string,
  headers: Record<string, string>,
): { sent: ClientRequest; got: Promise<IncomingMessage> } {
  const { hostname, port } = new URL(world().url);
  const authorization = `Bearer ${world().keys.bulk}`;
  const sent = request({ hostname, port, path, method: 'POST', headers: { authorization, ...headers } });
  const got = new Promise<IncomingMessage>((resolve, reject) => {
    sent.on('response', resolve);
    sent.on('error', reject);
  });
  return { sent, got };
}

describe('the flow of a stream', () => {
  it('verdicts arrive while the request is still being sent', async () => {
    const { sent, got } = post('/v1/check/stream', { 'content-type': 'text/plain' });
    sent.write(`${NUMBERS.suspended}\n`);
    const response = await got;
    expect(response.statusCode).toBe(200);
    const chunks = response[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
    expect(String((await chunks.next()).value)).toBe(`${NUMBERS.suspended},block,NUMBER_SUSPENDED\n`);
    sent.write(`${NUMBERS.free}\n`);
    expect(String((await chunks.next()).value)).toBe(`${NUMBERS.free},allow,\n`);
    sent.end();
    expect((await chunks.next()).done).toBe(true);
  });

  it('each line shows how fresh the head is at that time', async () => {
    const { sent, got } = post('/v1/check/stream', { 'content-type': 'application/x-ndjson' });
    const sendLine = async (): Promise<{ seq: number; asOf: string; stale: boolean }> => {
      sent.write(`{"to":"${NUMBERS.free}"}\n`);
      return JSON.parse(String((await chunks.next()).value));
    };
    sent.flushHeaders();
    const response = await got;
    const chunks = response[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
    const first = await sendLine();
    expect(Date.parse(first.asOf)).toBeGreaterThanOrEqual(
      Date.parse(String(response.headers['numgate-as-of'])),
    );
    // Sending a line makes the service refresh its head once HEAD_FRESH_MS have passed.
    let last = await sendLine();
    while (Date.parse(last.asOf) <= Date.parse(first.asOf)) {
      await new Promise((resolve) => setTimeout(resolve, 250));
      last = await sendLine();
    }
    expect([last.seq, last.stale]).toEqual([first.seq, false]);
    sent.end();
    expect((await chunks.next()).done).toBe(true);
  });

  it.each(['/v1/check', '/v1/check/batch'])(
    '%s rejects a declared length over its bound at once',
    async (path) => {
      const { sent, got } = post(path, { 'content-type': 'application/json', 'content-length': '99999999' });
      sent.flushHeaders();
      const response = await got;
      expect(response.statusCode).toBe(413);
      sent.on('error', () => undefined);
      sent.destroy();
    },
  );

  it('a client that sends too large a batch can read the error', async () => {
    const statuses: number[] = [];
    // The response and the end of the connection race, so one attempt proves little.
    for (let attempt = 0; attempt < 12; attempt++) {
      const { status } = await fetch(`${world().url}/v1/check/batch`, {
        method: 'POST',
        headers: { authorization: `Bearer ${world().keys.bulk}`, 'content-type': 'application/json' },
        body: ' '.repeat(10_000_000),
      }).catch(() => ({ status: 0 }));
      statuses.push(status);
    }
    expect(new Set(statuses)).toEqual(new Set([413]));
  });
});
