/** State, builds and caches hold secrets and numbers: only their owner may read them. */
import { chmodSync, lstatSync, mkdirSync, readdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';

/** Permissions of group and others. */
const SHARED = 0o077;

/** Makes everything that this process and its children create private: files 0600, folders 0700. */
export function createPrivately(): void {
  process.umask(SHARED);
}

/** Creates a private folder, or removes the access of group and others if it exists. */
export function privateFolder(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  makePrivate(realpathSync(path));
}

/** Makes a folder and its whole content private, including files that an older version wrote. */
export function privateTree(path: string): void {
  privateFolder(path);
  for (const name of readdirSync(path, { recursive: true, encoding: 'utf8' })) makePrivate(join(path, name));
}

/**
 * Removes the access of group and others to a file or a folder. Only the owner can do that. Ignores a file that does not exist,
 * or that another process has just removed.
 */
export function makePrivate(path: string): void {
  try {
    const stats = lstatSync(path);
    // A link may lead to files of somebody else.
    if (stats.isSymbolicLink() || (stats.mode & SHARED) === 0) return;
    chmodSync(path, stats.mode & 0o700);
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (!['ENOENT', 'EPERM'].includes(code)) throw error;
  }
}
