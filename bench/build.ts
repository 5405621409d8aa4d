/**
 * The whole command `lists build` over a file of plain numbers: wall time and peak memory of the
 * process, against `sort -u` of the same file.
 */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PROJECT } from '../cli/paths.ts';
import { localSecrets } from '../cli/secrets.ts';
import { TAILS } from '../shared/numbers/number.ts';
import type { BenchOptions } from './options.ts';
import { type Row, row } from './row.ts';
import { hasTail, randomTails } from './sets.ts';

/** Issue: 10 million plain numbers in under a minute and under 1.5 GiB. */
const SECONDS_REACH = 60;
const GIB_REACH = 1.5;

export async function buildBench({ small, seed }: BenchOptions): Promise<Row[]> {
  const count = small ? 500_000 : 10_000_000;
  await localSecrets();
  const folder = mkdtempSync(join(tmpdir(), 'numgate-bench-'));
  try {
    const numbers = join(folder, 'numbers.txt');
    await writeNumbers(numbers, count, seed);
    const catalogue = join(folder, 'lists.json');
    const lists = [{ name: 'bench', reason: 'NUMBER_SUSPENDED', authority: 'bench' }];
    writeFileSync(catalogue, JSON.stringify({ lists, inputs: [{ file: 'numbers.txt', list: 'bench' }] }));
    const ours = run(process.execPath, [
      'cli/lists.ts',
      '--json',
      'build',
      '--offline',
      catalogue,
      '--out',
      join(folder, 'out'),
    ]);
    const built = JSON.parse(ours.stdout) as { lists: { numbers: number }[] };
    if (built.lists[0]?.numbers !== count) throw new Error('the build lost numbers');
    const sort = run('sort', ['-u', '-o', join(folder, 'sorted.txt'), numbers]);
    const name = `build, ${count.toLocaleString('en')} plain numbers`;
    return [
      row(
        name,
        ours.seconds,
        's',
        `sort -u: ${sort.seconds.toFixed(1)} s`,
        ours.seconds / sort.seconds,
        null,
      ),
      row(`${name}, time`, ours.seconds, 's', '', null, SECONDS_REACH),
      row(`${name}, peak memory`, ours.gib, 'GiB', '', null, GIB_REACH),
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function writeNumbers(path: string, count: number, seed: number): Promise<void> {
  const bits = randomTails(count, seed);
  const file = createWriteStream(path);
  let text = '';
  for (let tail = 0; tail < TAILS; tail++) {
    if (!hasTail(bits, tail)) continue;
    text += `010${String(tail).padStart(8, '0')}\n`;
    if (text.length < 1 << 20) continue;
    if (!file.write(text)) await once(file, 'drain');
    text = '';
  }
  file.end(text);
  await once(file, 'close');
}

/** Run a command under GNU or BSD-free accounting: the child reports its own peak through getrusage. */
function run(command: string, args: string[]): { stdout: string; seconds: number; gib: number } {
  const start = performance.now();
  const report = join(PROJECT, 'bench', 'peak-memory.ts');
  const env = { ...process.env, NODE_OPTIONS: '' };
  const wrapped = command === process.execPath ? ['--import', report, ...args] : args;
  const child = spawnSync(command, wrapped, { cwd: PROJECT, env, encoding: 'utf8', maxBuffer: 1 << 26 });
  if (child.status !== 0) throw new Error(`${command} failed: ${child.stderr}`);
  const peak = /peak-memory-kib (\d+)/.exec(child.stderr);
  return {
    stdout: child.stdout,
    seconds: (performance.now() - start) / 1000,
    gib: peak === null ? 0 : Number(peak[1]) / 2 ** 20,
  };
}
