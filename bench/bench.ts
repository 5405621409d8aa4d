/**
 * `npm run bench -- [names]`: checks answers, then times them, and prints a table.
 */
import { Command, InvalidArgumentError } from 'commander';
import { buildBench } from './build.ts';
import { sipBench } from './gateways-sip.ts';
import { gatewaysSmppBench } from './gateways-smpp.ts';
import { loadBench } from './load.ts';
import { propagationBench } from './propagation.ts';
import { queryBench } from './query.ts';
import { type Row, tableOf } from './row.ts';
import { sizeBench } from './size.ts';
import { streamBench } from './stream.ts';
import { visibleBench } from './visible.ts';

type Bench = (small: boolean, seed: number) => Promise<Row[]>;
const BENCHES: Record<string, Bench> = {
  size: sizeBench,
  query: queryBench,
  load: loadBench,
  build: buildBench,
  stream: streamBench,
  visible: visibleBench,
  propagation: propagationBench,
  sip: sipBench,
  smpp: gatewaysSmppBench,
};

const program = new Command('npm run bench --')
  .description('Measure numgate. Ratios are between figures of the same run.')
  .argument('[names...]', `any of ${Object.keys(BENCHES).join(', ')} (default: all)`)
  .option('--small', 'small sizes, for CI: shows that the benches run, not what they promise', false)
  .option('--seed <number>', 'seed of the random lists', Number, 20_261_124)
  .option('--json', 'print the rows as a JSON array', false)
  .action(async (names: string[], options: { small: boolean; seed: number; json: boolean }) => {
    const chosen = names.length === 0 ? Object.keys(BENCHES) : names;
    const unknown = chosen.find((name) => BENCHES[name] === undefined);
    if (unknown !== undefined) throw new InvalidArgumentError(`there is no bench ${unknown}`);
    const rows: Row[] = [];
    for (const name of chosen) {
      process.stderr.write(`${name} …\n`);
      rows.push(...(await BENCHES[name]!(options.small, options.seed)));
    }
    process.stdout.write(options.json ? `${JSON.stringify(rows, null, 2)}\n` : `${tableOf(rows)}\n`);
    if (rows.some(({ pass }) => !pass)) process.exitCode = 1;
  });

await program.parseAsync();
