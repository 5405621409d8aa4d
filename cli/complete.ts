/**
 * Answers a request of a completion script: `complete.ts complete -- <words>`, the last word unfinished. It
 * reads the commands and runs none of them, so it contacts neither the service nor the network.
 */
import { enableCompileCache } from 'node:module';
import type { Command } from 'commander';
import { COMPILED } from './paths.ts';

enableCompileCache(COMPILED);
const [{ programFor }, { default: describe }] = await Promise.all([
  import('./program.ts'),
  import('@bomb.sh/tab/commander'),
]);

/** Arguments that are paths. The shell completes them after directive 0 of the protocol. */
const PATHS = ['catalogue', 'file', 'folder'];
const COMPLETE_FILES = ':0\n';

/** Whether the last word is a path: the value of an option, or an argument. */
function expectsPath(program: Command, words: readonly string[]): boolean {
  const [last = '', previous = ''] = [words.at(-1), words.at(-2)];
  let command: Command = program;
  for (const word of words.slice(0, -1))
    command = command.commands.find((each) => each.name() === word) ?? command;
  const option = command.options.find(({ long }) => long === previous);
  if (option !== undefined && (option.required || option.optional))
    return /<(file|folder)>/.test(option.flags);
  return (
    !last.startsWith('-') && command.registeredArguments.some((argument) => PATHS.includes(argument.name()))
  );
}

const words = process.argv.slice(process.argv.indexOf('--') + 1);
// The last word may be the beginning of another command's name.
const program = await programFor(words.slice(0, -1));
if (expectsPath(program, words)) {
  process.stdout.write(COMPLETE_FILES);
} else {
  const description = describe(program);
  // Remove the command that the library adds for its own scripts.
  description.commands.delete('complete');
  for (const command of description.commands.values()) command.option('json', 'print one JSON object');
  description.parse(words);
}
