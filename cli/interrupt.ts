/**
 * What is said where a command is ended from outside, as by Ctrl-C: how far it came.
 */

/** @returns no longer needed: the work is done, or has failed by itself */
export function onInterrupt(words: () => string): () => void {
  const tell = (): void => void process.stderr.write(`\ninterrupted: ${words()}\n`);
  process.once('exit', tell);
  return () => void process.off('exit', tell);
}
