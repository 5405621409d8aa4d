/**
 * A complete installation in a temporary folder: secrets, a built and pushed release, a client, and the
 * running service. It is set up with the real commands.
 */
import { execFile } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { newSecrets, workerSecrets } from '../../cli/local/secrets.ts';
import { startService } from '../../cli/local/service.ts';
import { PROJECT } from '../../cli/paths.ts';
import { SUSPENDED, writeCatalogue } from '../lib/catalogue.ts';
import { temporaryFolder } from '../lib/cleanup.ts';
import { runtimes } from '../lib/process-usage.ts';

const run = promisify(execFile);

export interface Installation {
  readonly url: string;
  /** URLs of the Workers beside the service, by name. */
  readonly besideUrls: Readonly<Record<string, string>>;
  readonly clientKey: string;
  /** Token of the admin with all scopes. */
  readonly adminToken: string;
  /** Process ids of the runtime (workerd). */
  readonly runtimePids: readonly number[];
  stop(): Promise<void>;
}

interface InstallationSettings {
  /** Numbers to list, as people write them. */
  readonly suspended: readonly string[];
  /** Senders that are always allowed. */
  readonly allowed?: readonly string[];
  /** Baseline Workers in the same process: name and module of each. */
  readonly beside?: Readonly<Record<string, string>>;
  /** Folder of an existing bundle. By default, a bundle is made. */
  readonly bundle?: string | undefined;
}

export async function startInstallation(settings: InstallationSettings): Promise<Installation> {
  const { suspended, allowed = [], beside = {}, bundle } = settings;
  const folder = temporaryFolder('installation');
  const secrets = await newSecrets();
  const state = join(folder, 'state');
  const before = new Set(runtimes());
  const service = await startService({
    port: 0,
    secrets: await workerSecrets(secrets),
    state,
    bundleFolder: bundle ?? join(folder, 'bundle'),
    isBundled: bundle !== undefined,
    beside,
  });
  const stop = async (): Promise<void> => {
    await service.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const { url, besideUrls } = service;
    const adminToken = secrets.ADMIN_TOKEN;
    const env = { NUMGATE_STATE: state, NUMGATE_URL: url, NUMGATE_TOKEN: adminToken };
    // Must be asynchronous, because the service runs in this process.
    const numgate = (...args: string[]): Promise<unknown> => runNumgate({ ...secrets, ...env }, ...args);
    const lists = [SUSPENDED];
    writeFileSync(join(folder, 'suspended.txt'), `${suspended.join('\n')}\n`);
    if (allowed.length > 0) {
      lists.push({ name: 'allowed', reason: 'ALLOW_OVERRIDE', effect: 'allow' });
      writeFileSync(join(folder, 'allowed.txt'), `${allowed.join('\n')}\n`);
    }
    await buildAndPush(numgate, folder, lists);
    const clientKey = await addClient(numgate, '--rights', 'check,gateway');
    const runtimePids = runtimes().filter((pid) => !before.has(pid));
    // Without such a process, the measured usage would be zero, and the benchmark would pass.
    if (runtimePids.length === 0) throw new Error('no process of this machine is the runtime');
    return { url, besideUrls, clientKey, adminToken, runtimePids, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Runs `numgate --json <args>`. @returns the object that it prints */
export async function runNumgate(env: Record<string, string>, ...args: string[]): Promise<unknown> {
  const { stdout } = await run(process.execPath, ['cli/numgate.ts', '--json', ...args], {
    cwd: PROJECT,
    env: { ...process.env, ...env },
  });
  return JSON.parse(stdout);
}

type Numgate = (...args: string[]) => Promise<unknown>;

/** Builds a release from the lists of a folder and pushes it without a proof. */
export async function buildAndPush(numgate: Numgate, folder: string, lists = [SUSPENDED]): Promise<void> {
  const built = await numgate('build', writeCatalogue(folder, lists), '--out', join(folder, 'out'));
  await numgate('push', (built as { folder: string }).folder, '--unproven');
}

/** Adds a client without a quota. @returns its key */
export async function addClient(numgate: Numgate, ...options: string[]): Promise<string> {
  const added = await numgate('clients', 'add', 'bench', '--quota-numbers', '1000000000', ...options);
  return (added as { key: string }).key;
}
