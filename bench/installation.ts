/**
 * A complete installation in a temporary folder: secrets, a built and pushed release, a client, and the
 * running service. Uses the real commands.
 */
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { newSecrets, workerSecrets } from '../cli/local/secrets.ts';
import { startService } from '../cli/local/service.ts';
import { PROJECT } from '../cli/paths.ts';
import { temporaryFolder } from './leftovers.ts';

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

/**
 * @param suspended numbers to list, as they are written
 * @param cleared senders that are always allowed
 * @param beside Workers to compare with, in the same process: name and module of each
 */
export async function startInstallation(
  suspended: readonly string[],
  cleared: readonly string[] = [],
  beside: Readonly<Record<string, string>> = {},
): Promise<Installation> {
  const { path: folder, remove } = temporaryFolder('installation');
  const secrets = await newSecrets();
  const state = join(folder, 'state');
  const before = new Set(runtimes());
  const service = await startService({
    port: 0,
    secrets: await workerSecrets(secrets),
    state,
    bundleFolder: join(folder, 'bundle'),
    beside,
  });
  const stop = async (): Promise<void> => {
    await service.stop();
    remove();
  };
  try {
    const env = {
      ...process.env,
      ...secrets,
      NUMGATE_STATE: state,
      NUMGATE_URL: service.url,
      NUMGATE_TOKEN: secrets.ADMIN_TOKEN,
    };
    // Asynchronous, because the service runs in this process.
    const lists = async (...args: string[]): Promise<string> => {
      const child = await run(process.execPath, ['cli/numgate.ts', ...args], { cwd: PROJECT, env });
      return child.stdout;
    };
    const catalogue = join(folder, 'lists.json');
    const catalogued = [
      { name: 'suspended', reason: 'NUMBER_SUSPENDED', authority: 'bench', numbers: suspended },
      { name: 'cleared', reason: 'ALLOW_OVERRIDE', authority: 'bench', effect: 'allow', numbers: cleared },
    ].filter(({ numbers }) => numbers.length > 0);
    for (const { name, numbers } of catalogued) {
      writeFileSync(join(folder, `${name}.txt`), `${numbers.join('\n')}\n`);
    }
    writeFileSync(
      catalogue,
      JSON.stringify({
        lists: catalogued.map(({ numbers: _, ...list }) => list),
        inputs: catalogued.map(({ name }) => ({ file: `${name}.txt`, list: name })),
      }),
    );
    const built = JSON.parse(await lists('--json', 'build', catalogue, '--out', join(folder, 'out'))) as {
      folder: string;
    };
    await lists('push', built.folder, '--unproven');
    const wishes = ['--quota-numbers', '1000000000', '--rights', 'check,gateway'];
    const clientKey = (await lists('clients', 'add', 'bench', ...wishes)).trim();
    const runtimePids = runtimes().filter((pid) => !before.has(pid));
    // Without such a process, the measured usage would be zero, and the benchmark would pass.
    if (runtimePids.length === 0) throw new Error('the runtime is not among the processes of this machine');
    const { url, besideUrls } = service;
    return { url, besideUrls, clientKey, adminToken: secrets.ADMIN_TOKEN, runtimePids, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Ids of this process's own workerd children (Linux). */
function runtimes(): number[] {
  const ids = readdirSync('/proc')
    .map(Number)
    .filter((id) => id > 0);
  return ids.filter((id) => {
    try {
      const parent = Number(/PPid:\s+(\d+)/.exec(readFileSync(`/proc/${id}/status`, 'utf8'))?.[1]);
      return parent === process.pid && readFileSync(`/proc/${id}/comm`, 'utf8').startsWith('workerd');
    } catch {
      return false;
    }
  });
}
