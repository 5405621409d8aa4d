/**
 * Texts through the SMPP proxy, compared with the same proxy with checks off, in turns in the same run: texts
 * per second with a full window, and the added latency of a single text. ESME, proxy and SMSC share one
 * thread, and the service has another, so the result is a lower bound.
 */
import type { AddressInfo } from 'node:net';
import smpp, { type PDU, type Session } from 'smpp';
import { type SmppProxy, startProxy } from '../examples/smpp/proxy.ts';
import { type Installation, startInstallation } from './installation.ts';
import type { BenchOptions } from './options.ts';
import { type Row, row } from './row.ts';

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

export async function gatewaysSmppBench({ small }: BenchOptions): Promise<Row[]> {
  const loaded = small ? 2_000 : 20_000;
  const alone = small ? 200 : 2_000;
  const installation = await startInstallation(['010-4444-0001'], [`+${SENDERS[0].from}`]);
  const smsc = await startSmsc();
  const stops: (() => Promise<unknown>)[] = [() => smsc.stop(), () => installation.stop()];
  try {
    const [off, on] = await Promise.all([
      startRoute(installation, smsc, false, stops),
      startRoute(installation, smsc, true, stops),
    ]);
    for (const route of [off, on]) await route.send(1_000, WINDOW);
    const runs = { load: [[], []] as Run[][], alone: [[], []] as Run[][] };
    for (let round = 0; round < ROUNDS; round++) {
      for (const [index, route] of [off, on].entries()) {
        runs.load[index]!.push(await route.send(loaded / ROUNDS, WINDOW));
        runs.alone[index]!.push(await route.send(alone / ROUNDS, 1));
      }
    }
    const [rateOff, rateOn] = runs.load.map(rateOf) as [number, number];
    const count = loaded.toLocaleString('en');
    const name = `SMPP, ${count} texts, window ${WINDOW}, 0 answers unlike the expected`;
    const times = (of: readonly Run[][], share: number): [on: number, off: number] => {
      const [off, on] = of.map((side) => quantileOf(side, share)) as [number, number];
      return [on, off];
    };
    const peerOf = (off: number): string => `checking off: ${off.toFixed(2)} ms`;
    return [
      row(name, rateOn, 'text/s', `checking off: ${Math.round(rateOff)}/s`, rateOn / rateOff, null),
      ...[0.5, 0.99].map((share) => {
        const [on, off] = times(runs.alone, share);
        return row(`SMPP, added to a text alone, p${share * 100}`, on - off, 'ms', peerOf(off), null, null);
      }),
      // With a full window this is queueing time, so the difference is not meaningful.
      ...[0.5, 0.99].map((share) => {
        const [on, off] = times(runs.load, share);
        return row(`SMPP, a text, window ${WINDOW}, p${share * 100}`, on, 'ms', peerOf(off), on / off, null);
      }),
    ];
  } finally {
    for (const stop of stops) await stop();
  }
}

interface Run {
  readonly seconds: number;
  /** From sending to the response, in ms. */
  readonly latencies: number[];
}

function rateOf(runs: readonly Run[]): number {
  const texts = runs.reduce((sum, { latencies }) => sum + latencies.length, 0);
  return texts / runs.reduce((sum, { seconds }) => sum + seconds, 0);
}

function quantileOf(runs: readonly Run[], share: number): number {
  const sorted = runs.flatMap(({ latencies }) => latencies).sort((a, b) => a - b);
  return sorted[Math.ceil(sorted.length * share) - 1]!;
}

interface Smsc {
  readonly port: number;
  /** Texts since the last call, in order of arrival. */
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
  /** Throws if a response or a delivered text is wrong. */
  send(count: number, window: number): Promise<Run>;
}

async function startRoute(
  { url, clientKey }: Installation,
  smsc: Smsc,
  isChecked: boolean,
  stops: (() => Promise<unknown>)[],
): Promise<Route> {
  const proxy: SmppProxy = await startProxy({
    ...{ listen: { host: HOST, port: 0 }, smsc: { host: HOST, port: smsc.port } },
    ...{ numgate: { url, key: clientKey }, failPolicy: 'closed', ingress: { type: 'international' } },
    ...{ directions: isChecked ? ['submit'] : [], deadlineMs: 60_000 },
  });
  stops.unshift(() => proxy.stop());
  const session = smpp.connect({ host: HOST, port: proxy.port });
  stops.unshift(async () => session.destroy());
  const bound = await ask(session, new smpp.PDU('bind_transceiver', {}));
  if (bound.command_status !== 0) throw new Error(`the bind was answered with ${bound.command_status}`);
  return {
    send: async (count, window) => {
      smsc.take();
      const latencies: number[] = [];
      const statuses: number[] = [];
      let next = 0;
      const sender = async (): Promise<void> => {
        while (next < count) {
          const index = next++;
          const pdu = textPdu(index);
          const start = performance.now();
          statuses[index] = (await ask(session, pdu)).command_status;
          latencies.push(performance.now() - start);
        }
      };
      const start = performance.now();
      await Promise.all(Array.from({ length: window }, sender));
      const seconds = (performance.now() - start) / 1000;
      verify(statuses, smsc.take(), isChecked);
      return { seconds, latencies };
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

function ask(session: Session, pdu: PDU): Promise<PDU> {
  return new Promise((resolve) => session.send(pdu, resolve));
}

function verify(statuses: readonly number[], arrived: readonly string[], isChecked: boolean): void {
  const { ESME_RINVSRCADR } = smpp.errors;
  const expected: string[] = [];
  for (const [index, status] of statuses.entries()) {
    const verdict = isChecked ? senderOf(index).verdict : 'allow';
    if (status !== (verdict === 'block' ? ESME_RINVSRCADR : 0)) {
      throw new Error(`text ${index}: ${verdict} was answered with ${status}`);
    }
    if (verdict !== 'block') expected.push(`${verdict === 'label' ? LABEL : ''}text ${index}`);
  }
  if (expected.join('\n') !== arrived.join('\n')) throw new Error('what arrived is unlike what was sent');
}
