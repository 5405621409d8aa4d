/** One thread of `prove`: takes tasks from a common list until none is left. */
import { parentPort, workerData } from 'node:worker_threads';
import { BuildFolder } from '../publish/build-folder.ts';
import type { NumberModel } from './list-model.ts';
import { Prover, type ProverSettings, reopen } from './prover.ts';

/** A shard to decode, or suffixes of the dense prefix by their images, from `from` to `to` (exclusive). */
export type ProveTask =
  | { readonly kind: 'shard'; readonly index: number }
  | { readonly kind: 'suffixes'; readonly from: number; readonly to: number };

export interface ThreadWork {
  readonly folder: string;
  readonly models: readonly NumberModel[];
  readonly settings: ProverSettings;
  readonly tasks: readonly ProveTask[];
  /** Index of the next task that no thread has taken. */
  readonly next: Int32Array<SharedArrayBuffer>;
}

/** What this thread has checked so far. */
export type ThreadProgress = Pick<Prover, 'lookups' | 'wrong' | 'decoded' | 'suffixes' | 'plain' | 'dated'>;

/** Approximate number of lookups and decoded entries between two messages. */
const STEPS_PER_MESSAGE = 250_000;

const { folder, models, settings, tasks, next } = workerData as ThreadWork;
const prover = new Prover(await reopen(new BuildFolder(folder)), models, settings);
let sentAt = 0;

function send(): void {
  const { lookups, wrong, decoded, suffixes, plain, dated } = prover;
  parentPort!.postMessage({ lookups, wrong, decoded, suffixes, plain, dated } satisfies ThreadProgress);
  sentAt = lookups + decoded;
}

for (let index = Atomics.add(next, 0, 1); index < tasks.length; index = Atomics.add(next, 0, 1)) {
  const task = tasks[index]!;
  if (task.kind === 'suffixes') prover.checkSuffixes(task.from, task.to);
  else
    prover.checkShard(task.index, () => {
      if (prover.lookups + prover.decoded - sentAt >= STEPS_PER_MESSAGE) send();
    });
  send();
}
