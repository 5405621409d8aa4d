/**
 * `npm run lists -- <command>`: what a list admin does. Results go to standard output, progress and
 * errors to standard error; exit code 0 done, 1 could not be done, 2 asked wrongly.
 */
import { Command, InvalidArgumentError, Option } from 'commander';
import { FAIL_POLICIES, MODES, RIGHTS } from '../shared/clients.ts';
import { BuildFolder, newestBuild } from './build-folder.ts';
import { build } from './commands/build.ts';
import { addClient, type ClientWishes, listClients, removeClient, rotateClient } from './commands/clients.ts';
import { prove, QUICK_STEP } from './commands/prove.ts';
import { type PushSettings, push } from './commands/push.ts';
import { sample } from './commands/sample.ts';
import { status } from './commands/status.ts';
import { CommandFailure } from './failure.ts';
import { BUILDS, DEMO_CATALOGUE } from './paths.ts';
import * as report from './report.ts';
import type { Target } from './wrangler.ts';

/** Exit code after SIGINT, as shells have it. */
const INTERRUPTED = 130;

function wholeNumber(text: string): number {
  const value = Number(text.replaceAll(/[_,]/g, ''));
  if (!/\d/.test(text) || !Number.isSafeInteger(value) || value < 0)
    throw new InvalidArgumentError('must be a whole number');
  return value;
}

function share(text: string): number {
  const value = Number(text);
  if (!/\d/.test(text) || !(value >= 0 && value <= 1))
    throw new InvalidArgumentError('must be between 0 and 1');
  return value;
}

function words(text: string): string[] {
  return text
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '');
}

const program = new Command('npm run lists --')
  .description('Build, prove and publish the lists that numgate answers from.')
  .option('--json', 'print one JSON object instead of text')
  .showHelpAfterError('(add --help for what there is)')
  .exitOverride()
  .configureHelp({ showGlobalOptions: true });

const print = (text: string, value: object): void => {
  process.stdout.write(
    program.opts<{ json?: boolean }>().json === true ? `${JSON.stringify(value)}\n` : text,
  );
};

/** Options that say which KV a command means. */
function targeted(command: Command): Command {
  return command
    .option('--remote', 'the KV of the wrangler login, not the local one', false)
    .option('--env <name>', 'environment of wrangler.toml', '');
}

const folderOf = (path: string | undefined): BuildFolder =>
  path === undefined ? newestBuild(BUILDS) : new BuildFolder(path);

program
  .command('build')
  .description('build a signed release from the files of a catalogue')
  .argument('[catalogue]', 'catalogue of lists and inputs (JSON)', DEMO_CATALOGUE)
  .option('--out <folder>', 'folder for built releases', BUILDS)
  .option('--max-rejects <share>', 'share of a file that may be rejected', share, 0.01)
  .option('--allow-empty', 'take a file that lists nothing for what it says', false)
  .action(
    async (
      catalogue: string,
      { out, ...options }: { out: string; maxRejects: number; allowEmpty: boolean },
    ) => {
      const outcome = await build({ catalogue, builds: out, ...options });
      print(...report.built(outcome));
    },
  );

program
  .command('prove')
  .description('ask a built release every number of 010 and every listed number; wrong answers must be 0')
  .argument('[folder]', 'folder of the build (default: the newest)')
  .option('--quick', `ask one number of 010 in ${QUICK_STEP}, and every listed one: no proof for push`, false)
  .action(async (path: string | undefined, { quick }: { quick: boolean }) => {
    const outcome = await prove(folderOf(path), quick ? QUICK_STEP : 1);
    print(...report.proven(outcome));
    if (outcome.wrong !== 0) throw new CommandFailure('the release must not be published');
  });

targeted(program.command('push'))
  .description('publish a proven release: upload what is new, then make it current')
  .argument('[folder]', 'folder of the build (default: the newest)')
  .option('--all', 'upload every value, also those that the current release has in KV already', false)
  .option('--replace-head', 'write a new head over a damaged one', false)
  .option('--unproven', 'publish without a whole proof', false)
  .action(
    async (path: string | undefined, { remote, env, ...how }: Target & Omit<PushSettings, 'target'>) => {
      print(...report.pushed(await push(folderOf(path), { target: { remote, env }, ...how })));
    },
  );

targeted(program.command('status'))
  .description('show the current release and what the service answers from (NUMGATE_URL)')
  .action(async (target: Target) => print(...report.statusOf(await status(target))));

program
  .command('sample')
  .description('make a seeded list of suspended and terminated Korean numbers')
  .option('--size <numbers>', 'how many, up to 40,000,000', wholeNumber, 1_000_000)
  .option('--seed <number>', 'same seed, same list', wholeNumber, 1)
  .option('--out <file>', 'gzipped CSV to write', 'build/demo/kr-sample.csv.gz')
  .action(async (options: { size: number; seed: number; out: string }) => {
    await sample(options);
    print(`${options.size.toLocaleString('en')} numbers in ${options.out}\n`, options);
  });

const clients = program.command('clients').description('who may ask: keys, rights and wishes');

targeted(clients.command('list'))
  .description('show the clients')
  .action(async (target: Target) => print(...report.clientsOf(await listClients(target))));

targeted(clients.command('add'))
  .description('make a client and print its key, once')
  .argument('<id>', 'lower case letters, digits and dashes')
  .option('--rights <list>', `of ${RIGHTS.join(', ')}`, words, ['check'])
  .addOption(new Option('--fail-policy <policy>', 'on indeterminate').choices(FAIL_POLICIES))
  .addOption(new Option('--mode <mode>', 'how strictly to answer').choices(MODES))
  .option('--max-stale-seconds <seconds>', 'oldest data that is good enough', wholeNumber)
  .option('--quota-items <items>', 'items a minute', wholeNumber)
  .option('--short-codes <list>', 'Korean short codes the client owns', words)
  .action(async (id: string, { remote, env, ...wishes }: Target & ClientWishes) => {
    const key = await addClient(id, wishes, { remote, env });
    print(`${key}\n`, { id, key });
  });

targeted(clients.command('rotate'))
  .description('give a client a second key; the one before stays valid until the next rotation')
  .argument('<id>')
  .action(async (id: string, target: Target) => {
    const key = await rotateClient(id, target);
    print(`${key}\n`, { id, key });
  });

targeted(clients.command('remove'))
  .description('end a client')
  .argument('<id>')
  .action(async (id: string, target: Target) => {
    await removeClient(id, target);
    print(`${id} removed\n`, { id, removed: true });
  });

// By process.exit, so that temporary files are removed; a build that was being read leaves nothing.
process.once('SIGINT', () => process.exit(INTERRUPTED));
process.once('SIGTERM', () => process.exit(INTERRUPTED));

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = report.failure(error);
}
