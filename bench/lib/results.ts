/** Writes `bench/RESULTS.md`: the rows of the last complete run, with the machine, the commit and the command. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { cpus, release, totalmem, type } from 'node:os';
import { join } from 'node:path';
import { PROJECT } from '../../cli/paths.ts';
import type { BenchOptions } from './options.ts';
import { skipped } from './skip-missing.ts';
import { COLUMNS, cellsOf, type Row } from './table.ts';

const RESULTS = join(PROJECT, 'bench', 'RESULTS.md');

/** @param command as it was given @param seconds duration of the run */
export function writeResults(
  rows: readonly Row[],
  { seed, prefixes, hits }: BenchOptions,
  command: string,
  seconds: number,
): void {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  const head = [line(COLUMNS), line(COLUMNS.map(() => '---'))];
  const table = [...head, ...rows.map((row) => line(cellsOf(row)))];
  const failed = rows.filter(({ pass }) => !pass);
  const text = [
    '# Results',
    '',
    'The command below wrote this file. All figures and baselines are from one run.',
    '[docs/performance.md](../docs/performance.md) explains them.',
    '',
    `- Command: \`${command}\`, ${Math.round(seconds)} s`,
    `- Commit: ${commit()}`,
    `- Machine: ${machine()}`,
    `- Seed ${seed}, prefixes ${prefixes}, share of hits ${hits}`,
    `- ${rows.length} rows, ${failed.length} of which do not reach their target`,
    ...skipped.map((message) => `- Left out: ${message}`),
    '',
    'If two things are measured in turns, their ratio is the median of the ratios of all rounds. The memory of the',
    'runtime is the memory of its whole process, not of one isolate. Everything runs on loopback, on one machine.',
    '',
    ...(failed.length === 0
      ? []
      : ['## Targets not reached', '', ...head, ...failed.map((row) => line(cellsOf(row))), '']),
    '## All rows',
    '',
    ...table,
    '',
  ];
  writeFileSync(RESULTS, text.join('\n'));
}

function machine(): string {
  const processors = cpus();
  const model = processors[0]?.model.trim() ?? 'unknown processor';
  const gib = (totalmem() / 2 ** 30).toFixed(0);
  return `${processors.length} x ${model}, ${gib} GiB, ${type()} ${release()}, Node ${process.versions.node}`;
}

/** The measured commit, and whether there were uncommitted changes. */
function commit(): string {
  const git = (...args: string[]): string =>
    execFileSync('git', args, { cwd: PROJECT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  try {
    const changed = git('status', '--porcelain', '--', ':!bench/RESULTS.md') !== '';
    return `${git('rev-parse', '--short', 'HEAD')}${changed ? ' with changes' : ''}`;
  } catch {
    return 'unknown';
  }
}
