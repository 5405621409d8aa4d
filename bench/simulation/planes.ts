/**
 * Separate planes, as `[env.control]` and `[env.edge]` deploy them. Each one is its own `wrangler dev`
 * process, and wrangler's registry connects them. They share one state in a temporary folder, and have their
 * own release, client and admin.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { devVars, newSecrets } from '../../cli/local/secrets.ts';
import { PROJECT, WRANGLER_CONFIG } from '../../cli/paths.ts';
import { onExit, temporaryFolder } from '../lib/cleanup.ts';
import { addClient, buildAndPush, runNumgate } from './installation.ts';

/** Longest wait for a process to respond, in ms. */
const READY_WAIT_MS = 90_000;
/** The line that wrangler prints once a Worker responds. */
const READY = /Ready on (http:\S+)/;

/** The fields of a result that the bench reads. */
export interface CheckedItem {
  readonly verdict: string;
  readonly reasons: readonly { readonly code: string; readonly rule?: string; readonly appeal?: string }[];
}

export interface Planes {
  /** URL of control. */
  readonly controlUrl: string;
  /** Sends a change to control, as `root`. @param path below `/v1/admin/` @returns the response */
  change<Value>(method: 'POST' | 'PUT', path: string, body: object): Promise<Value>;
  /** Reads from control, as `root`. @param path below `/v1/admin/` */
  read<Value>(path: string): Promise<Value>;
  /** Checks items at the edge as the client, and returns the results. @param items of a batch */
  results(items: readonly object[]): Promise<CheckedItem[]>;
  /** Checks items, and returns only the verdicts. */
  check(items: readonly object[]): Promise<string[]>;
  stop(): void;
}

/** @param clientOptions of `numgate clients add` */
export async function startPlanes(...clientOptions: readonly string[]): Promise<Planes> {
  const children: ChildProcess[] = [];
  // The state is temporary, so the processes need no orderly shutdown.
  const kill = (): void => {
    for (const child of children.splice(0)) process.kill(-child.pid!, 'SIGKILL');
  };
  onExit(kill);
  const folder = temporaryFolder('planes');
  const secrets = await newSecrets();
  const state = join(folder, 'state');
  const registry = join(folder, 'registry');
  mkdirSync(registry);
  const vars = join(folder, 'secrets.env');
  writeFileSync(vars, await devVars(secrets), { mode: 0o600 });
  const env = { ...secrets, NUMGATE_STATE: state, NUMGATE_TOKEN: secrets.ADMIN_TOKEN };
  const start = async (plane: string): Promise<string> => {
    const args = ['--env', plane, '--port', '0', '--ip', '127.0.0.1', '--inspector-port', '0'];
    // Cloudflare is not in front of the Worker, so nothing vouches for client addresses.
    args.push('--var', 'PLATFORM:local');
    const files = ['--persist-to', state, '--env-file', vars, '--config', WRANGLER_CONFIG];
    const wrangler = join(PROJECT, 'node_modules', 'wrangler', 'bin', 'wrangler.js');
    // Its own process group, so that all its children can be killed.
    const child = spawn(process.execPath, [wrangler, 'dev', ...args, ...files], {
      cwd: PROJECT,
      env: {
        ...process.env,
        ...env,
        WRANGLER_REGISTRY_PATH: registry,
        WRANGLER_SEND_METRICS: 'false',
        // wrangler prints the ready line only at this log level or below.
        WRANGLER_LOG: 'log',
        CI: '1',
      },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    children.push(child);
    return untilReady(child);
  };
  const controlUrl = await start('control');
  const edgeUrl = await start('edge');
  writeFileSync(join(folder, 'suspended.txt'), '010-2345-6789\n');
  const numgate = (...args: string[]) => runNumgate({ ...env, NUMGATE_URL: controlUrl }, ...args);
  await buildAndPush(numgate, folder);
  const clientKey = await addClient(numgate, ...clientOptions);
  const results = async (items: readonly object[]): Promise<CheckedItem[]> => {
    const url = `${edgeUrl}/v1/check/batch`;
    return (await send<{ results: CheckedItem[] }>('POST', url, clientKey, { items })).results;
  };
  return {
    controlUrl,
    change: (method, path, body) =>
      send(method, `${controlUrl}/v1/admin/${path}`, secrets.ADMIN_TOKEN, { ...body, reason: 'bench' }),
    read: (path) => send('GET', `${controlUrl}/v1/admin/${path}`, secrets.ADMIN_TOKEN),
    results,
    check: async (items) => (await results(items)).map(({ verdict }) => verdict),
    stop: kill,
  };
}

async function send<Value>(method: string, url: string, key: string, body?: object): Promise<Value> {
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
  const response = await fetch(url, {
    method,
    headers,
    body: body === undefined ? null : JSON.stringify(body),
  });
  if (!response.ok)
    throw new Error(`${new URL(url).pathname} returned ${response.status}: ${await response.text()}`);
  return (await response.json()) as Value;
}

/** Waits for a response. @returns the URL; the process bound the port itself, so no other process answers */
async function untilReady(child: ChildProcess): Promise<string> {
  let output = '';
  for (const stream of [child.stdout!, child.stderr!])
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString('utf8');
    });
  const deadline = Date.now() + READY_WAIT_MS;
  while (Date.now() < deadline && child.exitCode === null) {
    const url = READY.exec(output)?.[1];
    if (url !== undefined) {
      const signal = AbortSignal.timeout(2_000);
      const response = await fetch(`${url}/openapi.json`, { signal }).catch(() => null);
      if (response?.ok === true) return url;
    }
    await sleep(200);
  }
  throw new Error(`wrangler dev did not respond:\n${output.slice(-2_000)}`);
}
