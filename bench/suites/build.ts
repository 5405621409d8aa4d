/**
 * Measures the whole command `numgate build` over a file of plain numbers, against `sort -u` of the same file,
 * and the whole command `numgate prove` of the result. Reports wall time, and the peak memory of the process
 * with its threads.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { PROJECT } from '../../cli/paths.ts';
import { SUFFIX_COUNT } from '../../shared/numbers/number.ts';
import { TEST_NUMBERS } from '../../shared/test-numbers.ts';
import { writeCatalogue } from '../lib/catalogue.ts';
import { temporaryFolder } from '../lib/cleanup.ts';
import { writeNumbers } from '../lib/number-files.ts';
import { type BenchOptions, sizesOf } from '../lib/options.ts';
import { placesOf, randomPlaces, randomSuffixes } from '../lib/random-lists.ts';
import { type Row, row, withCommas } from '../lib/table.ts';

/** Target, relative to `sort -u`, which only sorts the same lines and removes duplicates. */
const SORT_TARGET = 1.5;
const GIB_TARGET = 1.5;
/** The usual default locale. Every system has it. */
const UTF8 = 'C.UTF-8';
/** Target for all 10^8 numbers of 010, if no other prefix is listed. */
const PROVE_TARGET_S = 60;
const COUNTS = [10_000_000, 40_000_000];
const COUNTS_SMALL = [100_000];
/**
 * Larger files are measured once, and only in ascending order, because `sort` alone takes minutes for them in
 * random order.
 */
const REPEATED_MAX = 10_000_000;

/** Ascending is the easiest order for `sort`. */
type Order = 'ascending' | 'random';

interface BuildSummary {
  readonly folder: string;
  readonly lists: readonly { readonly numbers: number }[];
  readonly inputs: readonly { readonly rejected: number }[];
}

export async function buildBench(options: BenchOptions): Promise<Row[]> {
  const folder = temporaryFolder('build');
  const rows: Row[] = [];
  for (const [index, count] of sizesOf(options, COUNTS, COUNTS_SMALL).entries()) {
    const isLarge = count > REPEATED_MAX;
    const ascending = await buildRows(folder, count, 'ascending', isLarge ? 1 : 2, options);
    rows.push(...ascending.rows);
    if (index === 0) rows.push(...proveRows(ascending.built, count, options));
    if (!isLarge) rows.push(...(await buildRows(folder, count, 'random', 1, options)).rows);
  }
  return rows;
}

async function buildRows(
  folder: string,
  count: number,
  order: Order,
  rounds: number,
  { seed, prefixes }: BenchOptions,
): Promise<{ rows: Row[]; built: string }> {
  const numbers = join(folder, 'suspended.txt');
  const places =
    order === 'random'
      ? randomPlaces(count, seed, prefixes)
      : placesOf(randomSuffixes(count, seed, prefixes));
  await writeNumbers(numbers, places);
  const catalogue = writeCatalogue(folder);
  const sort = (locale: string): Run =>
    run('sort', ['-u', '-o', join(folder, 'sorted.txt'), numbers], { LC_ALL: locale });
  const builds: Run[] = [];
  // Digits sort alike in every locale. In the C locale, `sort` compares bytes.
  const [sorts, byteSorts]: [Run[], Run[]] = [[], []];
  let built = '';
  for (let round = 0; round < rounds; round++) {
    const build = runNumgate('build', '--offline', catalogue, '--out', join(folder, 'out'));
    const summary = JSON.parse(build.stdout) as BuildSummary;
    // All numbers are distinct. A few numbers of 010-0000 are test numbers and are rejected.
    const listed = summary.lists[0]?.numbers ?? 0;
    const rejected = summary.inputs[0]?.rejected ?? 0;
    if (listed + rejected !== count || rejected > TEST_NUMBERS.length)
      throw new Error(`the build lists ${listed} of ${count} numbers and rejects ${rejected}`);
    built = summary.folder;
    builds.push(build);
    sorts.push(sort(UTF8));
    byteSorts.push(sort('C'));
  }
  const fastest = (runs: readonly Run[]): number => Math.min(...runs.map(({ seconds }) => seconds));
  const density = prefixes === 1 ? '' : `, ${prefixes} prefixes`;
  const name = `build, ${withCommas(count)} plain numbers, ${order} order${density}`;
  const ours = fastest(builds);
  const compare = (command: string, runs: readonly Run[], target: number | null = null): Row =>
    row(name, ours, 's', `${command}: ${fastest(runs).toFixed(1)} s`, ours / fastest(runs), target);
  const rows = [
    compare(`sort -u in ${UTF8}`, sorts, SORT_TARGET),
    compare('sort -u in C', byteSorts),
    row(`${name}: peak memory`, Math.max(...builds.map(({ gib }) => gib)), 'GiB', '', null, GIB_TARGET),
  ];
  return { rows, built };
}

function proveRows(built: string, count: number, { small, prefixes }: BenchOptions): Row[] {
  const { stdout, seconds, gib } = runNumgate('prove', built, ...(small ? ['--quick'] : []));
  const proof = JSON.parse(stdout) as { wrong: number; universe: number };
  if (proof.wrong !== 0) throw new Error(`${proof.wrong} wrong answers`);
  if (!small && proof.universe !== SUFFIX_COUNT)
    throw new Error(`only ${proof.universe} numbers of 010 were looked up`);
  const numbers = `${withCommas(proof.universe)} numbers of 010 looked up, ${withCommas(count)} listed`;
  const name = small ? 'prove --quick' : 'prove';
  return [
    row(name, seconds, 's', numbers, null, prefixes === 1 ? PROVE_TARGET_S : null),
    row(`${name}: peak memory`, gib, 'GiB', '', null, GIB_TARGET),
  ];
}

interface Run {
  readonly stdout: string;
  readonly seconds: number;
  /** Peak memory of the process with all its threads. 0 if the process does not report it. */
  readonly gib: number;
}

/** Runs a numgate command. It reports its own peak memory when it ends. */
function runNumgate(...args: string[]): Run {
  const report = join(PROJECT, 'bench', 'lib', 'report-peak-memory.ts');
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
    gib: Number(peak?.[1] ?? 0) / 2 ** 20,
  };
}
