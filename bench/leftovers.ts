/**
 * Removes what a benchmark leaves on the machine, folders and processes, however the process ends: normally,
 * by an error, or by Ctrl-C.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const left = new Set<() => void>();

process.once('exit', () => {
  for (const remove of left) remove();
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

/** @returns removes it now */
export function onExit(remove: () => void): () => void {
  left.add(remove);
  return () => {
    left.delete(remove);
    remove();
  };
}

export interface Folder {
  readonly path: string;
  remove(): void;
}

/** Creates a temporary folder. @param name of its purpose, in lower case */
export function temporaryFolder(name: string): Folder {
  const path = mkdtempSync(join(tmpdir(), `numgate-${name}-`));
  return { path, remove: onExit(() => rmSync(path, { recursive: true, force: true })) };
}
