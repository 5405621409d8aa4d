/** `npm run bench -- [names]`: checks results, then measures, and prints a table. */
import { Command, InvalidArgumentError, Option } from 'commander';
import { newSecrets } from '../cli/local/secrets.ts';
import { type BenchOptions, PREFIXES_MAX } from './lib/options.ts';
import { writeResults } from './lib/results.ts';
import { stopSharedService } from './lib/shared-service.ts';
import { formatTable, type Row, withCommas } from './lib/table.ts';
import { accessBench } from './suites/access.ts';
import { batchBench } from './suites/batch.ts';
import { bodiesBench } from './suites/bodies.ts';
import { buildBench } from './suites/build.ts';
import { bundleBench } from './suites/bundle.ts';
import { coldBench } from './suites/cold.ts';
import { credentialsBench } from './suites/credentials.ts';
import { httpBench } from './suites/http.ts';
import { loadBench } from './suites/load.ts';
import { memoryBench } from './suites/memory.ts';
import { parseBench } from './suites/parse.ts';
import { priceBench } from './suites/price.ts';
import { propagationBench } from './suites/propagation.ts';
import { pushBench } from './suites/push.ts';
import { queryBench } from './suites/query.ts';
import { registrationBench } from './suites/registration.ts';
import { reportsBench } from './suites/reports.ts';
import { sharingBench } from './suites/sharing.ts';
import { sipBench } from './suites/sip.ts';
import { sizeBench } from './suites/size.ts';
import { smppBench } from './suites/smpp.ts';
import { streamBench } from './suites/stream.ts';
import { textBench } from './suites/text.ts';
import { visibleBench } from './suites/visible.ts';

/** Options that describe the lists. */
const LIST_OPTIONS = ['numbers', 'prefixes', 'hits'] as const;
type ListOption = (typeof LIST_OPTIONS)[number];

interface Suite {
  readonly run: (options: BenchOptions) => Promise<Row[]>;
  /** What the suite measures, for `--help`. */
  readonly description: string;
  /** The list options that affect the suite. */
  readonly options: readonly ListOption[];
}

function suite(run: Suite['run'], description: string, ...options: ListOption[]): Suite {
  return { run, description, options };
}

/** Size, speed, scale and price: the default suites. */
const DEFAULT_SUITES: Record<string, Suite> = {
  size: suite(sizeBench, 'size of an exact set, compared with the entropy bound', 'numbers', 'prefixes'),
  query: suite(
    queryBench,
    'time of one lookup, compared with reading one bit of a bitmap',
    'numbers',
    'prefixes',
    'hits',
  ),
  parse: suite(parseBench, 'time to parse one written number, compared with libphonenumber-js'),
  load: suite(loadBench, 'time to verify and open all shards of a release', 'numbers', 'prefixes'),
  cold: suite(coldBench, 'time to the first verdict of a cold isolate', 'numbers'),
  memory: suite(memoryBench, 'memory of an isolate, with the swap of a release', 'numbers', 'prefixes'),
  bundle: suite(bundleBench, 'size and start-up time of the bundles'),
  build: suite(buildBench, 'time to build, compared with sort -u; time to prove', 'numbers', 'prefixes'),
  push: suite(pushBench, 'values and bytes that a daily push uploads', 'numbers'),
  stream: suite(streamBench, 'numbers per second in a stream', 'numbers', 'prefixes', 'hits'),
  http: suite(httpBench, 'single checks over HTTP, sent by wrk', 'numbers', 'prefixes', 'hits'),
  batch: suite(
    batchBench,
    'time of a batch, compared with parsing its JSON and with Redis',
    'numbers',
    'prefixes',
    'hits',
  ),
  price: suite(priceBench, 'price of a billion verdicts', 'numbers', 'prefixes', 'hits'),
};
/** All suites. The additional ones show behaviour over time, behind gateways and under attack. */
const SUITES: Record<string, Suite> = {
  ...DEFAULT_SUITES,
  access: suite(accessBench, 'cost of counting numbers, and which enumeration is recognised'),
  bodies: suite(bodiesBench, 'time of crafted bodies, compared with ordinary bodies', 'numbers'),
  visible: suite(visibleBench, 'time until a change is visible'),
  registration: suite(
    registrationBench,
    'registered senders: size, memory, time to build, CPU time of a check',
    'numbers',
  ),
  credentials: suite(
    credentialsBench,
    'sender credentials: size, memory, verifications, a flood, time until a refusal',
  ),
  reports: suite(
    reportsBench,
    'reports of spam: time until a block, appeals, exact counts despite killed processes',
  ),
  sharing: suite(
    sharingBench,
    'a second installation that follows the feed, notices, cost of a check, statistics',
  ),
  text: suite(textBench, 'text risk: cost, false matches of fingerprints, recall of a model'),
  propagation: suite(propagationBench, 'time until a change is visible in a simulated fleet'),
  sip: suite(sipBench, 'time that checks add to a SIP gateway'),
  smpp: suite(smppBench, 'time that checks add to an SMSC'),
};
const ALL = 'all';

