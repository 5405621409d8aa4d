/**
 * The command line of a list admin: what it has, and how it ends. Results go to standard output, progress and
 * errors to standard error; exit codes are those of failure.ts.
 */
import { Command, Help } from 'commander';
import { addAccess } from './menu/access.ts';
import { addEntries } from './menu/entries.ts';
import { addGateways } from './menu/gateways.ts';
import { addReleases } from './menu/releases.ts';
import { addService } from './menu/service.ts';
import { hasWritten, write } from './output.ts';
import * as report from './report.ts';

/** Exit codes after SIGINT and SIGPIPE, as shells have them. */
const INTERRUPTED = 130;
const PIPE_CLOSED = 141;

const program = new Command('npm run lists --')
  .description('Build, prove and publish the lists that numgate answers from, and change them now.')
  .option('--json', 'print one JSON object instead of text; of a failure, one with "error"')
  .showHelpAfterError('(see --help)')
  .exitOverride()
  .configureHelp({
    showGlobalOptions: true,
    optionDescription(option) {
      const told = Help.prototype.optionDescription.call(this, option);
      return option.mandatory ? `${told} (required)` : told;
    },
  })
  .addHelpText(
    'after',
    `
NUMGATE_URL says where the service is (http://localhost:8787, or PORT), NUMGATE_TOKEN who asks (on this machine
else the token that npm start made). Exit codes: 0 done, 1 could not be done, 2 asked wrongly, 3 refused by a guard,
4 what was to be changed is not what it was taken for. A failure is told on standard error; with --json also as
{"error": {"code", "message", "exitCode", …}} on standard output, where no result was printed there before.`,
  );

// Also of a command line that cannot be read.
const isJson = process.argv.includes('--json');
const print = (text: string, value: object): void => {
  write(isJson ? `${JSON.stringify(value)}\n` : text);
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
  const { exitCode, text, value } = report.failed(error);
  process.stderr.write(text);
  if (isJson && value !== null && !hasWritten()) print('', value);
  process.exitCode = exitCode;
}
