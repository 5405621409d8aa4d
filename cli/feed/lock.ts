/** Lets only one pull at a time work in a folder, because two would overwrite each other's progress. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CommandFailure } from '../failure.ts';
import { isRunning } from '../temporary.ts';

const LOCK = 'pull.lock';

/** Holds the folder until the process ends. @throws CommandFailure if another process holds it */
export function lockFolder(folder: string): () => void {
  const path = join(folder, LOCK);
  while (!taken(path)) {
    const holder = holderOf(path);
    if (holder !== null && holder !== process.pid && isRunning(holder)) {
      throw new CommandFailure(
        `another numgate feed pull is running in ${folder} (process ${holder}): stop it first, or use another folder with ` +
          `--out. If that process is not numgate, delete ${path}.`,
      );
    }
    // The lock was left by a process that was killed.
    rmSync(path, { force: true });
  }
  const release = (): void => {
    process.off('exit', release);
    if (holderOf(path) === process.pid) rmSync(path, { force: true });
  };
  process.once('exit', release);
  return release;
}

/** @returns whether the folder was free */
function taken(path: string): boolean {
  try {
    writeFileSync(path, String(process.pid), { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function holderOf(path: string): number | null {
  try {
    return Number(readFileSync(path, 'utf8')) || null;
  } catch {
    return null;
  }
}
