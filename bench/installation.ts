/**
 * A whole installation in a temporary folder: secrets, a built and pushed release, a client, and the
 * running service. Made with the real commands.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PROJECT } from '../cli/paths.ts';
import { localSecrets } from '../cli/secrets.ts';
import { startService } from '../cli/service.ts';

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
  const { LIST_KEY, RELEASE_PUBLIC_KEYS } = await localSecrets();
  const state = join(folder, 'state');
  const lists = (...args: string[]): string => {
    const env = { ...process.env, NUMGATE_STATE: state };
    const child = spawnSync(process.execPath, ['cli/lists.ts', ...args], {
      cwd: PROJECT,
      env,
      encoding: 'utf8',
    });
    if (child.status !== 0) throw new Error(`lists ${args[0]}: ${child.stderr}`);
    return child.stdout;
  };
  writeFileSync(join(folder, 'numbers.txt'), `${suspended.join('\n')}\n`);
  const catalogue = join(folder, 'lists.json');
  const list = { name: 'bench', reason: 'NUMBER_SUSPENDED', authority: 'bench' };
  writeFileSync(
    catalogue,
    JSON.stringify({ lists: [list], inputs: [{ file: 'numbers.txt', list: 'bench' }] }),
  );
  const built = JSON.parse(lists('--json', 'build', catalogue, '--out', join(folder, 'out'))) as {
    folder: string;
  };
  lists('push', built.folder, '--unproven');
  const clientKey = lists('clients', 'add', 'bench', '--quota-items', '1000000000').trim();
  const before = new Set(runtimes());
  const secrets = { LIST_KEY, RELEASE_PUBLIC_KEYS };
  const service = await startService({ port: 0, secrets, state, bundleFolder: join(folder, 'bundle') });
  return {
    url: service.url,
    clientKey,
    runtimePids: runtimes().filter((pid) => !before.has(pid)),
    stop: async () => {
      await service.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
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
