/** One thread of `prove`: checks its share of the numbers of one prefix. */
import { parentPort, workerData } from 'node:worker_threads';
import { BuildFolder } from '../publish/build-folder.ts';
import type { ListModel } from './list-model.ts';
import { Prover, reopen } from './prover.ts';

export interface ThreadTask {
  readonly folder: string;
  readonly models: readonly ListModel[];
  readonly now: number;
  readonly prefix: number;
  readonly from: number;
  readonly to: number;
  /** Check each number (1), or one in `step`. */
  readonly step: number;
}

/** What was checked since the last message. */
export interface ThreadProgress {
  readonly checked: number;
  /** Listed numbers that were checked in addition to the step. */
  readonly listed: number;
  readonly wrong: number;
}

/** Numbers checked between two messages. */
const STRIDE = 1_000_000;

const { folder, models, now, prefix, from, to, step } = workerData as ThreadTask;
const release = await reopen(new BuildFolder(folder));
for (let start = from; start < to; start += STRIDE) {
  const prover = new Prover(release, models, now);
  prover.checkPrefix(prefix, start, Math.min(to, start + STRIDE), step);
  const progress: ThreadProgress = { checked: prover.checked, listed: prover.listed, wrong: prover.wrong };
  parentPort?.postMessage(progress);
}
