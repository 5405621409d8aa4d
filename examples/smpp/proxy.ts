/**
 * An SMPP 3.4 proxy between ESMEs and an SMSC that checks each message with numgate before it passes. Every
 * ESME gets its own SMSC session. All sessions share the calls to numgate.
 */
import { connect, createServer } from 'node:net';
import {
  type FailPolicy,
  type GatewayDefaults,
  type Ingress,
  isFromAbroad,
  LABEL,
  makeClient,
} from '../node/client.ts';
import { Checker } from './checker.ts';
import { type Direction, Screener } from './screener.ts';
import { Session } from './session.ts';

export interface ProxyOptions {
  readonly listen: { readonly host: string; readonly port: number };
  readonly smsc: { readonly host: string; readonly port: number };
  readonly numgate: { readonly url: string; readonly key: string };
  /** What to do with a message that could not be checked: pass it, or have its sender retry. */
  readonly failPolicy: FailPolicy;
  /**
   * The label for traffic from abroad that passes without a response, from numgate's policy. Null for none.
   */
  readonly label?: string | null;
  /** The ingress of all messages: type, operator, trunk, SMSC. */
  readonly ingress: Ingress;
  /** Directions that are checked. */
  readonly directions?: readonly Direction[];
  /** Maximum number of requests under way in each direction of a session. */
  readonly window?: number;
  /** Maximum number of sessions. Further connections are closed at once. */
  readonly sessionsMax?: number;
  readonly batchItems?: number;
  /** How long messages are collected while a call is under way, in ms. */
  readonly batchWaitMs?: number;
  /** Longest time until a message is decided, in ms. */
  readonly deadlineMs?: number;
  /** How long to wait for a response from the other side, in ms. */
  readonly responseWaitMs?: number;
  /** How long reading stops for a sender with a full window if no response arrives, in ms. */
  readonly fullWaitMs?: number;
  /** How long an SMSC may take to accept a connection, in ms. */
  readonly connectWaitMs?: number;
  /** How long a peer may take to close its end after the proxy closed its own, in ms. */
  readonly closeWaitMs?: number;
  /** How long a shutdown waits for messages under way, in ms. */
  readonly stopWaitMs?: number;
  readonly labelTag?: number | null;
  readonly log?: (event: string, detail?: string) => void;
}

export interface SmppProxy {
  readonly port: number;
  readonly counts: Screener['counts'];
  /** Waits for messages under way, then unbinds both sides. */
  stop(): Promise<void>;
}

export async function startProxy(options: ProxyOptions): Promise<SmppProxy> {
  const { listen, smsc, numgate, failPolicy, ingress } = options;
  const { label = LABEL, window = 1_000, sessionsMax = 100, labelTag = null } = options;
  const { batchItems = 500, batchWaitMs = 10, deadlineMs = 1_000, log = () => undefined } = options;
  const { responseWaitMs = 60_000, fullWaitMs = 5_000, closeWaitMs = 2_000 } = options;
  const { connectWaitMs = 5_000, stopWaitMs = 5_000 } = options;
  const { directions = ['submit', 'deliver'] } = options;
  const client = makeClient({ ...numgate, failPolicy, timeoutMs: Math.ceil(deadlineMs / 2), deadlineMs });
  const defaults: GatewayDefaults = { channel: 'sms', ingress };
  const checking = { client, defaults, failPolicy, label: isFromAbroad(ingress) ? label : null };
  const checker = new Checker({ ...checking, batchItems, batchWaitMs, deadlineMs, log });
  const screener = new Screener({ checker, directions, labelTag });
  const sessions = new Set<Session>();

  const server = createServer({ allowHalfOpen: true }, (esme) => {
    const upstream = connect({ ...smsc, allowHalfOpen: true });
    upstream.setTimeout(connectWaitMs, () => upstream.destroy());
    upstream.on('connect', () => upstream.setTimeout(0));
    const waits = { responseWaitMs, fullWaitMs, closeWaitMs };
    const session = new Session(esme, upstream, { screener, window, ...waits });
    sessions.add(session);
    log('session opened');
    void session.closed.then(() => {
      sessions.delete(session);
      log('session closed');
    });
  });
  server.maxConnections = sessionsMax;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(listen, resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('it listens on a port');
  return {
    port: address.port,
    counts: screener.counts,
    stop: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      await Promise.all([...sessions].map((session) => session.stop(stopWaitMs)));
      await closed;
    },
  };
}
