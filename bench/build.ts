/**
 * Measures the whole command `numgate build` over a file of plain numbers, against `sort -u` of the same
 * file, and the whole command `numgate prove` of the result: wall time, and the peak memory of the process
 * with its threads.
 */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT } from '../cli/paths.ts';
import { SUFFIX_COUNT } from '../shared/numbers/number.ts';
import { TEST_NUMBERS } from '../shared/test-numbers.ts';
import { temporaryFolder } from './leftovers.ts';
import { type Order, writeRandomNumbers } from './number-files.ts';
import { type BenchOptions, sizesOf } from './options.ts';
import { type Row, row } from './row.ts';

/** Target, relative to `sort -u`, which only sorts the same lines and removes duplicates. */
const SORT_REACH = 1.5;
const GIB_REACH = 1.5;
/** The usual default locale. Every system has it. */
const UTF8 = 'C.UTF-8';
/** For all 10^8 numbers of 010, if nothing is listed with other prefixes. */
const PROVE_SECONDS_REACH = 60;
const COUNTS = [10_000_000, 40_000_000];
const COUNTS_SMALL = [500_000];
/**
 * Larger files are measured once, and only in ascending order: `sort` alone takes minutes for them in random
 * order.
 */
const REPEATED_MAX = 10_000_000;

/** Test numbers 010-0000-00NN, the most that can be rejected. */
const TEST_NUMBERS_MAX = TEST_NUMBERS.length;

interface Case {
  readonly count: number;
  readonly order: Order;
  readonly rounds: number;
}

interface BuildSummary {
  readonly folder: string;
  readonly lists: readonly { readonly numbers: number }[];
  readonly inputs: readonly { readonly rejected: number }[];
}

export async function buildBench(options: BenchOptions): Promise<Row[]> {
  const { path: folder, remove } = temporaryFolder('build');
  try {
    const rows: Row[] = [];
    for (const [index, count] of sizesOf(options, COUNTS, COUNTS_SMALL).entries()) {
      const rounds = count > REPEATED_MAX ? 1 : 2;
      const ascending = await buildRows(folder, { count, order: 'ascending', rounds }, options);
      rows.push(...ascending.rows);
      if (index === 0) rows.push(...proveRows(ascending.built, count, options));
      if (count <= REPEATED_MAX)
        rows.push(...(await buildRows(folder, { count, order: 'drawn', rounds: 1 }, options)).rows);
    }
    return rows;
  } finally {
    remove();
  }
}

async function buildRows(
  folder: string,
  { count, order, rounds }: Case,
  { seed, heads }: BenchOptions,
): Promise<{ rows: Row[]; built: string }> {
  const numbers = join(folder, 'numbers.txt');
  await writeRandomNumbers(numbers, { count, heads, seed, order });
  const catalogue = join(folder, 'lists.json');
  const lists = [{ name: 'bench', reason: 'NUMBER_SUSPENDED', authority: 'bench' }];
  writeFileSync(catalogue, JSON.stringify({ lists, inputs: [{ file: 'numbers.txt', list: 'bench' }] }));
  const [none, sorted] = [Number.POSITIVE_INFINITY, join(folder, 'sorted.txt')];
  const least = { ours: none, sort: none, sortBytes: none, gib: 0 };
  let built = '';
  for (let round = 0; round < rounds; round++) {
    const ours = runLists('build', '--offline', catalogue, '--out', join(folder, 'out'));
    const summary = JSON.parse(ours.stdout) as BuildSummary;
    // All are distinct. A few numbers of 010-0000 are test numbers and are rejected.
    const listed = summary.lists[0]?.numbers ?? 0;
    const rejected = summary.inputs[0]?.rejected ?? 0;
    if (listed + rejected !== count || rejected > TEST_NUMBERS_MAX)
      throw new Error(`the build lists ${listed} of ${count} numbers, and rejects ${rejected}`);
    const sort = run('sort', ['-u', '-o', sorted, numbers], { LC_ALL: UTF8 });
    // Digits sort alike in every locale. In this one they sort by bytes.
    const sortBytes = run('sort', ['-u', '-o', sorted, numbers], { LC_ALL: 'C' });
    least.ours = Math.min(least.ours, ours.seconds);
    least.sort = Math.min(least.sort, sort.seconds);
    least.sortBytes = Math.min(least.sortBytes, sortBytes.seconds);
    least.gib = Math.max(least.gib, ours.gib);
    built = summary.folder;
  }
  const density = heads === 1 ? '' : `, ${heads} heads`;
  const name = `build, ${count.toLocaleString('en')} plain numbers, ${order}${density}`;
  const against = (command: string, seconds: number, reach: number | null): Row =>
    row(name, least.ours, 's', `${command}: ${seconds.toFixed(1)} s`, least.ours / seconds, reach);
  const rows = [
    against(`sort -u in ${UTF8}`, least.sort, SORT_REACH),
    against('sort -u in C', least.sortBytes, null),
    row(`${name}: peak memory`, least.gib, 'GiB', '', null, GIB_REACH),
  ];
  return { rows, built };
}

function proveRows(built: string, count: number, { small, heads }: BenchOptions): Row[] {
  const proven = runLists('prove', built, ...(small ? ['--quick'] : []));
  const proof = JSON.parse(proven.stdout) as { wrong: number; universe: number };
  if (proof.wrong !== 0) throw new Error(`${proof.wrong} wrong answers`);
  if (!small && proof.universe !== SUFFIX_COUNT)
    throw new Error(`${proof.universe} numbers of 010 were asked`);
  const asked = `${proof.universe.toLocaleString('en')} numbers of 010 asked, ${count.toLocaleString('en')} listed`;
  const name = small ? 'prove --quick' : 'prove';
  return [
    row(name, proven.seconds, 's', asked, null, heads === 1 ? PROVE_SECONDS_REACH : null),
    row(`${name}: peak memory`, proven.gib, 'GiB', '', null, GIB_REACH),
  ];
}

interface Run {
  readonly stdout: string;
  readonly seconds: number;
  /** Peak memory of the process with all its threads. 0 if the process does not report it. */
  readonly gib: number;
}

/** Runs a numgate command, which reports its own peak memory at its end. */
function runLists(...args: string[]): Run {
  const report = join(PROJECT, 'bench', 'peak-memory.ts');
  return run(process.execPath, ['--import', report, 'cli/numgate.ts', '--json', ...args]);
}

function run(command: string, args: string[], more: Readonly<Record<string, string>> = {}): Run {
  const start = performance.now();
  const env = { ...process.env, NODE_OPTIONS: '', ...more };
  const child = spawnSync(command, args, { cwd: PROJECT, env, encoding: 'utf8', maxBuffer: 1 << 26 });
  if (child.status !== 0) throw new Error(`${command} failed: ${child.stderr}`);
  const peak = /peak-memory-kib (\d+)/.exec(child.stderr);
  return {
    stdout: child.stdout,
    seconds: (performance.now() - start) / 1000,
    gib: peak === null ? 0 : Number(peak[1]) / 2 ** 20,
  };
}
