/** Reports the progress of a command that is interrupted, for example with Ctrl-C. */

import { note } from './output.ts';

/** @returns removes the notice; call it when the work is done or has failed */
export function onInterrupt(words: () => string): () => void {
  const notice = (): void => note(`\ninterrupted: ${words()}\n`);
  process.once('exit', notice);
  return () => void process.off('exit', notice);
}
