/**
 * The world that the conformance tests talk to: secrets, lists and clients made with the real CLI in a
 * temporary folder, and the real service on a free port. Made once, removed when the tests end.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeForgedInputs, writeInputs } from './input-lists.ts';

const PROJECT = fileURLToPath(new URL('../../..', import.meta.url));
const HOST = fileURLToPath(new URL('host.ts', import.meta.url));

/** What `clients add` is told for each client of the tests. */
const CLIENTS = {
  bulk: [],
  label: ['--mode', 'label'],
  shadow: ['--mode', 'shadow'],
  careful: ['--fail-policy', 'closed', '--max-stale-seconds', '10', '--short-codes', '1335'],
  small: ['--quota-items', '10'],
  tiny: ['--quota-items', '10'],
  flow: ['--quota-items', '10'],
  counted: ['--quota-items', '1000'],
  gateway: ['--rights', 'gateway'],
} as const;
export type ClientName = keyof typeof CLIENTS;
const WITHOUT_RELEASE: readonly ClientName[] = ['bulk', 'careful'];

interface Addresses {
  readonly url: string;
  /** A service with the same data, in whose store somebody without the signing key has put another head. */
  readonly forged: string;
  /** A service with clients and no release. */
  readonly withoutRelease: string;
  /** A service whose secrets are not set. */
  readonly withoutSecrets: string;
}

export interface World extends Addresses {
  readonly keys: Readonly<Record<ClientName, string>>;
  /** The release that was pushed. */
  readonly release: string;
  /** Once the other head is in the store of `forged`. */
  readonly forgery: Promise<unknown>;
  /** All that the service has printed so far. */
  logged(): string;
}

let running: { world: World; host: ChildProcess; folder: string } | null = null;

export function world(): World {
  if (running === null) throw new Error('startWorld was not called');
  return running.world;
}

async function makeSecrets(): Promise<Record<string, string>> {
  const { publicKey, privateKey } = await crypto.subtle.generateKey('Ed25519', true, ['sign', 'verify']);
  const base64 = (bytes: ArrayBuffer | Uint8Array): string =>
    Buffer.from(bytes as Uint8Array).toString('base64');
  return {
    LIST_KEY: base64(crypto.getRandomValues(new Uint8Array(32))),
    RELEASE_SIGNING_KEY: base64(await crypto.subtle.exportKey('pkcs8', privateKey)),
    RELEASE_PUBLIC_KEYS: base64(await crypto.subtle.exportKey('raw', publicKey)),
  };
}

/** Run `lists <args> --json`. @returns the object it prints */
async function lists(env: NodeJS.ProcessEnv, ...args: string[]): Promise<Record<string, unknown>> {
  const child = spawn(process.execPath, [join(PROJECT, 'cli', 'lists.ts'), '--json', ...args], {
    cwd: PROJECT,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const out = textOf(child);
  const code = await new Promise((resolve) => child.on('close', resolve));
  if (code !== 0) throw new Error(`lists ${args.join(' ')} ended with ${code}:\n${out()}`);
  return JSON.parse(out().slice(out().indexOf('{'))) as Record<string, unknown>;
}

function textOf(child: ChildProcess): () => string {
  const chunks: Buffer[] = [];
  child.stdout!.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.stderr!.on('data', (chunk: Buffer) => chunks.push(chunk));
  return () => Buffer.concat(chunks).toString('utf8');
}

async function addClient(env: NodeJS.ProcessEnv, name: ClientName): Promise<string> {
  return (await lists(env, 'clients', 'add', name, ...CLIENTS[name])).key as string;
}

/** Build and prove. @returns the release */
async function buildRelease(env: NodeJS.ProcessEnv, folder: string): Promise<string> {
  const builds = join(folder, 'builds');
  const built = await lists(env, 'build', writeInputs(join(folder, 'inputs')), '--out', builds);
  const release = join(builds, built.release as string);
  const proven = await lists(env, 'prove', release, '--quick');
  if (proven.wrong !== 0) throw new Error(`${String(proven.wrong)} wrong answers`);
  return built.release as string;
}

/** What somebody can do who can write KV, even with the key of the lists, and cannot sign for us. */
async function forge(env: NodeJS.ProcessEnv, folder: string, url: string): Promise<unknown> {
  // The service has the right head before there is another one.
  const { status } = await fetch(`${url}/healthz`);
  if (status !== 200) throw new Error(`the service to be attacked is not healthy: ${status}`);
  const { LIST_KEY: _, ...signing } = await makeSecrets();
  const builds = join(folder, 'forged-builds');
  const forger = { ...env, ...signing, NUMGATE_STATE: join(folder, 'state-forged') };
  const built = await lists(
    forger,
    'build',
    writeForgedInputs(join(folder, 'forged-inputs')),
    '--out',
    builds,
  );
  return lists(forger, 'push', join(builds, built.release as string), '--unproven', '--replace-head');
}

async function startHost(
  env: NodeJS.ProcessEnv,
  folder: string,
): Promise<[ChildProcess, Addresses, () => string]> {
  const host = spawn(process.execPath, [HOST, folder], { cwd: PROJECT, env, stdio: 'pipe' });
  const logged = textOf(host);
  const addresses = await new Promise<Addresses>((resolve, reject) => {
    host.stdout.on('data', () => {
      const line = /^\{"url".*\}$/m.exec(logged())?.[0];
      if (line !== undefined) resolve(JSON.parse(line) as Addresses);
    });
    host.on('close', (code) => reject(new Error(`the service ended with ${code}:\n${logged()}`)));
  });
  return [host, addresses, logged];
}

export async function startWorld(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'numgate-conformance-'));
  try {
    const state = join(folder, 'state');
    const env = { ...process.env, ...(await makeSecrets()), NUMGATE_STATE: state };
    const keys: Partial<Record<ClientName, string>> = {};
    // One after the other: each reads and writes the one directory.
    for (const name of WITHOUT_RELEASE) keys[name] = await addClient(env, name);
    cpSync(state, join(folder, 'state-without-release'), { recursive: true });
    mkdirSync(join(folder, 'state-without-secrets'));
    const building = buildRelease(env, folder);
    for (const name of Object.keys(CLIENTS) as ClientName[]) keys[name] ??= await addClient(env, name);
    const release = await building;
    await lists(env, 'push', join(folder, 'builds', release), '--unproven');
    cpSync(state, join(folder, 'state-forged'), { recursive: true });
    const [host, addresses, logged] = await startHost(env, folder);
    const whole = keys as Record<ClientName, string>;
    const forgery = forge(env, folder, addresses.forged);
    // Told to the test that waits for it.
    forgery.catch(() => undefined);
    running = { world: { ...addresses, keys: whole, release, forgery, logged }, host, folder };
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

export async function stopWorld(): Promise<void> {
  if (running === null) return;
  const { host, folder } = running;
  await running.world.forgery.catch(() => undefined);
  const ended = new Promise((resolve) => host.on('close', resolve));
  host.stdin!.end();
  await ended;
  rmSync(folder, { recursive: true, force: true });
  running = null;
}
