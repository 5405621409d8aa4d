/**
 * Texts through the SMPP proxy, compared with the same proxy with checks off, in turns in the same run: texts per second with a
 * full window, and the added latency of a single text. ESME, proxy and SMSC share one thread, and the service has another, so
 * the result is a lower bound.
 */
import type { AddressInfo } from 'node:net';
import smpp, { type PDU, type Session } from 'smpp';
import { startProxy } from '../../examples/smpp/proxy.ts';
import type { BenchOptions } from '../lib/options.ts';
import { quantile } from '../lib/statistics.ts';
import { type Row, row, withCommas } from '../lib/table.ts';
import { type Installation, startInstallation } from '../simulation/installation.ts';

const WINDOW = 500;
const ROUNDS = 4;
const HOST = '127.0.0.1';
const LABEL = '[국제발신]';

/** Senders from abroad, with numgate's verdict and their percentage. */
const SENDERS = [
  { from: '639170000001', verdict: 'allow', share: 70 },
  { from: '639170000002', verdict: 'label', share: 20 },
  { from: '82212345678', verdict: 'block', share: 10 },
] as const;
type Sender = (typeof SENDERS)[number];
const MIX: readonly Sender[] = SENDERS.flatMap((sender) => Array<Sender>(sender.share).fill(sender));

/** Figures of a route: texts that were sent alone, and texts with a full window. */
interface Figures {
  readonly route: Route;
  readonly aloneMs: number[];
  readonly loadMs: number[];
  loadSeconds: number;
}

export async function smppBench({ small }: BenchOptions): Promise<Row[]> {
  const loaded = small ? 400 : 20_000;
  const alone = small ? 40 : 2_000;
  const installation = await startInstallation({
    suspended: ['010-4444-0001'],
    allowed: [`+${SENDERS[0].from}`],
  });
  const smsc = await startSmsc();
  const figures: Figures[] = [];
  for (const isChecked of [false, true]) {
    const route = await startRoute(installation, smsc, isChecked);
    await route.send(1_000, WINDOW);
    figures.push({ route, aloneMs: [], loadMs: [], loadSeconds: 0 });
  }
  for (let round = 0; round < ROUNDS; round++) {
    for (const own of figures) {
      const start = performance.now();
      own.loadMs.push(...(await own.route.send(loaded / ROUNDS, WINDOW)));
      own.loadSeconds += (performance.now() - start) / 1000;
      own.aloneMs.push(...(await own.route.send(alone / ROUNDS, 1)));
    }
  }
  for (const { route } of figures) await route.stop();
  await Promise.all([smsc.stop(), installation.stop()]);
  const [off, on] = figures as [Figures, Figures];
  const [rateOff, rateOn] = [loaded / off.loadSeconds, loaded / on.loadSeconds];
  const name = `SMPP, ${withCommas(loaded)} texts, window ${WINDOW}, 0 unexpected responses`;
  return [
    row(name, rateOn, 'text/s', `checks off: ${Math.round(rateOff)} text/s`, rateOn / rateOff),
    ...[0.5, 0.99].map((share) => {
      const base = quantile(off.aloneMs, share);
      const added = quantile(on.aloneMs, share) - base;
      const label = `SMPP, one text at a time: added by the check, p${share * 100}`;
      return row(label, added, 'ms', `checks off: ${base.toFixed(2)} ms`);
    }),
    // With a full window this is queueing time, so the difference would be meaningless.
    ...[0.5, 0.99].map((share) => {
      const [ms, base] = [quantile(on.loadMs, share), quantile(off.loadMs, share)];
      const baseline = `checks off: ${base.toFixed(2)} ms`;
      return row(`SMPP, a text, window ${WINDOW}, p${share * 100}`, ms, 'ms', baseline, ms / base);
    }),
  ];
}

interface Smsc {
  readonly port: number;
  /** Removes and returns the texts that arrived since the last call, in order. */
  take(): string[];
  stop(): Promise<void>;
}

async function startSmsc(): Promise<Smsc> {
  const texts: string[] = [];
  const server = smpp.createServer((session) => {
    session.on('error', () => undefined);
    session.on('bind_transceiver', (pdu: PDU) => session.send(pdu.response()));
    session.on('submit_sm', (pdu: PDU) => {
      texts.push((pdu.short_message as { readonly message: string }).message);
      session.send(pdu.response({ message_id: 'x' }));
    });
  });
  await new Promise<void>((resolve) => server.listen({ host: HOST, port: 0 }, resolve));
  return {
    port: (server.address() as AddressInfo).port,
    take: () => texts.splice(0),
    stop: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

interface Route {
  /** @returns ms from sending to the response, for each text @throws if a response or a delivered text is wrong */
  send(count: number, window: number): Promise<number[]>;
  stop(): Promise<void>;
}

async function startRoute({ url, clientKey }: Installation, smsc: Smsc, isChecked: boolean): Promise<Route> {
  const proxy = await startProxy({
    ...{ listen: { host: HOST, port: 0 }, smsc: { host: HOST, port: smsc.port } },
    ...{ numgate: { url, key: clientKey }, failPolicy: 'closed', ingress: { type: 'international' } },
    ...{ directions: isChecked ? ['submit'] : [], deadlineMs: 60_000 },
  });
  const session = smpp.connect({ host: HOST, port: proxy.port });
  const bound = await request(session, new smpp.PDU('bind_transceiver', {}));
  if (bound.command_status !== 0) throw new Error(`the bind returned ${bound.command_status}`);
  return {
    send: async (count, window) => {
      smsc.take();
      const timesMs: number[] = [];
      const statuses: number[] = [];
      let next = 0;
      const sendNext = async (): Promise<void> => {
        while (next < count) {
          const index = next++;
          const pdu = textPdu(index);
          const start = performance.now();
          statuses[index] = (await request(session, pdu)).command_status;
          timesMs.push(performance.now() - start);
        }
      };
      await Promise.all(Array.from({ length: window }, sendNext));
      verify(statuses, smsc.take(), isChecked);
      return timesMs;
    },
    stop: async () => {
      session.destroy();
      await proxy.stop();
    },
  };
}

const senderOf = (index: number): Sender => MIX[(index * 37) % MIX.length]!;

function textPdu(index: number): PDU {
  return new smpp.PDU('submit_sm', {
    ...{ source_addr_ton: 1, source_addr_npi: 1, source_addr: senderOf(index).from },
    ...{ dest_addr_ton: 1, dest_addr_npi: 1, destination_addr: '821055550000' },
    ...{ short_message: `text ${index}`, data_coding: 0 },
  });
}

function request(session: Session, pdu: PDU): Promise<PDU> {
  return new Promise((resolve) => session.send(pdu, resolve));
}

function verify(statuses: readonly number[], delivered: readonly string[], isChecked: boolean): void {
  const { ESME_RINVSRCADR } = smpp.errors;
  const expected: string[] = [];
  for (const [index, status] of statuses.entries()) {
    const verdict = isChecked ? senderOf(index).verdict : 'allow';
    if (status !== (verdict === 'block' ? ESME_RINVSRCADR : 0)) {
      throw new Error(`text ${index}: status ${status} for ${verdict}`);
    }
    if (verdict !== 'block') expected.push(`${verdict === 'label' ? LABEL : ''}text ${index}`);
  }
  if (expected.join('\n') !== delivered.join('\n'))
    throw new Error('the delivered texts differ from those sent');
}
