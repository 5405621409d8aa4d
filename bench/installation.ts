/**
 * A whole installation in a temporary folder: secrets, a built and pushed release, a client, and the
 * running service. Made with the real commands.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { PROJECT } from '../cli/paths.ts';
import { localSecrets, workerSecrets } from '../cli/secrets.ts';
import { startService } from '../cli/service.ts';

const run = promisify(execFile);

export interface Installation {
  readonly url: string;
  readonly clientKey: string;
  /** Process ids of the runtime (workerd). */
  readonly runtimePids: readonly number[];
  stop(): Promise<void>;
}

/** @param suspended numbers to list, as they are written */
export async function startInstallation(suspended: readonly string[]): Promise<Installation> {
  const folder = mkdtempSync(join(tmpdir(), 'numgate-bench-'));
  const secrets = await localSecrets();
  const state = join(folder, 'state');
  const before = new Set(runtimes());
  const service = await startService({
    port: 0,
    secrets: await workerSecrets(secrets),
    state,
    bundleFolder: join(folder, 'bundle'),
  });
  const stop = async (): Promise<void> => {
    await service.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const env = {
      ...process.env,
      NUMGATE_STATE: state,
      NUMGATE_URL: service.url,
      NUMGATE_TOKEN: secrets.ADMIN_TOKEN,
    };
    // Not waited for by the thread: the service answers in this process.
    const lists = async (...args: string[]): Promise<string> => {
      const child = await run(process.execPath, ['cli/lists.ts', ...args], { cwd: PROJECT, env });
      return child.stdout;
    };
    writeFileSync(join(folder, 'numbers.txt'), `${suspended.join('\n')}\n`);
    const catalogue = join(folder, 'lists.json');
    const list = { name: 'bench', reason: 'NUMBER_SUSPENDED', authority: 'bench' };
    writeFileSync(
      catalogue,
      JSON.stringify({ lists: [list], inputs: [{ file: 'numbers.txt', list: 'bench' }] }),
    );
    const built = JSON.parse(await lists('--json', 'build', catalogue, '--out', join(folder, 'out'))) as {
      folder: string;
    };
    await lists('push', built.folder, '--unproven');
    const clientKey = (await lists('clients', 'add', 'bench', '--quota-items', '1000000000')).trim();
    const runtimePids = runtimes().filter((pid) => !before.has(pid));
    return { url: service.url, clientKey, runtimePids, stop };
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
