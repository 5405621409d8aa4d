/**
 * The environment of the conformance tests: secrets, running services, and lists and clients that the real CLI creates. It is
 * created once in a temporary folder and removed when the tests end.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Admin } from '../../../cli/admin.ts';
import { newSecrets, workerSecrets } from '../../../cli/local/secrets.ts';
import { newKey } from '../../../cli/secrets.ts';
import { temporaryFolder } from '../../../cli/temporary.ts';
import type { StatusInfo } from '../../../shared/admin/status.ts';
import type { Client } from '../../../shared/clients.ts';
import { ROLES, SCOPES, type Scope } from '../../../shared/roles.ts';
import { writeInputs, writeRegistrations } from './input-lists.ts';
import { copyKv, type Kv, openKv } from './kv.ts';

const PROJECT = fileURLToPath(new URL('../../..', import.meta.url));
const HOST = fileURLToPath(new URL('host.ts', import.meta.url));

/** Options of `clients add` for each client of the tests. */
const CLIENTS = {
  bulk: ['--rights', 'check,gateway', '--quota-numbers', '1000000000'],
  senders: ['--sender-rules', 'none'],
  label: ['--mode', 'label'],
  shadow: ['--mode', 'shadow'],
  careful: ['--fail-policy', 'closed', '--max-stale-seconds', '10', '--short-codes', '1335'],
  small: ['--quota-numbers', '10'],
  tiny: ['--quota-numbers', '10'],
  flow: ['--quota-numbers', '10'],
  counted: ['--quota-numbers', '1000'],
  gateway: ['--rights', 'gateway'],
  zeros: ['--international-prefix', '00'],
  carriers: ['--international-prefix', 'kr'],
  registered: ['--require-registration', 'enforce', '--short-codes', '1335'],
  mock: ['--mock'],
} as const;
export type ClientName = keyof typeof CLIENTS;
/** Clients that every service knows. */
const EVERYWHERE: readonly ClientName[] = ['bulk', 'careful', 'senders'];

/** The override is needed for the list of a whole country. */
const PUSHED = ['--unproven', '--override', 'short-prefix', '--reason', 'tests'];

/** Tokens of the service of the admin suites: one per scope, and `root`. */
export type TokenName = 'root' | Scope;

interface Addresses {
  /** The suite as one Worker, with lists and all clients. */
  readonly url: string;
  /** A service for tests that change things. It has clients, and at first no release. */
  readonly admin: string;
  /** Separate planes, with the same lists as `url`. */
  readonly edge: string;
  readonly control: string;
  /** An edge that shares the store of `edge`, and whose coordinator does not respond. */
  readonly alone: string;
  /** Another edge, with an empty store and no requests yet. */
  readonly cold: string;
  /** A service with clients and no release. */
  readonly withoutRelease: string;
  /** A service whose secrets are not set. */
  readonly withoutSecrets: string;
}

export interface Secrets {
  readonly LIST_KEY: string;
  readonly RELEASE_SIGNING_KEY: string;
  readonly RELEASE_PUBLIC_KEYS: string;
  readonly ROOT_TOKEN_SHA256: string;
  readonly NUMGATE_TOKEN: string;
}

/** Organisations that have a signing key. */
const SIGNERS = ['regulator', 'association', 'operator', 'other'].map((name) => `matrix-${name}`);

export interface World extends Addresses {
  readonly keys: Readonly<Record<ClientName, string>>;
  readonly tokens: Readonly<Record<TokenName, string>>;
  readonly secrets: Secrets;
  /** Signing keys of organisations, by ID. */
  readonly signers: Readonly<Record<string, string>>;
  /** The pushed release, and its `seq` at `url`. */
  readonly release: string;
  readonly seq: number;
  /** The stores of `admin`, of the planes, and of the edges without a coordinator. */
  readonly kv: Readonly<Record<'admin' | 'planes' | 'alone' | 'cold', Kv>>;
  /** Runs the cron of `admin` once. */
  runCron(): Promise<void>;
  /** The output of all services so far. */
  logged(): string;
}

