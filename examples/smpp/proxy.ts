/**
 * An SMPP 3.4 proxy between ESMEs and an SMSC that checks each message with numgate before it passes. Every
 * ESME gets its own SMSC session. All sessions share the calls to numgate.
 */
import { connect, createServer, isIP, type Socket } from 'node:net';
import { connect as connectTls, createServer as createTlsServer } from 'node:tls';
import {
  type FailPolicy,
  type GatewayDefaults,
  type Ingress,
  isFromAbroad,
  LABEL,
  makeClient,
} from '../node/client.ts';
import type { DefaultAlphabet } from './alphabets.ts';
import { Checker } from './checker.ts';
import { JoinedTexts } from './joined-texts.ts';
import { Labeller } from './label.ts';
import { type Direction, Screener } from './screener.ts';
import { Session } from './session.ts';

interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** PEM text. */
type Pem = string | Buffer;

export interface ProxyOptions {
  readonly listen: Endpoint;
  /** With a certificate, ESMEs have to use TLS. */
  readonly tls?: { readonly cert: Pem; readonly key: Pem };
  readonly smsc: Endpoint;
  /** If set, the SMSC has to use TLS, and its certificate is verified. */
  readonly smscTls?: {
    /** The only authorities that may sign the certificate. Default: the authorities that Node trusts. */
    readonly ca?: Pem;
  };
  readonly numgate: { readonly url: string; readonly key: string };
  /** What to do with a message that could not be checked: pass it (`open`, the default), or have its sender retry. */
  readonly failPolicy?: FailPolicy;
  /**
   * The label for traffic from abroad that passes without a response, from numgate's policy. Null for none.
   */
  readonly label?: string | null;
  /** The ingress of all messages: type, operator, trunk, SMSC. */
  readonly ingress: Ingress;
  /** Directions that are checked. */
  readonly directions?: readonly Direction[];
  /** Maximum number of requests in flight in each direction of a session. */
  readonly window?: number;
  /** Maximum number of sessions. Further connections are closed at once. */
  readonly sessionsMax?: number;
  readonly batchItems?: number;
  /** How long messages are collected while a call is running, in ms. */
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
  /** How long a shutdown waits for messages in flight, in ms. */
  readonly stopWaitMs?: number;
  readonly labelTag?: number | null;
  /** The alphabet that the SMSC uses for data coding 0. */
  readonly alphabet?: DefaultAlphabet;
  /** Whether texts are sent to numgate too. */
  readonly checkText?: boolean;
  readonly log?: (event: string, detail?: string) => void;
}

export interface SmppProxy {
  readonly port: number;
  readonly counts: Screener['counts'];
  /** Waits for messages in flight, then unbinds both sides. */
  stop(): Promise<void>;
}

export async function startProxy(options: ProxyOptions): Promise<SmppProxy> {
  const { listen, tls, numgate, failPolicy = 'open', ingress } = options;
  const { label = LABEL, window = 1_000, sessionsMax = 100, labelTag: tag = null } = options;
  const { batchItems = 500, batchWaitMs = 10, deadlineMs = 1_000, log = () => undefined } = options;
  const { responseWaitMs = 60_000, fullWaitMs = 5_000, closeWaitMs = 2_000 } = options;
  const { connectWaitMs = 5_000, stopWaitMs = 5_000 } = options;
  const { directions = ['submit', 'deliver'], alphabet = 'gsm', checkText = false } = options;
  const client = makeClient({ ...numgate, failPolicy, timeoutMs: Math.ceil(deadlineMs / 2), deadlineMs });
  const defaults: GatewayDefaults = { channel: 'sms', ingress };
  const checking = { client, defaults, failPolicy, label: isFromAbroad(ingress) ? label : null };
  const checker = new Checker({ ...checking, batchItems, batchWaitMs, deadlineMs, log });
  const labeller = new Labeller({ tag, alphabet });
  const carrierPrefix = ingress.carrierPrefix ?? '';
  const texts = () => new JoinedTexts(alphabet);
  const joinedTexts = checkText ? { submit: texts(), deliver: texts() } : null;
  const screener = new Screener({ checker, directions, labeller, joinedTexts, carrierPrefix });
  const sessions = new Set<Session>();

  const onEsme = (esme: Socket): void => {
    const upstream = connectTo(options, connectWaitMs);
    const waits = { responseWaitMs, fullWaitMs, closeWaitMs };
    const session = new Session(esme, upstream, { screener, window, ...waits });
    sessions.add(session);
    log('session opened');
    void session.closed.then(() => {
      sessions.delete(session);
      log('session closed');
    });
  };
  const settings = { allowHalfOpen: true } as const;
  const server =
    tls === undefined
      ? createServer(settings, onEsme)
      : createTlsServer({ ...settings, ...tls, handshakeTimeout: connectWaitMs }, onEsme);
  server.maxConnections = sessionsMax;
  const connections = new Set<Socket>();
  server.on('connection', (socket) => {
    connections.add(socket);
    socket.on('close', () => connections.delete(socket));
  });
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
      // The remaining connections have not finished their TLS handshake.
      for (const socket of connections) socket.destroy();
      await closed;
    },
  };
}

/** Connects to the SMSC. The certificate must match the given name, or the given address if there is no name. */
function connectTo({ smsc, smscTls }: ProxyOptions, waitMs: number): Socket {
  const to = { ...smsc, allowHalfOpen: true };
  const servername = isIP(smsc.host) === 0 ? { servername: smsc.host } : {};
  const upstream = smscTls === undefined ? connect(to) : connectTls({ ...to, ...smscTls, ...servername });
  upstream.setTimeout(waitMs, () => upstream.destroy());
  upstream.on(smscTls === undefined ? 'connect' : 'secureConnect', () => upstream.setTimeout(0));
  return upstream;
}