function selectSuites(given: readonly string[]): string[] {
  const names = given.length === 0 ? Object.keys(DEFAULT_SUITES) : given;
  const unknown = names.find((name) => name !== ALL && !Object.hasOwn(SUITES, name));
  if (unknown !== undefined)
    program.error(`there is no suite "${unknown}"; use ${[...Object.keys(SUITES), ALL].join(', ')}`);
  return names.includes(ALL) ? Object.keys(SUITES) : [...new Set(names)];
}

/** Rejects an option that no selected suite uses, because it is probably a mistake. */
function rejectUnusedOptions(names: readonly string[]): void {
  for (const option of LIST_OPTIONS) {
    if (program.getOptionValueSource(option) !== 'cli') continue;
    const users = Object.keys(SUITES).filter((name) => SUITES[name]!.options.includes(option));
    if (!names.some((name) => users.includes(name)))
      program.error(`--${option} does not affect ${names.join(', ')}; use it with ${users.join(', ')}`);
  }
}

function numberFrom(low: number, high: number, isWhole: boolean) {
  return (text: string): number => {
    const value = Number(text);
    if (text.trim() === '' || !(value >= low && value <= high) || (isWhole && !Number.isInteger(value)))
      throw new InvalidArgumentError(
        `use a ${isWhole ? 'whole ' : ''}number from ${low} to ${withCommas(high)}`,
      );
    return value;
  };
}

const parseCount = numberFrom(1, 50_000_000, true);

const program = new Command('npm run bench --')
  .description(
    'Measure numgate. Each suite verifies the results before it measures. Ratios compare figures of one run.',
  )
  .argument('[names...]', `suites, or ${ALL} (default: size to price, about five minutes on two cores)`)
  .option('--small', 'use small sizes, for CI; targets do not apply', false)
  .option('--seed <number>', 'seed of the random lists', numberFrom(0, 2 ** 32 - 1, true), 20_261_124)
  .addOption(
    new Option('--numbers <counts>', 'sizes of the lists, separated by commas')
      .argParser((text) => text.split(',').map(parseCount))
      .default(null, 'sizes of each suite'),
  )
  .option(
    '--prefixes <count>',
    'number of prefixes (of 10^8 numbers each) that a list is spread over',
    numberFrom(1, PREFIXES_MAX, true),
    1,
  )
  .option('--hits <share>', 'share of looked-up numbers that are listed', numberFrom(0, 1, false), 0.1)
  .option('--json', 'print the rows as a JSON array (with npm run --silent bench, nothing else)', false)
  .action(async (given: string[], { json, ...options }: BenchOptions & { json: boolean }) => {
    const names = selectSuites(given);
    rejectUnusedOptions(names);
    // Builds here use new secrets, so an installation in this folder keeps its own.
    Object.assign(process.env, await newSecrets());
    const start = performance.now();
    const rows: Row[] = [];
    try {
      for (const name of names) {
        process.stderr.write(`${name} …\n`);
        rows.push(...(await SUITES[name]!.run(options)));
      }
    } finally {
      await stopSharedService();
    }
    process.stdout.write(json ? `${JSON.stringify(rows, null, 2)}\n` : `${formatTable(rows)}\n`);
    // Only complete runs at full size write the results file.
    const isComplete = Object.keys(DEFAULT_SUITES).every((name) => names.includes(name));
    const command = ['npm run bench', ...process.argv.slice(2)].join(' ');
    if (isComplete && !options.small)
      writeResults(rows, options, command, (performance.now() - start) / 1000);
    // The targets do not apply to small runs.
    if (!options.small && rows.some(({ pass }) => !pass)) process.exitCode = 1;
  });

const lines = Object.entries(SUITES).map(([name, { description, options }]) => {
  const flags = options.map((option) => `--${option}`).join(' ');
  return `  ${name.padEnd(13)}${description}${flags === '' ? '' : ` (${flags})`}`;
});
program.addHelpText('after', `\nSuites, and the options for lists that affect each:\n${lines.join('\n')}`);

await program.parseAsync();
