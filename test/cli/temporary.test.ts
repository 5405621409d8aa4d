/** Temporary folders. Their process removes them, or the next process does if it was killed. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { temporaryFolder, unfinishedFolder } from '../../cli/temporary.ts';

const MODULE = fileURLToPath(new URL('../../cli/temporary.ts', import.meta.url));
/** Serves as the system's temporary folder in other processes. */
const place = temporaryFolder('places');
afterAll(place.remove);

const env = { ...process.env, TMPDIR: place.path };
const make = `const { temporaryFolder } = await import(${JSON.stringify(MODULE)}); const made = temporaryFolder('test');`;
const nodeArgs = (code: string): string[] => ['--input-type=module', '--eval', code];

/** Writes files until the folder is gone, for at most a few tenths of a second. */
const WRITER = `
  const { writeFileSync } = await import('node:fs');
  console.log('ready');
  try {
    for (let file = 0; file < 5000; file++) writeFileSync(process.env.FOLDER + '/' + file, '');
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
  }`;

/** Starts a process that makes a folder and runs until it is killed. @returns its folder and a way to kill it */
async function startHolder() {
  const child = spawn(
    process.execPath,
    nodeArgs(`${make} console.log(made.path); setInterval(() => {}, 1e6);`),
    {
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const [chunk] = (await once(child.stdout, 'data')) as [Buffer];
  const kill = async (): Promise<void> => {
    const closed = once(child, 'close');
    child.kill('SIGKILL');
    await closed;
  };
  return { path: chunk.toString().trim(), kill };
}

/** Runs another process that makes a folder and ends. */
function runOnce(): void {
  const child = spawnSync(process.execPath, nodeArgs(make), { env, encoding: 'utf8' });
  expect(child.stderr).toBe('');
}

describe('a temporary folder', () => {
  it('is removed at the end of its process', () => {
    runOnce();
    expect(readdirSync(place.path)).toEqual([]);
  });

  it('of a killed process is removed by the next one; one of a running process stays', async () => {
    const killed = await startHolder();
    writeFileSync(join(killed.path, 'value.json'), '{}');
    const running = await startHolder();
    await killed.kill();
    expect(existsSync(killed.path)).toBe(true);
    runOnce();
    expect(existsSync(killed.path)).toBe(false);
    expect(existsSync(running.path)).toBe(true);
    await running.kill();
    runOnce();
    expect(readdirSync(place.path)).toEqual([]);
  });

  it.runIf(existsSync('/proc/self/ns/pid'))(
    'is removed if a later process has the ID, and stays if it belongs to another machine, container or program',
    () => {
      const own = basename(unfinishedFolder(place.path)).replace('.unfinished-', '');
      const [machine, namespace, pid, start] = own.split('-');
      const kept = [
        `numgate-test-${machine}-${namespace}1-2147483646-1-abcdef`,
        `numgate-test-00000000-${namespace}-2147483646-1-abcdef`,
        `numgate-test-${own}-abcdef`,
        'numgate-test-abcdef',
        'miniflare-0123456789abcdef',
      ];
      const removed = [
        `numgate-test-${machine}-${namespace}-${pid}-${start}1-abcdef`,
        `numgate-test-${machine}-${namespace}-2147483646-1-abcdef`,
      ];
      for (const name of [...kept, ...removed]) mkdirSync(join(place.path, name));
      runOnce();
      expect(readdirSync(place.path).sort()).toEqual([...kept, `.unfinished-${own}`].sort());
    },
  );

  it('is removed although another process is writing its last files there', async () => {
    const { path, remove } = temporaryFolder('written');
    const writer = spawn(process.execPath, nodeArgs(WRITER), { env: { ...env, FOLDER: path } });
    const closed = once(writer, 'close');
    await once(writer.stdout, 'data');
    remove();
    expect(existsSync(path)).toBe(false);
    await closed;
  });

  it('is named in the folder of the system, and can be removed before the end', () => {
    const { path, remove } = temporaryFolder('early');
    expect(dirname(path)).toBe(dirname(place.path));
    expect(readdirSync(path)).toEqual([]);
    remove();
    expect(existsSync(path)).toBe(false);
  });
});
