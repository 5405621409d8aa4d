/** `numgate completion`: prints the script that completes commands, options and their values in a shell. */
import { fileURLToPath } from 'node:url';
import { Argument, type Command } from 'commander';
import { shellWord } from '../terminal/shell-word.ts';
import { examples } from './options.ts';

/** The script calls this program, which runs no command: completion never contacts the service. */
const COMPLETE = fileURLToPath(new URL('../complete.ts', import.meta.url));

export function addCompletion(program: Command): void {
  program
    .command('completion')
    .description('print a script that completes numgate in your shell')
    .addArgument(new Argument('<shell>').choices(['bash', 'zsh', 'fish']))
    .addHelpText(
      'after',
      `
The script completes the word numgate. To use it for this project folder, define numgate as a function first:
  bash, zsh   numgate() { npx numgate "$@"; }; source <(npx numgate completion bash)
  fish        function numgate; npx numgate $argv; end; npx numgate completion fish | source
bash also needs the package bash-completion.`,
    )
    .addHelpText('after', examples('completion bash'))
    .action(async (shell: string) => {
      const { script } = await import('@bomb.sh/tab');
      script(shell, 'numgate', [process.execPath, COMPLETE].map(shellWord).join(' '));
      // Without this, bash completes no file names where the library leaves them to the shell.
      if (shell === 'bash') process.stdout.write('complete -o default -F __numgate_complete numgate\n');
    });
}
