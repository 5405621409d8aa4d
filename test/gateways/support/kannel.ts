/**
 * Runs bearerbox and smsbox of Kannel in the foreground with the config of examples/kannel; only ports differ.
 * Both end with the process that started them.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { onExit } from '../../../bench/lib/cleanup.ts';
import { freePort } from './kamailio.ts';

const CONFIG = fileURLToPath(new URL('../../../examples/kannel/kannel.conf', import.meta.url));
const PORTS = { admin: 13000, smsbox: 13001, sendsms: 13013, proxy: 2775 } as const;
/** Interval between attempts to reach Kannel, in ms. */
const RETRY_EVERY_MS = 50;
/** After this time the end is forced, in ms. */
const END_MS = 10_000;

export interface Text {
  readonly from: string;
  readonly to: string;
  readonly text: string;
  /** Gets a request once the SMSC has accepted or refused the text. */
  readonly reportUrl: string;
}

export interface Kannel {
  /** @returns the HTTP status, which is 202 if Kannel has accepted the text */
  send(text: Text): Promise<number>;
  logged(): string;
  stop(): Promise<void>;
}

/** Why Kannel cannot run here; null if it can. */
export function kannelMissing(): string | null {
  const missing = ['bearerbox', 'smsbox'].find((name) => spawnSync(name, ['--version']).error !== undefined);
  return missing === undefined ? null : `${missing} is not installed`;
}

export async function startKannel(proxyPort: number): Promise<Kannel> {
  const folder = mkdtempSync(join(tmpdir(), 'numgate-kannel-'));
  const ports = {
    ...{ admin: await freePort(), smsbox: await freePort(), sendsms: await freePort(), proxy: proxyPort },
  };
  let config = readFileSync(CONFIG, 'utf8');
  for (const [name, port] of Object.entries(PORTS) as [keyof typeof PORTS, number][]) {
    config = config.replace(new RegExp(`port = ${port}$`, 'm'), `port = ${ports[name]}`);
  }
  const path = join(folder, 'kannel.conf');
  writeFileSync(path, config);
  const chunks: Buffer[] = [];
  const running: ChildProcess[] = [];
  const start = (box: string): void => {
    const child = spawn(box, ['-v', '2', path], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const out of [child.stdout, child.stderr]) out.on('data', (chunk: Buffer) => chunks.push(chunk));
    running.push(child);
  };
  const logged = (): string => Buffer.concat(chunks).toString('utf8');
  onExit(() => {
    for (const child of running) child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });
  const stop = async (): Promise<void> => {
    // smsbox ends first, because it would reconnect.
    for (const child of running.toReversed()) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const ended = once(child, 'close');
      child.kill('SIGTERM');
      const late = AbortSignal.timeout(END_MS);
      late.addEventListener('abort', () => child.kill('SIGKILL'));
      await ended;
    }
    rmSync(folder, { recursive: true, force: true });
  };
  const isRunning = (): boolean => running.every(({ exitCode }) => exitCode === null);
  try {
    start('bearerbox');
    await untilListening(ports.smsbox, isRunning);
    start('smsbox');
    await untilListening(ports.sendsms, isRunning);
  } catch (error) {
    await stop();
    throw new Error(`Kannel ended:\n${logged()}`, { cause: error });
  }
  return {
    logged,
    stop,
    async send({ from, to, text, reportUrl }) {
      // In headers and in the body, because a URL would be logged.
      const headers = {
        ...{ 'X-Kannel-Username': 'sender', 'X-Kannel-Password': 'change-me' },
        ...{ 'X-Kannel-From': from, 'X-Kannel-To': to, 'X-Kannel-Coding': '0' },
        // 8: accepted by the SMSC; 16: refused by the SMSC.
        ...{ 'X-Kannel-DLR-Mask': '24', 'X-Kannel-DLR-Url': reportUrl },
        'Content-Type': 'text/plain; charset=UTF-8',
      };
      const url = `http://127.0.0.1:${ports.sendsms}/cgi-bin/sendsms`;
      const response = await fetch(url, { method: 'POST', headers, body: text });
      await response.text();
      return response.status;
    },
  };
}

async function untilListening(port: number, isRunning: () => boolean): Promise<void> {
  for (;;) {
    if (!isRunning()) throw new Error('it is not running');
    const socket = connect(port, '127.0.0.1');
    const isOpen = await Promise.race([
      once(socket, 'connect').then(() => true),
      once(socket, 'error').then(() => false),
    ]).catch(() => false);
    socket.destroy();
    if (isOpen) return;
    await setTimeout(RETRY_EVERY_MS);
  }
}
