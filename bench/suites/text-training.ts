/** How the time and memory of `numgate text train` grow with the number of texts. The texts that ship are real. */
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { sampleRows } from '../../cli/commands/text-sample.ts';
import { temporaryFolder } from '../../cli/temporary.ts';
import { csvLine } from '../../shared/csv.ts';
import type { BenchOptions } from '../lib/options.ts';
import { randomFrom } from '../lib/random-lists.ts';
import { type Row, row, withCommas } from '../lib/table.ts';

const COUNTS = [10_000, 20_000, 40_000, 70_000];
const COUNTS_SMALL = [8_000];
const SECONDS_MAX = 60;
const MIB_MAX = 1_024;
/** Rates that the smallest sample supports. */
const RATES = ['--review-rate', '0.05', '--suspicious-rate', '0.03'];
const OUTPUT_MAX = 1 << 24;

const run = promisify(execFile);

export async function textTraining({ seed, small }: BenchOptions): Promise<Row[]> {
  const { path, remove } = temporaryFolder('text-training');
  const lines = shuffled(sampleRows(), seed).map(
    ({ text, label, domain }) => `${csvLine([text, label, domain])}\n`,
  );
  const script = fileURLToPath(new URL('../lib/measure-text-training.ts', import.meta.url));
  const rows: Row[] = [];
  for (const count of small ? COUNTS_SMALL : COUNTS) {
    const file = join(path, `${count}.csv`);
    writeFileSync(file, `text,label,domain\n${lines.slice(0, count).join('')}`);
    const { stdout } = await run(
      process.execPath,
      [script, file, '--out', join(path, String(count)), ...RATES],
      {
        maxBuffer: OUTPUT_MAX,
      },
    );
    const { seconds, peak } = JSON.parse(stdout.slice(stdout.lastIndexOf('\n'))) as {
      seconds: number;
      peak: number;
    };
    const texts = withCommas(Math.min(count, lines.length));
    const mib = peak / 2 ** 20;
    rows.push(
      row(`text: train ${texts} texts`, seconds, 's', '6 fits, and the evaluation', null, SECONDS_MAX),
      row(`text: train ${texts} texts, peak memory`, mib, 'MiB', '', null, MIB_MAX),
    );
  }
  remove();
  return rows;
}

function shuffled<Item>(items: readonly Item[], seed: number): Item[] {
  const random = randomFrom(seed);
  return items
    .map((item) => ({ item, place: random() }))
    .sort((a, b) => a.place - b.place)
    .map(({ item }) => item);
}
