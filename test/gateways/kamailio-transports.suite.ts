/**
 * examples/kamailio over TCP and TLS, with the real service. Callers of every transport are checked, and a TLS
 * next hop has to prove its identity.
 */
import { once } from 'node:events';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { connect as connectTls, createServer } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { skipMissing } from '../../bench/lib/skip-missing.ts';
import { Ends, FOREIGN, Gateway, missing, TIMEOUT_MS, TO } from './support/ends.ts';
import { freePort, type Kamailio, kamailioMissing, startKamailio } from './support/kamailio.ts';
import { gatewayService } from './support/service.ts';
import { headerOf, parseSip, type SipMessage, type SipRequest } from './support/sip.ts';
import { cert, key, OTHER_CERT, TLS_CERT, TLS_KEY } from './support/tls.ts';

const CERTIFICATE = { TLS_CERT, TLS_KEY };
const missingTls =
  missing ?? kamailioMissing({ LISTEN_TLS: 'tls:127.0.0.1:5061', ...CERTIFICATE, TLS_CA: TLS_CERT });
if (missing === null && missingTls !== null) {
  skipMissing('kamailio-tls-modules', `the tests with Kamailio and TLS are skipped: ${missingTls}`);
}
const KOREAN = '<sip:+82212345678@carrier.example>';

/** Sends requests on one connection. @returns the status of each final response, in order */
async function statusesOf(socket: Socket, texts: readonly string[]): Promise<number[]> {
  onTestFinished(() => void socket.destroy());
  const statuses: number[] = [];
  let received = '';
  socket.on('data', (chunk: Buffer) => {
    received += chunk.toString('latin1');
  });
  for (const text of texts) {
    socket.write(text);
    for (;;) {
      const end = received.indexOf('\r\n\r\n');
      if (end < 0) {
        await once(socket, 'data');
        continue;
      }
      const { status } = parseSip(Buffer.from(received.slice(0, end + 4)));
      received = received.slice(end + 4);
      if (status < 200) continue;
      statuses.push(status);
      break;
    }
  }
  return statuses;
}

describe.skipIf(missing !== null)('Kamailio over TCP', () => {
  const gateway = new Gateway();

  it('checks texts of one connection', async () => {
    const texts = [FOREIGN, KOREAN, FOREIGN].map((from) => {
      const request: SipRequest = { method: 'MESSAGE', from, to: TO, body: 'hello', transport: 'TCP' };
      return gateway.ends.caller.written(request).text;
    });
    const socket = connect(gateway.kamailio.port, '127.0.0.1');
    expect(await statusesOf(socket, texts)).toEqual([200, 603, 200]);
  });
});

describe.skipIf(missingTls !== null)('Kamailio over TLS', () => {
  let ends: Ends;
  const running: Kamailio[] = [];
  /** The messages that the next hop received. It answers with 200. */
  const got: SipMessage[] = [];
  const nextHop = createServer({ cert, key }, (socket) => {
    let text = '';
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      const end = text.indexOf('\r\n\r\n');
      if (end < 0) return;
      const message = parseSip(Buffer.from(text));
      text = '';
      got.push(message);
      const copied = message.headers.filter(([name]) => /^(via|from|to|call-id|cseq)$/i.test(name));
      const lines = copied.map(([name, value]) => `${name}: ${value}\r\n`).join('');
      socket.write(`SIP/2.0 200 OK\r\n${lines}Content-Length: 0\r\n\r\n`);
    });
  }).on('tlsClientError', () => undefined);

  /** Starts a Kamailio with these settings. @returns the port for TLS */
  async function startWith(settings: Readonly<Record<string, string>>): Promise<number> {
    const port = await freePort();
    const { port: hopPort } = nextHop.address() as AddressInfo;
    const tls = { LISTEN_TLS: `tls:127.0.0.1:${port}`, ...CERTIFICATE, TIMEOUT_MS };
    const NEXT_HOP = `sip:127.0.0.1:${hopPort};transport=tls`;
    const given = { ...gatewayService(), nextHop: 0, settings: { ...tls, NEXT_HOP, ...settings } };
    running.push(await startKamailio(given));
    return port;
  }
  const text = (from: string): string =>
    ends.caller.written({ method: 'MESSAGE', from, to: TO, body: 'hello', transport: 'TLS' }).text;

  beforeAll(async () => {
    ends = await Ends.open();
    await once(nextHop.listen(0, '127.0.0.1'), 'listening');
  });
  afterAll(async () => {
    for (const kamailio of running) await kamailio.stop();
    nextHop.close();
    ends?.close();
  });

  it('checks texts, and passes them to a next hop that it can verify', async () => {
    const port = await startWith({ TLS_CA: TLS_CERT });
    const socket = connectTls({ port, host: '127.0.0.1', ca: cert });
    expect(await statusesOf(socket, [text(KOREAN), text(FOREIGN)])).toEqual([603, 200]);
    expect(got.map((message) => headerOf(message, 'From'))).toEqual([expect.stringContaining(FOREIGN)]);
  });

  it('passes nothing to a next hop that it cannot verify', async () => {
    const before = got.length;
    const port = await startWith({ TLS_CA: OTHER_CERT });
    const socket = connectTls({ port, host: '127.0.0.1', ca: cert });
    onTestFinished(() => void socket.destroy());
    const refused = once(nextHop, 'tlsClientError');
    socket.write(text(FOREIGN));
    // Kamailio ends the handshake.
    expect(String(await refused)).toContain('unknown ca');
    expect(got.length).toBe(before);
  });
});
