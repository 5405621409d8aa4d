/**
 * `npm run bench -- [names]`: checks answers, then times them, and prints a table.
 */
import { Command, InvalidArgumentError, Option } from 'commander';
import { batchBench } from './batch.ts';
import { buildBench } from './build.ts';
import { bundleBench } from './bundle.ts';
import { coldBench } from './cold.ts';
import { sipBench } from './gateways-sip.ts';
import { gatewaysSmppBench } from './gateways-smpp.ts';
import { httpBench } from './http.ts';
import { loadBench } from './load.ts';
import { memoryBench } from './memory.ts';
import type { BenchOptions } from './options.ts';
import { priceBench } from './price.ts';
import { propagationBench } from './propagation.ts';
import { pushBench } from './push.ts';
import { queryBench } from './query.ts';
import { writeResults } from './results.ts';
import { type Row, tableOf } from './row.ts';
import { endServed } from './served.ts';
import { sizeBench } from './size.ts';
import { streamBench } from './stream.ts';
import { visibleBench } from './visible.ts';

type Bench = (options: BenchOptions) => Promise<Row[]>;

/** Size, speed, scale and price: what runs where no name is given. */
const SPEED: Record<string, Bench> = {
  size: sizeBench,
  query: queryBench,
  load: loadBench,
  cold: coldBench,
  memory: memoryBench,
  bundle: bundleBench,
  build: buildBench,
  push: pushBench,
  stream: streamBench,
  http: httpBench,
  batch: batchBench,
  price: priceBench,
};
/** Behaviour over time and behind gateways: by name, or `all`. */
const SERVICE: Record<string, Bench> = {
  visible: visibleBench,
  propagation: propagationBench,
  sip: sipBench,
  smpp: gatewaysSmppBench,
};
const BENCHES: Record<string, Bench> = { ...SPEED, ...SERVICE };
const ALL = 'all';

function chosenOf(names: readonly string[]): string[] {
  const chosen = names.length === 0 ? Object.keys(SPEED) : names;
  const known = Object.keys(BENCHES).join(', ');
  const unknown = chosen.find((name) => name !== ALL && BENCHES[name] === undefined);
  if (unknown !== undefined) program.error(`there is no bench ${unknown}; there are ${known}, ${ALL}`);
  return chosen.includes(ALL) ? Object.keys(BENCHES) : [...new Set(chosen)];
}

function within(low: number, high: number, isWhole: boolean) {
  return (text: string): number => {
    const value = Number(text);
    if (text.trim() === '' || !(value >= low && value <= high) || (isWhole && !Number.isInteger(value)))
      throw new InvalidArgumentError(
        `must be a ${isWhole ? 'whole ' : ''}number from ${low} to ${high.toLocaleString('en')}`,
      );
    return value;
  };
}

const NUMBERS_MAX = 50_000_000;
/** Behind how many heads of +82 10 and abroad the benches can make numbers. */
const HEADS_MAX = 900;
const readCount = within(1, NUMBERS_MAX, true);

const program = new Command('npm run bench --')
  .description('Measure numgate. Ratios are between figures of the same run.')
  .argument(
    '[names...]',
    `any of ${Object.keys(BENCHES).join(', ')}, or ${ALL} (default: ${Object.keys(SPEED).join(', ')})`,
  )
  .option('--small', 'small sizes, for CI: shows that the benches run, not what they promise', false)
  .option('--seed <number>', 'seed of the random lists', within(0, 2 ** 32 - 1, true), 20_261_124)
  .addOption(
    new Option('--numbers <counts>', 'sizes of the lists, with commas between')
      .argParser((text) => text.split(',').map(readCount))
      .default(null, 'each bench has its own'),
  )
  .option(
    '--heads <count>',
    'heads (of 10^8 numbers each) over which a list is spread',
    within(1, HEADS_MAX, true),
    1,
  )
  .option('--hits <share>', 'share of the asked numbers that are listed', within(0, 1, false), 0.1)
  .option('--json', 'print the rows as a JSON array; with npm run bench --silent nothing else', false)
  .action(async (given: string[], { json, ...options }: BenchOptions & { json: boolean }) => {
    const names = chosenOf(given);
    const start = performance.now();
    const rows: Row[] = [];
    try {
      for (const name of names) {
        process.stderr.write(`${name} …\n`);
        rows.push(...(await BENCHES[name]!(options)));
      }
    } finally {
      await endServed();
    }
    process.stdout.write(json ? `${JSON.stringify(rows, null, 2)}\n` : `${tableOf(rows)}\n`);
    // The file is of whole runs at full size only.
    const isWhole = Object.keys(SPEED).every((name) => names.includes(name));
    const command = ['npm run bench', ...process.argv.slice(2)].join(' ');
    if (isWhole && !options.small) writeResults(rows, options, command, (performance.now() - start) / 1000);
    // What a small run takes is no measure of anything.
    if (!options.small && rows.some(({ pass }) => !pass)) process.exitCode = 1;
  });

await program.parseAsync();
