/**
 * `numgate prove`: reopens a built release as the edge would. It checks every number of 010, every listed
 * number and the numbers next to the listed ones against a plain model made from the inputs. The model knows
 * nothing of permutations, shards or encodings.
 */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { Command } from 'commander';
import { SUFFIX_COUNT } from '../../shared/numbers/number.ts';
import type { ListInfo, Manifest } from '../../shared/release/manifest.ts';
import { CommandFailure } from '../failure.ts';
import { readCatalogue } from '../import/catalogue.ts';
import { collect } from '../import/collect.ts';
import { addFolded, addNumber, addToModel, emptyModel, type ListModel } from '../proof/list-model.ts';
import type { ThreadProgress, ThreadTask } from '../proof/prove-thread.ts';
import { Prover, reopen } from '../proof/prover.ts';
import type { BuildFolder, Proof } from '../publish/build-folder.ts';
import { count } from '../terminal/figures.ts';
import { print, type Report } from '../terminal/output.ts';
import { startProgress } from '../terminal/progress.ts';
import { styleText } from '../terminal/visible.ts';
import { addFolderArgument, examples, folderOf } from './options.ts';

/** Prefix of 010: +82 10. */
const PROVEN_PREFIX = 8210;
/** With `--quick`, one of this many numbers of 010 is checked. Must divide the strides of prove-thread.ts. */
export const QUICK_STEP = 50;
/** More threads than this wait for memory, not for cores. */
const THREADS_MAX = 8;

export function addProve(program: Command): void {
  addFolderArgument(program.command('prove'))
    .description('check a build: every number of 010 and every listed number; expect 0 wrong answers')
    .option(
      '--quick',
      `check one 010 number in ${QUICK_STEP} and every listed number; push does not accept this as proof`,
      false,
    )
    .addHelpText('after', examples('prove'))
    .action(async (path: string | undefined, { quick }: { quick: boolean }) => {
      const result = await prove(folderOf(path), quick ? QUICK_STEP : 1);
      print(...formatProof(result));
      if (result.wrong !== 0) throw new CommandFailure('the release gives wrong answers: do not publish it');
    });
}

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
  const models = await readModels(folder, release.manifest);
  const prover = new Prover(release, models, report.now);
  const elsewhere = prover.checkElsewhere();
  prover.checkRanges();
  prover.checkSources();
  prover.checkCounts();
  const universe = await proveUniverse(folder.path, models, report.now, step);
  const proof: Proof = {
    release: release.manifest.release,
    lookups: prover.checked + universe.checked + universe.listed,
    wrong: prover.wrong + universe.wrong,
    complete: step === 1,
  };
  folder.writeProof(proof);
  return { ...proof, manifest: release.manifest, universe: universe.checked + universe.listed, elsewhere };
}

/** Reads the inputs and the folded entries again, into plain models. */
async function readModels(folder: BuildFolder, { lists }: Manifest): Promise<ListModel[]> {
  const { catalogue: path, now, inputs } = folder.report;
  const { folded } = folder;
  const catalogue = readCatalogue(path);
  if (termsOf([...catalogue.lists, ...folded]) !== termsOf(lists))
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
    throw new CommandFailure(`${path}: the inputs have changed since the build: build again`);
  for (const [index, { file, sha256 }] of inputs.entries()) {
    if (again[index]?.sha256 !== sha256)
      throw new CommandFailure(`${file} has changed since the build: build again`);
  }
  for (const [index, { entries }] of folded.entries()) {
    for (const entry of entries) addFolded(models[catalogue.lists.length + index]!, entry);
  }
  return models;
}

/** What identifies the lists and their effects, as one text. */
function termsOf(
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
): Promise<ThreadProgress> {
  const threads = Math.min(availableParallelism(), THREADS_MAX);
  const progress = startProgress('proving');
  let total = 0;
  let listed = 0;
  let wrong = 0;
  // A multiple of the step, so that the threads check the same numbers as one thread would.
  const share = Math.ceil(SUFFIX_COUNT / threads / step) * step;
  // This thread checks the numbers with other prefixes. Copying them to each thread would be a waste.
  const ofPrefix = models.map((model) => ({ ...model, elsewhere: new Map() }));
  const runs = Array.from({ length: threads }, (_, index) => {
    const from = index * share;
    const to = Math.min(SUFFIX_COUNT, from + share);
    return runThread(
      { folder, models: ofPrefix, now, prefix: PROVEN_PREFIX, from, to, step },
      (progressed) => {
        total += progressed.checked;
        listed += progressed.listed;
        wrong += progressed.wrong;
        progress.update((total * step) / SUFFIX_COUNT, `${wrong} wrong`);
      },
    );
  });
  try {
    await Promise.all(runs);
  } finally {
    progress.stop();
  }
  const due = Math.ceil(SUFFIX_COUNT / step);
  if (total !== due) throw new CommandFailure(`only ${total} of ${due} numbers were checked`);
  return { checked: total, listed, wrong };
}

function runThread(task: ThreadTask, onProgress: (checked: ThreadProgress) => void): Promise<void> {
  const worker = new Worker(new URL('../proof/prove-thread.ts', import.meta.url), { workerData: task });
  return new Promise((resolve, reject) => {
    worker.on('message', onProgress);
    worker.on('error', reject);
    worker.on('exit', (code) =>
      code === 0 ? resolve() : reject(new CommandFailure('a thread of prove ended early')),
    );
  });
}

/** Also for `npm start`, which proves the demo. */
export function formatProof(result: ProveResult): Report {
  const { release, lookups, wrong, complete, universe, elsewhere } = result;
  const lists = result.manifest.lists.length;
  const verdict =
    wrong === 0 ? styleText('green', '0 wrong answers') : styleText('red', `${count(wrong)} WRONG ANSWERS`);
  const text =
    `${styleText('bold', release)}: ${verdict}\n` +
    `  ${complete ? 'all ' : ''}${count(universe)} numbers of 010, and ${count(elsewhere)} other listed numbers,\n` +
    `  in each of ${lists} lists: ${count(lookups)} lookups\n`;
  return [text, { release, wrong, complete, lookups, universe, elsewhere, lists }];
}
