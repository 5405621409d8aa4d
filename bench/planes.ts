/**
 * The two planes apart, as `[env.control]` and `[env.edge]` deploy them: each is its own `wrangler dev`
 * process. wrangler's registry connects them. They share one state in a temporary folder, and have their own
 * release, client and admin.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { devVars, newSecrets } from '../cli/local/secrets.ts';
import { PROJECT, WRANGLER_CONFIG } from '../cli/paths.ts';
import { freePort } from './free-port.ts';
import { temporaryFolder } from './leftovers.ts';

/** Longest wait for a process to respond, in ms. */
const READY_WAIT_MS = 90_000;

export interface Planes {
  readonly controlUrl: string;
  readonly edgeUrl: string;
  /** Makes one live change. @returns its `seq` */
  change(op: 'block' | 'unblock' | 'clear', number: string): Promise<number>;
  /** Verdicts of the edge. */
  check(numbers: readonly string[]): Promise<string[]>;
  stop(): Promise<void>;
}

export async function planes(): Promise<Planes> {
  const { path: folder, remove } = temporaryFolder('planes');
  const children: ChildProcess[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(children.map(ended));
    remove();
  };
  try {
    const secrets = await newSecrets();
    const state = join(folder, 'state');
    const env = {
      ...process.env,
      ...secrets,
      NUMGATE_STATE: state,
      NUMGATE_TOKEN: secrets.ADMIN_TOKEN,
      WRANGLER_REGISTRY_PATH: join(folder, 'registry'),
      WRANGLER_SEND_METRICS: 'false',
      CI: '1',
    };
    mkdirSync(join(folder, 'registry'));
    const vars = join(folder, 'secrets.env');
    writeFileSync(vars, await devVars(secrets), { mode: 0o600 });
    const start = async (plane: string, path: string): Promise<string> => {
      const port = await freePort();
      const args = [
        'dev',
        '--env',
        plane,
        '--port',
        String(port),
        '--ip',
        '127.0.0.1',
        '--inspector-port',
        '0',
      ];
      const more = ['--persist-to', state, '--env-file', vars, '--config', WRANGLER_CONFIG];
      const wrangler = join(PROJECT, 'node_modules', 'wrangler', 'bin', 'wrangler.js');
      const child = spawn(process.execPath, [wrangler, ...args, ...more], {
        ...{ cwd: PROJECT, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true },
      });
      children.push(child);
      await answering(child, `http://127.0.0.1:${port}${path}`);
      return `http://127.0.0.1:${port}`;
    };
    const controlUrl = await start('control', '/openapi.json');
    const edgeUrl = await start('edge', '/openapi.json');
    const lists = (...args: string[]): string => {
      const child = spawnSync(process.execPath, ['cli/numgate.ts', '--json', ...args], {
        ...{ cwd: PROJECT, encoding: 'utf8', env: { ...env, NUMGATE_URL: controlUrl } },
      });
      if (child.status !== 0) throw new Error(`numgate ${args[0]}: ${child.stderr}`);
      return child.stdout;
    };
    writeFileSync(join(folder, 'numbers.txt'), '010-2345-6789\n');
    const list = { name: 'bench', reason: 'NUMBER_SUSPENDED', authority: 'bench' };
    const catalogue = join(folder, 'lists.json');
    writeFileSync(
      catalogue,
      JSON.stringify({ lists: [list], inputs: [{ file: 'numbers.txt', list: 'bench' }] }),
    );
    const { release } = JSON.parse(lists('build', catalogue, '--out', folder)) as { release: string };
    lists('push', join(folder, release), '--unproven', '--reason', 'bench');
    const { key } = JSON.parse(lists('clients', 'add', 'bench', '--quota-numbers', '1000000000')) as {
      key: string;
    };
    return {
      controlUrl,
      edgeUrl,
      change: async (op, number) => {
        const body = { op, items: [{ number }], reason: 'bench' };
        const done = await post(`${controlUrl}/v1/admin/entries`, secrets.ADMIN_TOKEN, body);
        return (done as { seq: number }).seq;
      },
      check: async (numbers) => {
        const body = { items: numbers.map((to) => ({ to })) };
        const answer = await post(`${edgeUrl}/v1/check/batch`, key, body);
        return (answer as { results: { verdict: string }[] }).results.map(({ verdict }) => verdict);
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function post(url: string, key: string, body: object): Promise<unknown> {
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
  if (!response.ok)
    throw new Error(`${new URL(url).pathname} answered ${response.status}: ${await response.text()}`);
  return response.json();
}

async function answering(child: ChildProcess, url: string): Promise<void> {
  const printed: Buffer[] = [];
  child.stdout!.on('data', (chunk: Buffer) => printed.push(chunk));
  child.stderr!.on('data', (chunk: Buffer) => printed.push(chunk));
  const deadline = Date.now() + READY_WAIT_MS;
  while (Date.now() < deadline && child.exitCode === null) {
    const response = await fetch(url, { signal: AbortSignal.timeout(2_000) }).catch(() => null);
    if (response?.ok === true) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error(`${url} did not answer:\n${Buffer.concat(printed).toString('utf8').slice(-2_000)}`);
}

/** Ends a process and all its children. Each process is its own process group. */
async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.pid === undefined) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  process.kill(-child.pid, 'SIGTERM');
  const killed = setTimeout(() => process.kill(-child.pid!, 'SIGKILL'), 5_000);
  await gone;
  clearTimeout(killed);
}
