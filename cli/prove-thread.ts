/**
 * One thread of `prove`: its share of the numbers of one head.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { BuildFolder } from './build-folder.ts';
import type { ListModel } from './list-model.ts';
import { Prover, reopen } from './prover.ts';

export interface ThreadTask {
  readonly folder: string;
  readonly models: readonly ListModel[];
  readonly now: number;
  readonly head: number;
  readonly from: number;
  readonly to: number;
  /** Ask each number (1), or only one in so many. */
  readonly step: number;
}

/** Sent now and then: what has come since the last one. */
export interface ThreadNews {
  readonly asked: number;
  /** Listed numbers asked beside the step. */
  readonly listed: number;
  readonly wrong: number;
}

/** Numbers asked between two messages. */
const STRIDE = 1_000_000;

const { folder, models, now, head, from, to, step } = workerData as ThreadTask;
const release = await reopen(new BuildFolder(folder));
for (let start = from; start < to; start += STRIDE) {
  const prover = new Prover(release, models, now);
  prover.head(head, start, Math.min(to, start + STRIDE), step);
  const news: ThreadNews = { asked: prover.asked, listed: prover.listed, wrong: prover.wrong };
  parentPort?.postMessage(news);
}
