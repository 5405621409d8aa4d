/**
 * Both ends of a proxy, made with the package `smpp`: ESMEs, and an SMSC that keeps everything it receives.
 * All of them are closed when the test ends, even if it fails.
 */
import type { AddressInfo } from 'node:net';
import smpp, { type PDU, type Session } from 'smpp';
import { onTestFinished } from 'vitest';
import { type ProxyOptions, type SmppProxy, startProxy } from '../../../examples/smpp/proxy.ts';

/** A sender for tests in which the sender does not matter. */
export const FROM = '+639170000001';
/** The label of the policy for traffic from abroad. */
/** A character of every kind in the GSM alphabet and its extension. */
export const GSM_CHARACTERS = [
  ...'@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&\'()*+,-./09:;<=>?¡AZÄÖÑÜ§¿azäöñüà^{}\\[~]|€',
];
export const LABEL = '[국제발신]';
/** Nothing listens at this address. */
export const NOWHERE = { url: 'http://127.0.0.1:1', key: 'a.b' };
export const PASSWORD = 'secret';
/** Longer than any test, so that waits that are not under test never end. In ms. */
export const NEVER_MS = 3_600_000;
const LOCAL = { host: '127.0.0.1', port: 0 } as const;

export interface Smsc {
  readonly port: number;
  /** Received messages, in order of arrival. */
  readonly received: PDU[];
  /** Bound sessions. */
  readonly sessions: Session[];
  /** @returns when it has received this many messages */
  until(count: number): Promise<void>;
}

export type OnMessage = (pdu: PDU, session: Session) => void;
export const accept: OnMessage = (pdu, session) => {
  session.send(pdu.response({ message_id: idOf(pdu) }));
};

/** An SMSC or ESME that holds back its responses until it is released. */
export function holding(): { onMessage: OnMessage; held: (() => void)[]; release: () => void } {
  const held: (() => void)[] = [];
  let isOpen = false;
  return {
    held,
    onMessage: (pdu, session) => {
      if (isOpen) accept(pdu, session);
      else held.push(() => accept(pdu, session));
    },
    release: () => {
      isOpen = true;
      for (const answer of held.splice(0)) answer();
    },
  };
}

/** Answers binds with the right password, and messages as `onMessage` does. */
export async function startSmsc(onMessage: OnMessage = accept): Promise<Smsc> {
  const received: PDU[] = [];
  const sessions: Session[] = [];
  const counts = new Counted(() => received.length);
  const all = new Set<Session>();
  const server = smpp.createServer((session) => {
    all.add(session);
    session.on('error', () => undefined);
    answerLinks(session);
    session.on('bind_transceiver', (pdu: PDU) => {
      const isRight = pdu.password === PASSWORD;
      if (isRight) sessions.push(session);
      session.send(pdu.response({ command_status: isRight ? 0 : smpp.errors.ESME_RINVPASWD }));
    });
    for (const command of ['submit_sm', 'data_sm']) {
      session.on(command, (pdu: PDU) => {
        received.push(pdu);
        onMessage(pdu, session);
        counts.look();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(LOCAL, resolve));
  onTestFinished(async () => {
    for (const session of all) session.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo;
  return { port, received, sessions, until: (count) => counts.until(count) };
}

function answerLinks(session: Session): void {
  session.on('enquire_link', (pdu: PDU) => session.send(pdu.response()));
  session.on('unbind', (pdu: PDU) => {
    session.send(pdu.response());
    session.close();
  });
}

export interface Esme {
  readonly session: Session;
  /** Received `deliver_sm` and `data_sm`, in order of arrival. */
  readonly received: PDU[];
  readonly closed: Promise<void>;
  until(count: number): Promise<void>;
}

/** Connects without binding. */
export async function connectEsme(port: number, onMessage: OnMessage = accept): Promise<Esme> {
  const received: PDU[] = [];
  const counts = new Counted(() => received.length);
  const session = smpp.connect({ host: LOCAL.host, port });
  session.on('error', () => undefined);
  onTestFinished(() => session.destroy());
  const closed = new Promise<void>((resolve) => session.on('close', () => resolve()));
  answerLinks(session);
  session.on('deliver_sm', (pdu: PDU) => {
    received.push(pdu);
    onMessage(pdu, session);
    counts.look();
  });
  await new Promise<void>((resolve) => session.on('connect', () => resolve()));
  return { session, received, closed, until: (count) => counts.until(count) };
}

/** Connects and binds with the right password. */
export async function bindEsme(port: number, onMessage: OnMessage = accept): Promise<Esme> {
  const esme = await connectEsme(port, onMessage);
  const { command_status } = await bind(esme.session);
  if (command_status !== 0) throw new Error(`the bind was answered with ${command_status}`);
  return esme;
}

export function bind(session: Session, password = PASSWORD): Promise<PDU> {
  return request(session, 'bind_transceiver', { system_id: 'esme', password });
}

/** @returns the response */
export function request(session: Session, command: string, fields: object = {}): Promise<PDU> {
  return new Promise((resolve) => session.send(new smpp.PDU(command, { ...fields }), resolve));
}

/** A message from a number abroad to a Korean number. */
export function message(from: string, text: string, fields: object = {}): Record<string, unknown> {
  return {
    ...{ source_addr_ton: 1, source_addr_npi: 1, source_addr: from.replace('+', '') },
    ...{ dest_addr_ton: 1, dest_addr_npi: 1, destination_addr: '821055550000' },
    ...{ short_message: text, data_coding: 0 },
    ...fields,
  };
}

export function textOf(pdu: PDU): string {
  return (pdu.short_message as { readonly message: string }).message;
}

/** This many different texts. */
export function texts(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `m-${index}`);
}

export function statuses(answers: readonly PDU[]): number[] {
  return answers.map(({ command_status }) => command_status);
}

/** The text after the label, or the whole text without a label. */
export function idOf(pdu: PDU): string {
  return textOf(pdu).replace(/^\[.*\]/, '');
}

/** Starts a proxy on a free port, collects its log, and stops it when the test ends. */
export async function proxyTo(
  smsc: { readonly port: number },
  numgate: { readonly url: string; readonly key: string },
  options: Partial<ProxyOptions> = {},
): Promise<SmppProxy & { readonly logged: string[] }> {
  const logged: string[] = [];
  const proxy = await startProxy({
    ...{ listen: LOCAL, smsc: { host: LOCAL.host, port: smsc.port }, numgate },
    ...{ failPolicy: 'closed', ingress: { type: 'international' } },
    // A slow machine must not look like a slow numgate or a slow peer.
    ...{ deadlineMs: NEVER_MS, fullWaitMs: NEVER_MS, responseWaitMs: NEVER_MS },
    ...{ connectWaitMs: NEVER_MS, closeWaitMs: NEVER_MS, stopWaitMs: NEVER_MS },
    log: (event, detail = '') => void logged.push(`${event} ${detail}`),
    ...options,
  });
  onTestFinished(() => proxy.stop());
  return { ...proxy, logged };
}

/** Waits until a number is reached. */
class Counted {
  readonly #count: () => number;
  #waiting: { readonly count: number; readonly resolve: () => void }[] = [];

  constructor(count: () => number) {
    this.#count = count;
  }

  until(count: number): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push({ count, resolve });
      this.look();
    });
  }

  look(): void {
    const reached = this.#waiting.filter(({ count }) => this.#count() >= count);
    this.#waiting = this.#waiting.filter((waiting) => !reached.includes(waiting));
    for (const { resolve } of reached) resolve();
  }
}