let running: { world: World; host: ChildProcess; remove: () => void } | null = null;

export function world(): World {
  if (running === null) throw new Error('startWorld was not called');
  return running.world;
}

export async function makeSecrets(): Promise<Secrets> {
  const secrets = await newSecrets();
  return { ...secrets, ...(await workerSecrets(secrets)), NUMGATE_TOKEN: secrets.ADMIN_TOKEN };
}

/** Signing keys of organisations by ID, and their public keys in the format of RELEASE_PUBLIC_KEYS. */
async function makeSigners(): Promise<{ signers: Record<string, string>; publicKeys: string }> {
  const pairs = await Promise.all(SIGNERS.map(async (id) => [id, await newSecrets()] as const));
  return {
    signers: Object.fromEntries(pairs.map(([id, pair]) => [id, pair.RELEASE_SIGNING_KEY])),
    publicKeys: pairs.map(([id, pair]) => `${id}:${pair.RELEASE_PUBLIC_KEYS}`).join(','),
  };
}

/** Runs `numgate <args> --json`. @returns the printed object */
export async function runCli(env: NodeJS.ProcessEnv, ...args: string[]): Promise<Record<string, unknown>> {
  const child = spawn(process.execPath, [join(PROJECT, 'cli', 'numgate.ts'), '--json', ...args], {
    cwd: PROJECT,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const out = textOf(child);
  const code = await new Promise((resolve) => child.on('close', resolve));
  if (code !== 0) throw new Error(`numgate ${args.join(' ')} ended with ${code}:\n${out()}`);
  return JSON.parse(/^\{.*\}$/m.exec(out())![0]) as Record<string, unknown>;
}

function textOf(child: ChildProcess): () => string {
  const chunks: Buffer[] = [];
  child.stdout!.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.stderr!.on('data', (chunk: Buffer) => chunks.push(chunk));
  return () => Buffer.concat(chunks).toString('utf8');
}

/** Builds and proves. @returns the release and its folder */
async function buildRelease(
  env: NodeJS.ProcessEnv,
  folder: string,
): Promise<{ release: string; path: string }> {
  const builds = join(folder, 'builds');
  const inputs = join(folder, 'inputs');
  const catalogue = writeInputs(inputs);
  const registrations = writeRegistrations(inputs);
  const built = await runCli(env, 'build', catalogue, '--out', builds, '--registrations', registrations);
  const release = built.release as string;
  const path = join(builds, release);
  const proven = await runCli(env, 'prove', path, '--quick');
  if (proven.wrong !== 0) throw new Error(`${String(proven.wrong)} wrong answers`);
  return { release, path };
}

/** Copies the clients that every service knows, with their keys, to the other services. */
async function copyClients(from: Admin, to: readonly Admin[]): Promise<void> {
  for (const id of EVERYWHERE) {
    const client = await from.get<Client>(`clients/${id}`);
    for (const admin of to) await admin.change('PUT', `clients/${id}`, { client, reason: 'tests' });
  }
}

async function makeTokens(admin: Admin, root: string): Promise<Record<TokenName, string>> {
  const tokens: Record<string, string> = { root };
  const organisation = { id: 'default', displayName: 'KISA', authority: 'kisa', roles: ROLES };
  await admin.change('PUT', 'organisations/default', { organisation, reason: 'tests' });
  for (const scope of SCOPES) {
    const id = `only-${scope.toLowerCase()}`;
    const { key, secretSha256 } = await newKey(id);
    const token = { id, secretSha256: [secretSha256], scopes: [scope] };
    await admin.change('PUT', `tokens/${id}`, { token, reason: 'tests' });
    tokens[scope] = key;
  }
  return tokens as Record<TokenName, string>;
}

interface Host {
  readonly process: ChildProcess;
  readonly addresses: Addresses;
  readonly logged: () => string;
  readonly runCron: () => Promise<void>;
}

async function startHost(env: NodeJS.ProcessEnv, folder: string): Promise<Host> {
  const host = spawn(process.execPath, [HOST, folder], { cwd: PROJECT, env, stdio: 'pipe' });
  const logged = textOf(host);
  const messages: string[] = [];
  let onMessage = (): void => undefined;
  createInterface({ input: host.stdout }).on('line', (line) => {
    if (!/^\{"(url|cron)"/.test(line)) return;
    messages.push(line);
    onMessage();
  });
  const next = (): Promise<string> =>
    new Promise((resolve, reject) => {
      onMessage = () => {
        const line = messages.shift();
        if (line !== undefined) resolve(line);
      };
      onMessage();
      host.on('close', (code) => reject(new Error(`the service ended with ${code}:\n${logged()}`)));
    });
  const addresses = JSON.parse(await next()) as Addresses;
  const runCron = async (): Promise<void> => {
    host.stdin.write('cron\n');
    const { cron } = JSON.parse(await next()) as { cron: string };
    if (cron !== 'done') throw new Error(cron);
  };
  return { process: host, addresses, logged, runCron };
}

export async function startWorld(): Promise<void> {
  const { path: folder, remove } = temporaryFolder('conformance');
  let started: Host | null = null;
  try {
    const { signers, publicKeys } = await makeSigners();
    const own = await makeSecrets();
    const secrets = { ...own, RELEASE_PUBLIC_KEYS: `${own.RELEASE_PUBLIC_KEYS},${publicKeys}` };
    const state = (name: string): string => join(folder, name);
    const host = await startHost({ ...process.env, ...secrets }, folder);
    started = host;
    const { addresses } = host;
    const envOf = (url: string, name: string): NodeJS.ProcessEnv => ({
      ...{ ...process.env, ...secrets, NUMGATE_URL: url, NUMGATE_STATE: state(name) },
    });
    const adminOf = (url: string): Admin => new Admin({ url, token: secrets.NUMGATE_TOKEN });
    const main = envOf(addresses.url, 'state');
    const building = buildRelease(main, folder);
    const keys: Partial<Record<ClientName, string>> = {};
    for (const name of Object.keys(CLIENTS) as ClientName[]) {
      keys[name] = (await runCli(main, 'clients', 'add', name, ...CLIENTS[name])).key as string;
    }
    const others = [addresses.admin, addresses.control, addresses.withoutRelease].map(adminOf);
    await copyClients(adminOf(addresses.url), others);
    const { release, path } = await building;
    const { seq } = await runCli(main, 'push', path, ...PUSHED);
    const planes = envOf(addresses.control, 'state-planes');
    await runCli(planes, 'push', path, ...PUSHED, '--env', 'control');
    const kv = {
      admin: await openKv(state('state-admin')),
      planes: await openKv(state('state-planes')),
      alone: await openKv(state('state-alone')),
      cold: await openKv(state('state-cold')),
    };
    await untilCopied(adminOf(addresses.control));
    await copyKv(kv.planes, kv.alone);
    const tokens = await makeTokens(adminOf(addresses.admin), secrets.NUMGATE_TOKEN);
    const { logged, runCron } = host;
    running = {
      world: {
        ...{ ...addresses, keys: keys as Record<ClientName, string>, tokens, secrets, signers },
        ...{ release, seq: seq as number, kv, logged, runCron },
      },
      ...{ host: host.process, remove },
    };
  } catch (error) {
    started?.process.kill();
    remove();
    throw error;
  }
}

/** Waits until the copy of the head in KV is current. */
async function untilCopied(admin: Admin): Promise<void> {
  for (;;) {
    const { seq, kvSeq } = await admin.get<StatusInfo>('status');
    if (kvSeq === seq) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

export async function stopWorld(): Promise<void> {
  if (running === null) return;
  const { host, remove, world } = running;
  await Promise.all(Object.values(world.kv).map((kv) => kv.close()));
  const ended = new Promise((resolve) => host.on('close', resolve));
  host.stdin!.end();
  await ended;
  remove();
  running = null;
}
