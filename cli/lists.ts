/**
 * `npm run lists -- <command>`: what a list admin does. Results go to standard output, progress and
 * errors to standard error; exit codes are those of failure.ts.
 */
import { Command } from 'commander';
import { addAccess } from './menu/access.ts';
import { addEntries } from './menu/entries.ts';
import { addGateways } from './menu/gateways.ts';
import { addReleases } from './menu/releases.ts';
import { addService } from './menu/service.ts';
import * as report from './report.ts';

/** Exit codes after SIGINT and SIGPIPE, as shells have them. */
const INTERRUPTED = 130;
const PIPE_CLOSED = 141;

const program = new Command('npm run lists --')
  .description('Build, prove and publish the lists that numgate answers from, and change them now.')
  .option('--json', 'print one JSON object instead of text')
  .showHelpAfterError('(add --help for what there is)')
  .exitOverride()
  .configureHelp({ showGlobalOptions: true })
  .addHelpText(
    'after',
    `
NUMGATE_URL says where the service is (http://localhost:8787, or PORT), NUMGATE_TOKEN who asks (else the
token that npm start made). Exit codes: 0 done, 1 could not be done, 2 asked wrongly, 3 refused by a guard,
4 what was to be changed is not what it was taken for.`,
  );

const print = (text: string, value: object): void => {
  const isJson = program.opts<{ json?: boolean }>().json === true;
  process.stdout.write(isJson ? `${JSON.stringify(value)}\n` : text);
};

addReleases(program, print);
addEntries(program, print);
addService(program, print);
addAccess(program, print);
addGateways(program, print);

// Whoever read the output has seen enough: `audit export | head`.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(PIPE_CLOSED);
});

// By process.exit, so that temporary files are removed; a build that was being read leaves nothing.
process.once('SIGINT', () => process.exit(INTERRUPTED));
process.once('SIGTERM', () => process.exit(INTERRUPTED));

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = report.failure(error);
}
