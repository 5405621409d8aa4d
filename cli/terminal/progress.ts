/**
 * A progress bar on a terminal, otherwise nothing. It uses standard error, because standard output is for
 * results.
 */
import { createRequire } from 'node:module';
import { visible } from './visible.ts';

/** Loads the library only for a bar that is shown: most commands show none. */
const load = createRequire(import.meta.url);

export interface Progress {
  /** @param share 0 to 1 @param note shown after the bar */
  update(share: number, note?: string): void;
  stop(): void;
}

export function startProgress(title: string): Progress {
  if (!process.stderr.isTTY) return { update: () => undefined, stop: () => undefined };
  const { SingleBar } = load('cli-progress') as typeof import('cli-progress');
  const bar = new SingleBar({
    format: `${title.padEnd(8)} {bar} {percentage} % {note}`,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    hideCursor: true,
    clearOnComplete: true,
    etaBuffer: 50,
    stream: process.stderr,
  });
  bar.start(1000, 0, { note: '' });
  return {
    update: (share, note = '') => bar.update(Math.floor(share * 1000), { note: visible(note) }),
    stop: () => bar.stop(),
  };
}
