/**
 * Runs Kamailio in the foreground, on a free port of loopback. It has the unchanged config of
 * examples/kamailio or another config; only settings differ. It ends with the process that started it.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { onExit } from '../../../bench/lib/cleanup.ts';
import { SipEnd } from './sip.ts';

const CONFIG = fileURLToPath(new URL('../../../examples/kamailio/kamailio.cfg', import.meta.url));
/** Interval between attempts to reach or end Kamailio, in ms. */
const RETRY_EVERY_MS = 50;
/** After these times, Kamailio hangs even on a busy machine: the start fails, or the end is forced. In ms. */
const START_MS = 100_000;
const END_MS = 10_000;

export interface KamailioSettings {
  /** URL of the service. */
  readonly url: string;
  /** Key of the client. */
  readonly key: string;
  /** Port of the next hop. */
  readonly nextHop: number;
  /** Settings of the config by name. Settings without a value are `true`. */
  readonly settings?: Readonly<Record<string, string | number | true>>;
  /** Path of another config. */
  readonly config?: string;
}

export interface Kamailio {
  readonly port: number;
  /** Everything that Kamailio has printed so far. */
  logged(): string;
  stop(): Promise<void>;
}

/** Why Kamailio and sipp cannot run here; null if they can. An invalid config is not such a reason. */
export function kamailioMissing(settings: KamailioSettings['settings'] = {}): string | null {
  const run = spawnSync('kamailio', ['-c', '-f', CONFIG, ...definesOf(settings)], {
    env: { ...process.env, NUMGATE_KEY: 'none.none' },
    encoding: 'utf8',
  });
  if (run.error !== undefined) return 'kamailio is not installed';
  const module = /could not find module <(http_client|json|tls)(?:\.so)?>/.exec(run.stderr)?.[1];
  if (module !== undefined) return `the module ${module} of kamailio is not installed`;
  return spawnSync('sipp', ['-v']).error === undefined ? null : 'sipp is not installed';
}

function definesOf(settings: NonNullable<KamailioSettings['settings']>): string[] {
  return Object.entries(settings).flatMap(([name, value]) => [
    '-A',
    value === true ? name : `${name}=${value}`,
  ]);
}

export async function startKamailio(given: KamailioSettings): Promise<Kamailio> {
  const port = await freePort();
  const settings = {
    SERVICE_URL: given.url,
    LISTEN: `udp:127.0.0.1:${port}`,
    LISTEN_TCP: `tcp:127.0.0.1:${port}`,
    NEXT_HOP: `sip:127.0.0.1:${given.nextHop}`,
    ...given.settings,
  };
  const defines = definesOf(settings);
  // Its own process group, so that all its processes end even if the first one cannot end them.
  const child = spawn('kamailio', ['-f', given.config ?? CONFIG, '-DD', '-E', '-m', '128', ...defines], {
    env: { ...process.env, NUMGATE_KEY: given.key },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const chunks: Buffer[] = [];
  for (const out of [child.stdout, child.stderr]) out.on('data', (chunk: Buffer) => chunks.push(chunk));
  const logged = (): string => Buffer.concat(chunks).toString('utf8');
  const ended = once(child, 'close');
  const signal = (name: NodeJS.Signals): void => {
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, name);
  };
  const kill = (): void => signal('SIGKILL');
  onExit(kill);
  const stop = async (): Promise<void> => {
    // Signal all processes repeatedly. A process loses a signal that arrives just before it begins to wait for
    // signals, and the first process then waits for a minute.
    const retries = setInterval(() => signal('SIGTERM'), RETRY_EVERY_MS);
    const late = setTimeout(kill, END_MS);
    child.kill('SIGTERM');
    await ended;
    clearInterval(retries);
    clearTimeout(late);
  };
  try {
    await Promise.race([
      untilReady(port),
      ended.then(() => Promise.reject(new Error(`kamailio ended:\n${logged()}`))),
    ]);
  } catch (error) {
    await stop();
    throw error;
  }
  return { port, logged, stop };
}

/** Kamailio itself responds to a request that it may not forward (RFC 3261, 16.3). */
async function untilReady(port: number): Promise<void> {
  const end = await SipEnd.open(false);
  const retries = setInterval(() => {
    const headers = { 'Max-Forwards': '0' };
    end.sendText(
      end.written({ method: 'OPTIONS', from: '<sip:test@127.0.0.1>', to: 'test', headers }).text,
      port,
    );
  }, RETRY_EVERY_MS);
  const late = AbortSignal.timeout(START_MS);
  try {
    const answered = end.message(({ status }) => status === 483);
    await Promise.race([answered, once(late, 'abort').then(() => Promise.reject(late.reason))]);
  } finally {
    clearInterval(retries);
    end.close();
  }
}

/** @returns a port that is free for both UDP and TCP */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const socket = createSocket('udp4').bind(port, '127.0.0.1');
  const isFree = await Promise.race([
    once(socket, 'listening').then(() => true),
    once(socket, 'error').then(() => false),
  ]);
  socket.close();
  server.close();
  await once(server, 'close');
  return isFree ? port : freePort();
}
