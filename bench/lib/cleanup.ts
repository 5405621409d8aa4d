/**
 * Removes the folders and processes that a benchmark leaves on the machine, however the process ends:
 * normally, by an error, or by Ctrl-C.
 */
import { temporaryFolder as makeFolder } from '../../cli/temporary.ts';

const removals = new Set<() => void>();

process.once('exit', () => {
  for (const remove of removals) remove();
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

/** @param remove runs at the end of the process, even if it has already run */
export function onExit(remove: () => void): void {
  removals.add(remove);
}

/** Creates a folder that is removed at the end of the process. @param name says its purpose, in lower case */
export function temporaryFolder(name: string): string {
  return makeFolder(name).path;
}
