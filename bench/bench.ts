/** `npm run bench -- [names]`: checks results, then measures, and prints a table. */
import { Command, InvalidArgumentError, Option } from 'commander';
import { newSecrets } from '../cli/local/secrets.ts';
import { batchBench } from './batch.ts';
import { bodiesBench } from './bodies.ts';
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

/** Options that describe the lists. */
const LIST_OPTIONS = ['numbers', 'heads', 'hits'] as const;
type ListOption = (typeof LIST_OPTIONS)[number];

interface Bench {
  readonly run: (options: BenchOptions) => Promise<Row[]>;
  /** What it measures, for `--help`. */
  readonly what: string;
  /** The options that affect it. */
  readonly heeds: readonly ListOption[];
}

/** Size, speed, scale and price: the default benchmarks. */
const SPEED: Record<string, Bench> = {
  size: {
    run: sizeBench,
    what: 'bytes of an exact set against the entropy bound',
    heeds: ['numbers', 'heads'],
  },
  query: { run: queryBench, what: 'one query against one bit', heeds: ['numbers', 'heads', 'hits'] },
  load: { run: loadBench, what: 'verify and open all shards', heeds: ['numbers', 'heads'] },
  cold: { run: coldBench, what: 'a cold isolate to its first verdict', heeds: ['numbers'] },
  memory: { run: memoryBench, what: 'memory of an isolate, and in a swap', heeds: ['numbers', 'heads'] },
  bundle: { run: bundleBench, what: 'size and start-up of the bundles', heeds: [] },
  build: { run: buildBench, what: 'build against sort -u; prove', heeds: ['numbers', 'heads'] },
  push: { run: pushBench, what: 'what a daily push uploads', heeds: ['numbers'] },
  stream: { run: streamBench, what: 'numbers a second of a stream', heeds: ['numbers', 'heads', 'hits'] },
  http: { run: httpBench, what: 'single checks by wrk', heeds: ['numbers', 'heads', 'hits'] },
  batch: { run: batchBench, what: 'batches against JSON and Redis', heeds: ['numbers', 'heads', 'hits'] },
  price: { run: priceBench, what: 'the price of a billion verdicts', heeds: ['numbers', 'heads', 'hits'] },
};
/** Behaviour over time, behind gateways and under attack: run by name, or with `all`. */
const SERVICE: Record<string, Bench> = {
  bodies: { run: bodiesBench, what: 'crafted bodies against ordinary ones', heeds: ['numbers'] },
  visible: { run: visibleBench, what: 'seconds until a change is seen', heeds: [] },
  propagation: { run: propagationBench, what: 'the same in a simulated fleet', heeds: [] },
  sip: { run: sipBench, what: 'what asking adds to a SIP gateway', heeds: [] },
  smpp: { run: gatewaysSmppBench, what: 'what asking adds to an SMSC', heeds: [] },
};
const BENCHES: Record<string, Bench> = { ...SPEED, ...SERVICE };
const ALL = 'all';

function chosenOf(names: readonly string[]): string[] {
  const chosen = names.length === 0 ? Object.keys(SPEED) : names;
  const known = Object.keys(BENCHES).join(', ');
  const unknown = chosen.find((name) => name !== ALL && !Object.hasOwn(BENCHES, name));
  if (unknown !== undefined) program.error(`there is no bench ${unknown}; there are ${known}, ${ALL}`);
  return chosen.includes(ALL) ? Object.keys(BENCHES) : [...new Set(chosen)];
}

/** Rejects an option that no selected benchmark uses, because it is probably a mistake. */
function refuseIdle(names: readonly string[]): void {
  for (const option of LIST_OPTIONS) {
    if (program.getOptionValueSource(option) !== 'cli') continue;
    if (names.some((name) => BENCHES[name]!.heeds.includes(option))) continue;
    const heeding = Object.keys(BENCHES).filter((name) => BENCHES[name]!.heeds.includes(option));
    program.error(`--${option} makes no difference to ${names.join(', ')}: it is for ${heeding.join(', ')}`);
  }
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
/** Number of prefixes, in +82 10 and abroad, for which the benchmarks can make numbers. */
const HEADS_MAX = 900;
const readCount = within(1, NUMBERS_MAX, true);

const program = new Command('npm run bench --')
  .description('Measure numgate. Ratios are between figures of the same run.')
  .argument(
    '[names...]',
    `benches, see below, or ${ALL} (default: size to price, some five minutes on two cores)`,
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
    refuseIdle(names);
    // Builds here use their own secrets. An installation in this folder keeps its own.
    Object.assign(process.env, await newSecrets());
    const start = performance.now();
    const rows: Row[] = [];
    try {
      for (const name of names) {
        process.stderr.write(`${name} …\n`);
        rows.push(...(await BENCHES[name]!.run(options)));
      }
    } finally {
      await endServed();
    }
    process.stdout.write(json ? `${JSON.stringify(rows, null, 2)}\n` : `${tableOf(rows)}\n`);
    // Only complete runs at full size write the file.
    const isWhole = Object.keys(SPEED).every((name) => names.includes(name));
    const command = ['npm run bench', ...process.argv.slice(2)].join(' ');
    if (isWhole && !options.small) writeResults(rows, options, command, (performance.now() - start) / 1000);
    // The targets do not apply to small runs.
    if (!options.small && rows.some(({ pass }) => !pass)) process.exitCode = 1;
  });

const benches = Object.entries(BENCHES).map(([name, { what, heeds }]) => {
  const options = heeds.map((option) => ` --${option}`).join('');
  return `  ${name.padEnd(13)}${what}${options === '' ? '' : ` (${options.trim()})`}`;
});
program.addHelpText('after', `\nBenches, and the options for lists that each heeds:\n${benches.join('\n')}`);

await program.parseAsync();
