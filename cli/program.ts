/**
 * The command line of a list admin: all commands, in groups. Results go to standard output, progress and
 * errors to standard error. failure.ts defines the exit codes.
 */
import { Command, Help } from 'commander';
import packageJson from '../package.json' with { type: 'json' };
import { failureReport } from './failure.ts';
import { FAMILIES, type Family } from './families.ts';
import { note, printError, write } from './terminal/output.ts';

/** The options of `Command.error`. */
type ErrorOptions = Parameters<Command['error']>[1];

/** Commander's handler of an unknown option. It is not in commander's types. */
const { unknownOption } = Command.prototype as unknown as { unknownOption(flag: string): void };

/** Suggests the right spelling for `--resaon=text` too, and does not repeat the value, which may be a number. */
class CommandLine extends Command {
  override createCommand(name?: string): Command {
    return new CommandLine(name);
  }

  unknownOption(flag: string): void {
    unknownOption.call(this, flag.replace(/=.*/s, ''));
  }

  /** Names a wrong argument as commander names a wrong option, and joins the rule that follows. */
  override error(message: string, options?: ErrorOptions): never {
    const wrong = /^error: command-argument value (.*) is invalid for argument '(.*?)'\. /s;
    const named = message.replace(wrong, "error: argument '<$2>' value $1 is invalid. ");
    return super.error(named.replace(' is invalid. must ', ' is invalid: it must '), options);
  }
}

/** The command line without its commands. */
function emptyProgram(): Command {
  return new CommandLine('npx numgate')
    .description('Build, prove and publish lists, make live changes, and manage clients, tokens and policy.')
    .version(packageJson.version, '--version', 'print the version')
    .option('--json', 'print one JSON object instead of text; on failure it has "error"')
    .helpOption('-h, --help', 'show the help of this command')
    .helpCommand('help [command]', 'show the help of a command')
    .showHelpAfterError('(see --help)')
    .exitOverride()
    .configureOutput({ writeOut: write, writeErr: note })
    .configureHelp({
      showGlobalOptions: true,
      // Leave out `(default: false)`, which says nothing about a flag.
      optionDescription(option) {
        const text = Help.prototype.optionDescription.call(this, option);
        return option.defaultValue === false ? text.replace(' (default: false)', '') : text;
      },
    })
    .addHelpText(
      'after',
      `
Environment:
  NUMGATE_URL    URL of the service (default: http://localhost:<port>, with the port from PORT or from npm start)
  NUMGATE_TOKEN  admin token (default: the token that npm start created, only for the service that it runs)

Exit codes: 0 success, 1 failure, 2 invalid usage, 3 refused by a guard, 4 the target changed since you looked,
5 waits for a second person (npx numgate approve).
Errors go to standard error. With --json, a command that fails before it has printed a result also prints
{"error": {"code", "message", "exitCode", …}} to standard output.`,
    );
}

/**
 * Commander's description of the command line.
 * @param args only the family of this command line's command is loaded; without a known command, all families are
 */
export async function programFor(args: readonly string[]): Promise<Command> {
  const name = args.find((word) => !word.startsWith('-'));
  const isNamed = ({ commands }: Family): boolean => name !== undefined && commands.includes(name);
  const hasName = Object.values(FAMILIES).flat().some(isNamed);
  const program = emptyProgram();
  for (const [heading, families] of Object.entries(FAMILIES)) {
    program.commandsGroup(heading);
    for (const family of hasName ? families.filter(isNamed) : families) (await family.load())(program);
  }
  return program;
}

/** Runs a command line and prints its failure. @returns the exit code */
export async function run(args: readonly string[]): Promise<number> {
  try {
    const program = await programFor(args);
    await program.parseAsync(args, { from: 'user' });
    return 0;
  } catch (thrown) {
    const { exitCode, text, error } = failureReport(thrown);
    note(text);
    if (error !== null) printError(error);
    return exitCode;
  }
}
