/**
 * A progress bar on a terminal, otherwise nothing. It uses standard error, because standard output is for
 * results.
 */
import { createRequire } from 'node:module';
import { visible } from './visible.ts';

/** Loads the library only for a bar that is shown: most commands show none. */
const load = createRequire(import.meta.url);

/** Before both limits, an estimate of the time left would be a guess. */
const ESTIMATE_AFTER_MS = 1_000;
const ESTIMATE_AFTER_SHARE = 0.01;

export interface Progress {
  /** @param share 0 to 1 @param note shown after the bar */
  update(share: number, note?: string): void;
  stop(): void;
}

export function startProgress(title: string): Progress {
  if (!process.stderr.isTTY) return { update: () => undefined, stop: () => undefined };
  const { SingleBar } = load('cli-progress') as typeof import('cli-progress');
  const bar = new SingleBar({
    format: `${title.padEnd(8)} {bar} {percentage} % {left}{note}`,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    hideCursor: true,
    clearOnComplete: true,
    etaBuffer: 50,
    stream: process.stderr,
  });
  const started = Date.now();
  bar.start(1000, 0, { note: '', left: '' });
  const stop = (): void => {
    process.off('exit', stop);
    bar.stop();
  };
  // The bar hides the cursor and switches line wrap off. `stop` restores both, also after Ctrl-C or a bug.
  process.once('exit', stop);
  return {
    update: (share, note = '') => {
      const left = formatTimeLeft(share, Date.now() - started);
      bar.update(Math.floor(share * 1000), { note: visible(note), left });
    },
    stop,
  };
}

/** @param share done, 0 to 1 @param elapsed in ms @returns empty while an estimate would be a guess */
export function formatTimeLeft(share: number, elapsed: number): string {
  if (elapsed < ESTIMATE_AFTER_MS || share < ESTIMATE_AFTER_SHARE || share >= 1) return '';
  const seconds = Math.ceil(((elapsed / share) * (1 - share)) / 1000);
  return seconds < 100 ? `${seconds} s left  ` : `${Math.ceil(seconds / 60)} min left  `;
}
