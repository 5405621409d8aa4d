/**
 * The command line of a list admin. Results go to standard output, progress and errors to standard error.
 * failure.ts defines the exit codes.
 */
import { Command, Help } from 'commander';
import { addAccess } from './menu/access.ts';
import { addEntries } from './menu/entries.ts';
import { addGateways } from './menu/gateways.ts';
import { addReleases } from './menu/releases.ts';
import { addService } from './menu/service.ts';
import * as report from './report.ts';
import { hasWritten, write } from './terminal/output.ts';

/** Exit codes after SIGINT and SIGPIPE, as in shells. */
const INTERRUPTED = 130;
const PIPE_CLOSED = 141;

const program = new Command('npx numgate')
  .description('Build, prove and publish lists, make live changes, and manage clients, tokens and policy.')
  .option('--json', 'print one JSON object instead of text; on failure it has "error"')
  .showHelpAfterError('(see --help)')
  .exitOverride()
  .configureHelp({
    showGlobalOptions: true,
    optionDescription(option) {
      const reported = Help.prototype.optionDescription.call(this, option);
      return option.mandatory ? `${reported} (required)` : reported;
    },
  })
  .addHelpText(
    'after',
    `
Environment:
  NUMGATE_URL    URL of the service (default: http://localhost:8787, or the port in PORT)
  NUMGATE_TOKEN  admin token (default on this machine: the token that npm start created)

Exit codes: 0 success, 1 failure, 2 wrong usage, 3 refused by a guard, 4 the state to be changed has moved meanwhile.
Errors go to standard error. With --json, a command that has printed no result also prints
{"error": {"code", "message", "exitCode", …}} to standard output.`,
  );

// Checked here, so that it also works for an invalid command line.
const isJson = process.argv.includes('--json');
const print = (text: string, value: object): void => {
  write(isJson ? `${JSON.stringify(value)}\n` : text);
};

program.commandsGroup('Lists:');
addReleases(program, print);
program.commandsGroup('Live changes:');
addEntries(program, print);
program.commandsGroup('Monitoring:');
addService(program, print);
program.commandsGroup('Clients and tokens:');
addAccess(program, print);
program.commandsGroup('Policy:');
addGateways(program, print);

// The reader closed the pipe, as in `audit export | head`.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(PIPE_CLOSED);
});

// process.exit runs the exit handlers, which remove temporary files. An interrupted build leaves nothing
// behind.
process.once('SIGINT', () => process.exit(INTERRUPTED));
process.once('SIGTERM', () => process.exit(INTERRUPTED));

try {
  await program.parseAsync();
} catch (error) {
  const { exitCode, text, value } = report.failureReport(error);
  process.stderr.write(text);
  if (isJson && value !== null && !hasWritten()) print('', value);
  process.exitCode = exitCode;
}
