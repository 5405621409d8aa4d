/**
 * Real shells that complete a command line with the script of `numgate completion`. A shell that CI has
 * installed must be there; any other one may be missing.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { skipMissing } from '../../../bench/lib/skip-missing.ts';
import { FOLDER } from './workspace.ts';

const BASH_COMPLETION = '/usr/share/bash-completion/bash_completion';

export type Shell = 'bash' | 'zsh' | 'fish';

/** Runs a program in the folder of the test. @returns its output */
function run(program: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): string {
  const child = spawnSync(program, args, {
    cwd: FOLDER,
    env: { ...process.env, ...env },
    encoding: 'utf8',
    timeout: 120_000,
  });
  if (child.status !== 0)
    throw new Error(`${program} failed (${child.status}): ${child.stderr}${child.stdout}`);
  return child.stdout;
}

/** Whether a shell is installed, and for bash the package that its script needs. */
export function isInstalled(shell: Shell): boolean {
  const peer = shell === 'bash' ? 'bash-completion' : shell;
  const found = spawnSync(shell, ['-c', 'exit 0']).status === 0;
  if (found && (shell !== 'bash' || existsSync(BASH_COMPLETION))) return true;
  skipMissing(peer, `completion in ${shell} is not tested: ${peer} is not installed`);
  return false;
}

/** The completions that a shell finds for the last word of a line. */
export function completions(shell: Shell, script: string, line: string): string[] {
  return { bash: inBash, zsh: inZsh, fish: inFish }[shell](script, line).filter((word) => word !== '');
}

function inBash(script: string, line: string): string[] {
  const words = line.split(' ');
  const commands = [
    `source ${BASH_COMPLETION}`,
    `source ${script}`,
    `COMP_LINE='${line}' COMP_POINT=${line.length} COMP_CWORD=${words.length - 1}`,
    `COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')})`,
    '__numgate_complete',
    // What readline does if the function finds nothing and its options leave file names to it.
    `if [ "\${#COMPREPLY[@]}" = 0 ] && complete -p numgate | grep -q 'o default'`,
    `then COMPREPLY=($(compgen -f -- '${words.at(-1)}')); fi`,
    `printf '%s\\n' "\${COMPREPLY[@]}"`,
  ];
  return run('bash', ['--norc', '-c', commands.join('\n')]).split('\n');
}

function inFish(script: string, line: string): string[] {
  const lines = run('fish', ['--no-config', '-c', `source ${script}; complete --do-complete '${line}'`]);
  return lines.split('\n').map((completion) => completion.split('\t')[0]!);
}

/** zsh completes only on a terminal: types the line, Tab and Enter, and reads the completed command. */
function inZsh(script: string, line: string): string[] {
  const folder = join(FOLDER, 'zsh');
  mkdirSync(folder, { recursive: true });
  const setup = [
    'autoload -Uz compinit; compinit -u -D',
    `source ${script}`,
    'numgate() { print -r -- "<$*>" }',
    'setopt AUTO_LIST NO_BEEP',
    'PS1="ready> "',
  ];
  writeFileSync(join(folder, '.zshrc'), setup.join('\n'));
  const driver = [
    'zmodload zsh/zpty',
    'zpty shell zsh -o NO_GLOBAL_RCS -i',
    "zpty -r shell out '*ready> *'",
    `zpty -w -n shell $'${line}\\t\\n'`,
    "zpty -r shell out '*<*>*'",
    'print -r -- "$out"',
    'zpty -d shell',
  ];
  const out = run('zsh', ['-f', '-c', driver.join('\n')], { ZDOTDIR: folder, TERM: 'dumb' });
  const completed = /<(.*)>/.exec(out)?.[1] ?? '';
  return [completed.split(' ').at(-1)!];
}
