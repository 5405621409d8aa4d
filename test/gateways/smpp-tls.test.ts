/** The SMPP proxy with TLS on both sides: the proxy proves its identity, and the SMSC has to prove its own. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { createInterface } from 'node:readline';
import { connect as connectTls } from 'node:tls';
import smpp, { type PDU, type Session } from 'smpp';
import { expect, it, onTestFinished } from 'vitest';
import { PROJECT } from '../../cli/paths.ts';
import type { ProxyOptions } from '../../examples/smpp/proxy.ts';
import { startFakeNumgate } from './support/fake-numgate.ts';
import { bind, FROM, message, proxyTo, request, textOf } from './support/smpp.ts';
import { cert, key, otherCert, TLS_CERT, TLS_KEY } from './support/tls.ts';

const TLS = { cert, key };

/** An SMSC with TLS. */
async function startTlsSmsc(): Promise<{ port: number; received: PDU[] }> {
  const received: PDU[] = [];
  const sessions: Session[] = [];
  const server = smpp.createServer(TLS, (session) => {
    sessions.push(session);
    session.on('error', () => undefined);
    session.on('bind_transceiver', (pdu: PDU) => session.send(pdu.response()));
    session.on('submit_sm', (pdu: PDU) => {
      received.push(pdu);
      session.send(pdu.response({ message_id: 'id' }));
    });
  });
  server.on('tlsClientError', () => undefined);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => {
    for (const session of sessions) session.destroy();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, received };
}

async function proxyWith(options: Partial<ProxyOptions>) {
  const smsc = await startTlsSmsc();
  const proxy = await proxyTo(smsc, await startFakeNumgate(false), options);
  return { smsc, proxy };
}

function connectEsme(port: number, ca: Buffer): Session {
  const session = smpp.connect({ host: '127.0.0.1', port, tls: true, ca });
  session.on('error', () => undefined);
  onTestFinished(() => session.destroy());
  return session;
}

it('passes messages with TLS on both sides', async () => {
  const { smsc, proxy } = await proxyWith({ tls: TLS, smscTls: { ca: cert } });
  const session = connectEsme(proxy.port, cert);
  expect((await bind(session)).command_status).toBe(0);
  const answers = await Promise.all(
    ['a', 'b'].map((text) => request(session, 'submit_sm', message(FROM, text))),
  );
  expect(answers.map(({ command_status }) => command_status)).toEqual([0, 0]);
  expect(smsc.received.map(textOf)).toEqual(['a', 'b']);
  // The proxy unbinds and closes both sides.
  const closed = new Promise<void>((resolve) => session.on('close', () => resolve()));
  await proxy.stop();
  await closed;
});

it('takes certificates and the carrier prefix as flags', async () => {
  const smsc = await startTlsSmsc();
  const numgate = await startFakeNumgate(false);
  const flags = {
    ...{ listen: '127.0.0.1:0', smsc: `smpps://127.0.0.1:${smsc.port}`, 'smsc-ca': TLS_CERT },
    ...{ 'tls-cert': TLS_CERT, 'tls-key': TLS_KEY, 'carrier-prefix': '00700', 'deadline-ms': '3600000' },
  };
  const args = Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
  const child = spawn(process.execPath, ['examples/smpp/main.ts', ...args], {
    cwd: PROJECT,
    env: { ...process.env, NUMGATE_URL: numgate.url, NUMGATE_KEY: numgate.key },
    stdio: 'pipe',
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const [first] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  const { port } = (JSON.parse(first) as { detail: { port: number } }).detail;
  const session = connectEsme(port, cert);
  await bind(session);
  const from = { source_addr_ton: 0, source_addr: '00700639170000001' };
  expect((await request(session, 'submit_sm', message(FROM, 'a', from))).command_status).toBe(0);
  expect(numgate.calls.map(({ items }) => items)).toMatchObject([
    [{ from: '639170000001', ingress: { type: 'international', carrierPrefix: '00700' } }],
  ]);
});

it('refuses a file of authorities without a certificate: Node would trust those of the Web', () => {
  const args = ['examples/smpp/main.ts', '--smsc=smpps://127.0.0.1:1', '--smsc-ca=/dev/null'];
  const env = { ...process.env, NUMGATE_KEY: 'a.b' };
  const { status, stderr } = spawnSync(process.execPath, args, { cwd: PROJECT, env, encoding: 'utf8' });
  expect([status, stderr.split('\n')[0]]).toEqual([2, '--smsc-ca: /dev/null has no certificate in PEM']);
});

it.each<[string, NonNullable<ProxyOptions['smscTls']>]>([
  ['the authorities that Node trusts', {}],
  ['another authority', { ca: otherCert }],
])('does not bind to an SMSC that it cannot verify with %s', async (_what, smscTls) => {
  const { smsc, proxy } = await proxyWith({ tls: TLS, smscTls });
  const session = connectEsme(proxy.port, cert);
  const closed = new Promise<void>((resolve) => session.on('close', () => resolve()));
  session.send(new smpp.PDU('bind_transceiver', { system_id: 'esme', password: 'secret' }));
  await closed;
  expect(smsc.received).toEqual([]);
});

it('accepts no ESME without TLS, and shows its certificate', async () => {
  const { proxy } = await proxyWith({ tls: TLS, smscTls: { ca: cert } });
  const plain = connect(proxy.port, '127.0.0.1');
  plain.on('error', () => undefined).resume();
  const bindPdu = new smpp.PDU('bind_transceiver', { system_id: 'esme', password: 'secret' });
  plain.write(bindPdu.toBuffer());
  await once(plain, 'close');
  expect(proxy.logged).toEqual([]);
  const socket = connectTls({ host: '127.0.0.1', port: proxy.port, ca: otherCert });
  expect(String(await once(socket, 'error'))).toContain('self-signed');
});
