/** Reports the progress of a command that is interrupted, for example with Ctrl-C. */

/** @returns removes the notice; call it when the work is done or has failed */
export function onInterrupt(words: () => string): () => void {
  const notice = (): void => void process.stderr.write(`\ninterrupted: ${words()}\n`);
  process.once('exit', notice);
  return () => void process.off('exit', notice);
}
