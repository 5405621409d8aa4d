/**
 * `numgate prove`: reopens a built release as the edge would, and compares it with a plain model. The model is made from the
 * inputs, and from the base for lists that were carried over. It knows nothing of permutations, shards or encodings.
 * cli/proof/prover.ts states what is proven.
 */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { Command } from 'commander';
import { SUFFIX_COUNT, suffixOf } from '../../shared/numbers/number.ts';
import type { Manifest } from '../../shared/release/manifest.ts';
import type { Release } from '../../shared/release/release.ts';
import { type Admin, adminOfEnvironment } from '../admin.ts';
import { CommandFailure } from '../failure.ts';
import { countDated, countElsewhere, countPlain } from '../proof/list-model.ts';
import type { ProveTask, ThreadProgress, ThreadWork } from '../proof/prove-thread.ts';
import { LOOKUPS_PER_ENTRY, Prover, reopen } from '../proof/prover.ts';
import { readModels } from '../proof/read-models.ts';
import { proveRegistrations } from '../proof/registration-prover.ts';
import { TableProver } from '../proof/table-prover.ts';
import { loaderFor } from '../publish/base-release.ts';
import type { BuildFolder, Proof } from '../publish/build-folder.ts';
import { count, counted } from '../terminal/figures.ts';
import { print, type Report } from '../terminal/output.ts';
import { startProgress } from '../terminal/progress.ts';
import { formatRegistered } from '../terminal/table.ts';
import { styleText } from '../terminal/visible.ts';
import { addFolderArgument, examples, folderOf } from './options.ts';

/** Prefix of 010: +82 10. */
const PROVEN_PREFIX = 8210;
/** With `--quick`, one in this many numbers of 010 is checked. Must divide SUFFIXES_PER_TASK. */
export const QUICK_STEP = 50;
/** Images (permuted suffixes) in one task of a thread. */
const SUFFIXES_PER_TASK = 500_000;
/** Maximum number of threads. More threads would wait for memory, not for cores. */
const THREADS_MAX = 8;

