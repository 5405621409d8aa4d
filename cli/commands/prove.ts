/**
 * `numgate prove`: reopens a built release as the edge would. It checks every number of 010, every listed
 * number and the numbers next to the listed ones against a plain model made from the inputs. The model knows
 * nothing of permutations, shards or encodings.
 */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { SUFFIX_COUNT } from '../../shared/numbers/number.ts';
import type { ListInfo, Manifest } from '../../shared/release/manifest.ts';
import { CommandFailure } from '../failure.ts';
import { readCatalogue } from '../import/catalogue.ts';
import { collect } from '../import/collect.ts';
import { addFolded, addNumber, addToModel, emptyModel, type ListModel } from '../proof/list-model.ts';
import type { ThreadNews, ThreadTask } from '../proof/prove-thread.ts';
import { Prover, reopen } from '../proof/prover.ts';
import type { BuildFolder, Proof } from '../publish/build-folder.ts';
import { startProgress } from '../terminal/progress.ts';

/** Prefix of 010: +82 10. */
const PROVEN_PREFIX = 8210;
/** With `--quick`, one of this many numbers of 010 is checked. Must divide the strides of prove-thread.ts. */
export const QUICK_STEP = 50;
/** More threads than this wait for memory, not for cores. */
const THREADS_MAX = 8;

export interface ProveResult extends Proof {
  readonly manifest: Manifest;
  /** Numbers of 010 that were checked. */
  readonly universe: number;
  /** Listed numbers outside 010, or with dates, that were checked one by one. */
  readonly elsewhere: number;
}

/** @param step check every number of 010 (1), or one in `step` besides the listed ones */
export async function prove(folder: BuildFolder, step: number): Promise<ProveResult> {
  const release = await reopen(folder);
  const { report } = folder;
  const models = await remember(folder, release.manifest);
  const prover = new Prover(release, models, report.now);
  const elsewhere = prover.elsewhere();
  prover.ranges();
  prover.sources();
  prover.counts();
  const universe = await proveUniverse(folder.path, models, report.now, step);
  const proof: Proof = {
    release: release.manifest.release,
    asked: prover.asked + universe.asked + universe.listed,
    wrong: prover.wrong + universe.wrong,
    complete: step === 1,
  };
  folder.writeProof(proof);
  return { ...proof, manifest: release.manifest, universe: universe.asked + universe.listed, elsewhere };
}

/** Reads the inputs and the folded entries again, into plain models. */
async function remember(folder: BuildFolder, { lists }: Manifest): Promise<ListModel[]> {
  const { catalogue: path, now, inputs } = folder.report;
  const { folded } = folder;
  const catalogue = readCatalogue(path);
  if (effectsOf([...catalogue.lists, ...folded]) !== effectsOf(lists))
    throw new CommandFailure(`${path} does not name the lists of the release: build again`);
  const models = lists.map(({ effect }) => emptyModel(effect, PROVEN_PREFIX));
  const progress = startProgress('reading');
  const again = await collect(catalogue, {
    now,
    onEntry: ({ list, what, dates }) => addToModel(models[list]!, what, dates),
    onNumber: (list, n) => addNumber(models[list]!, n),
    onReject: () => undefined,
    onProgress: progress.update,
  }).finally(() => progress.stop());
  if (again.length !== inputs.length)
    throw new CommandFailure(`${path} has changed its inputs since the build: build again`);
  for (const [index, { file, sha256 }] of inputs.entries()) {
    if (again[index]?.sha256 !== sha256)
      throw new CommandFailure(`${file} has changed since the build: build again`);
  }
  for (const [index, { entries }] of folded.entries()) {
    for (const entry of entries) addFolded(models[catalogue.lists.length + index]!, entry);
  }
  return models;
}

/** The effects of all lists, as one text. */
function effectsOf(
  lists: readonly Pick<ListInfo, 'name' | 'reason' | 'effect' | 'subjects' | 'authority'>[],
): string {
  return JSON.stringify(
    lists.map(({ name, reason, effect, subjects, authority }) => [name, reason, effect, subjects, authority]),
  );
}

/** Checks the 10^8 numbers of the proven prefix, divided among the cores. */
async function proveUniverse(
  folder: string,
  models: readonly ListModel[],
  now: number,
  step: number,
): Promise<ThreadNews> {
  const threads = Math.min(availableParallelism(), THREADS_MAX);
  const progress = startProgress('proving');
  let asked = 0;
  let listed = 0;
  let wrong = 0;
  // A multiple of the step, so that the threads check the same numbers as one thread would.
  const share = Math.ceil(SUFFIX_COUNT / threads / step) * step;
  // Numbers with other prefixes are checked in this thread. Copying them to each thread would be a waste.
  const ofPrefix = models.map((model) => ({ ...model, elsewhere: new Map() }));
  const runs = Array.from({ length: threads }, (_, index) => {
    const from = index * share;
    const to = Math.min(SUFFIX_COUNT, from + share);
    return runThread({ folder, models: ofPrefix, now, head: PROVEN_PREFIX, from, to, step }, (news) => {
      asked += news.asked;
      listed += news.listed;
      wrong += news.wrong;
      progress.update((asked * step) / SUFFIX_COUNT, `${wrong} wrong`);
    });
  });
  try {
    await Promise.all(runs);
  } finally {
    progress.stop();
  }
  const due = Math.ceil(SUFFIX_COUNT / step);
  if (asked !== due) throw new CommandFailure(`only ${asked} of ${due} numbers were asked`);
  return { asked, listed, wrong };
}

function runThread(task: ThreadTask, onNews: (news: ThreadNews) => void): Promise<void> {
  const worker = new Worker(new URL('../proof/prove-thread.ts', import.meta.url), { workerData: task });
  return new Promise((resolve, reject) => {
    worker.on('message', onNews);
    worker.on('error', reject);
    worker.on('exit', (code) =>
      code === 0 ? resolve() : reject(new CommandFailure('a thread of prove ended early')),
    );
  });
}