export function addProve(program: Command): void {
  addFolderArgument(program.command('prove'))
    .description('check a build: every number of 010 and every stored entry; expect 0 wrong answers')
    .option(
      '--quick',
      `look up only one in ${QUICK_STEP} numbers of 010, and every stored entry; push does not accept this as proof`,
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
  /** Listed numbers outside 010, or with dates. */
  readonly elsewhere: number;
}

/**
 * @param step 1 looks up every number of 010; a larger step looks up one in `step`, besides the listed numbers
 * @param admin called only for values of the base that are not in the cache, after `build --authority`
 */
export async function prove(
  folder: BuildFolder,
  step: number,
  admin: () => Admin = adminOfEnvironment,
): Promise<ProveResult> {
  const release = await reopen(folder);
  const { now } = folder.report;
  const reading = startProgress('reading');
  const load = loaderFor(folder, admin);
  const models = await readModels(folder, release, PROVEN_PREFIX, load, reading.update).finally(() =>
    reading.stop(),
  );
  const settings = { now, densePrefix: PROVEN_PREFIX, step };
  const tables = new TableProver(release, now);
  for (const [list, model] of models.entries()) tables.check(list, model.tables);
  const numbers = models.map((model) => model.numbers);
  const prover = new Prover(release, numbers, settings);
  prover.checkMoments();
  const tasks = tasksFor(release, prover, step);
  const found = await runThreads(
    { folder: folder.path, models: numbers, settings, tasks: tasks.all },
    tasks.steps,
  );
  if (step === 1 && found.suffixes !== tasks.suffixes)
    throw new CommandFailure(`only ${found.suffixes} of ${tasks.suffixes} numbers were checked`);
  for (const [list, model] of numbers.entries()) {
    const [plain, dated] = [countPlain(model), countDated(model)];
    // All stored entries are distinct and in the model. With equal counts, none is missing.
    prover.count(found.plain[list] === plain && found.dated[list] === dated);
    prover.count(countStored(release, list) === plain + dated);
  }
  const senders = await proveRegistrations(release, folder);
  const proof: Proof = {
    release: release.manifest.release,
    lookups: tables.lookups + prover.lookups + found.lookups + senders.lookups,
    wrong: tables.wrong + prover.wrong + found.wrong + senders.wrong,
    complete: step === 1,
  };
  folder.writeProof(proof);
  // The other numbers of 010 are in sparse parts, which are always checked completely.
  const universe = SUFFIX_COUNT - tasks.suffixes + found.suffixes;
  const elsewhere = numbers.reduce((sum, model) => sum + countElsewhere(model, PROVEN_PREFIX), 0);
  return { ...proof, manifest: release.manifest, universe, elsewhere };
}

/** Tasks for all shards, and for the suffixes of 010 in dense parts. */
function tasksFor(release: Release, prover: Prover, step: number) {
  const { shards, lists } = release.manifest;
  const all: ProveTask[] = shards.map((_, index) => ({ kind: 'shard', index }));
  let suffixes = 0;
  /** Expected lookups and decoded entries. */
  let steps = 0;
  for (const part of shards.flatMap((_, index) => release.shard(index)!.parts)) {
    const isDense = prover.isDense(part);
    const entries = lists.reduce((sum, _, list) => sum + part.count(list), 0);
    steps += entries * (isDense && step === 1 ? 1 : 1 + LOOKUPS_PER_ENTRY);
    if (!isDense) continue;
    const size = part.end - part.start;
    suffixes += size;
    steps += size / step;
    const first = suffixOf(part.start);
    for (let from = first; from < first + size; from += SUFFIXES_PER_TASK)
      all.push({ kind: 'suffixes', from, to: Math.min(from + SUFFIXES_PER_TASK, first + size) });
  }
  return { all, suffixes, steps };
}

/** Number of stored entries of a list, as the headers of the shards count them. */
function countStored(release: Release, list: number): number {
  return release.manifest.shards.reduce((sum, _, index) => sum + release.shard(index)!.count(list), 0);
}

/** Runs the tasks on all cores. */
async function runThreads(work: Omit<ThreadWork, 'next'>, steps: number): Promise<ThreadProgress> {
  const threads = Math.min(availableParallelism(), THREADS_MAX, Math.max(1, work.tasks.length));
  const next = new Int32Array(new SharedArrayBuffer(4));
  const progress = startProgress('proving');
  const sent: ThreadProgress[] = [];
  const runs = Array.from({ length: threads }, (_, index) =>
    runThread({ ...work, next }, (progressed) => {
      sent[index] = progressed;
      const { lookups, decoded, wrong } = sumOf(sent, work.models.length);
      progress.update(Math.min(1, (lookups + decoded) / steps), `${count(wrong)} wrong`);
    }),
  );
  try {
    await Promise.all(runs);
  } finally {
    progress.stop();
  }
  return sumOf(sent, work.models.length);
}

function sumOf(sent: readonly ThreadProgress[], lists: number): ThreadProgress {
  const total = (of: (progress: ThreadProgress) => number): number =>
    sent.reduce((sum, progress) => sum + of(progress), 0);
  const byList = (name: 'plain' | 'dated'): number[] =>
    Array.from({ length: lists }, (_, list) => total((progress) => progress[name][list]!));
  return {
    lookups: total(({ lookups }) => lookups),
    wrong: total(({ wrong }) => wrong),
    decoded: total(({ decoded }) => decoded),
    suffixes: total(({ suffixes }) => suffixes),
    plain: byList('plain'),
    dated: byList('dated'),
  };
}

function runThread(work: ThreadWork, onProgress: (progress: ThreadProgress) => void): Promise<void> {
  const worker = new Worker(new URL('../proof/prove-thread.ts', import.meta.url), { workerData: work });
  return new Promise((resolve, reject) => {
    worker.on('message', onProgress);
    worker.on('error', reject);
    worker.on('exit', (code) =>
      code === 0 ? resolve() : reject(new CommandFailure('a thread of prove ended early')),
    );
  });
}

/** Exported for `npm start`, which proves the demo. */
export function formatProof(result: ProveResult): Report {
  const { release, lookups, wrong, complete, universe, elsewhere } = result;
  const { registrations } = result.manifest;
  const lists = result.manifest.lists.length;
  const verdict =
    wrong === 0 ? styleText('green', '0 wrong answers') : styleText('red', `${count(wrong)} WRONG ANSWERS`);
  const text =
    `${styleText('bold', release)}: ${verdict}\n` +
    `  ${complete ? 'all ' : ''}${count(universe)} numbers of 010, ${counted(elsewhere, 'other listed number')}, and every\n` +
    `  stored entry, in each of ${lists} lists: ${count(lookups)} lookups\n` +
    (registrations === undefined
      ? ''
      : `  with all registered senders: ${formatRegistered(registrations)}\n`);
  return [text, { release, wrong, complete, lookups, universe, elsewhere, lists }];
}
