/**
 * Real shells that complete a command line with the script of `numgate completion`. A shell that CI has installed must exist;
 * any other shell may be missing.
 */

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { skipMissing } from '../../../bench/lib/skip-missing.ts';
import { HANG_MS } from '../../shared/support/hang.ts';
import { FOLDER } from './workspace.ts';

const BASH_COMPLETION = '/usr/share/bash-completion/bash_completion';

export type Shell = 'bash' | 'zsh' | 'fish';

/** Runs a program in the folder of the test. @returns its output */
function run(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  input = '',
): string {
  const child = spawnSync(program, args, {
    cwd: FOLDER,
    input,
    env: { ...process.env, ...env },
    encoding: 'utf8',
    timeout: HANG_MS,
  });
  if (child.status !== 0)
    throw new Error(`${program} failed (${child.status}): ${child.stderr}${child.stdout}`);
  return child.stdout;
}

/** Whether a shell is installed. For bash, also the package that its script needs. */
export function isInstalled(shell: Shell): boolean {
  const peer = shell === 'bash' ? 'bash-completion' : shell;
  const found = spawnSync(shell, ['-c', 'exit 0']).status === 0;
  if (found && (shell !== 'bash' || existsSync(BASH_COMPLETION))) return true;
  skipMissing(peer, `completion in ${shell} is not tested: ${peer} is not installed`);
  return false;
}

/** The completions that a shell finds for the last word of a line. bash and zsh must find exactly one, and insert it. */
export function completions(shell: Shell, script: string, line: string): string[] {
  return { bash: inBash, zsh: inZsh, fish: inFish }[shell](script, line).filter((word) => word !== '');
}

/** Runs a script twice in a shell, without completing anything. @returns its output */
export function sourcedTwice(shell: Shell, script: string): string {
  const twice = `source ${script} && source ${script}`;
  const setup = {
    bash: `source ${BASH_COMPLETION}; (${twice}) 2>&1`,
    zsh: `autoload -Uz compinit; compinit -u -D; (${twice}) 2>&1`,
    fish: `begin; source ${script}; and source ${script}; end 2>&1`,
  }[shell];
  return run(shell, [{ bash: '--norc', zsh: '-f', fish: '--no-config' }[shell], '-c', setup]);
}

/**
 * Types the line, Tab and Enter on a terminal, because bash completes only there. Enter prints the completed line instead of
 * running it.
 */
function inBash(script: string, line: string, peer = `source ${BASH_COMPLETION}`): string[] {
  const setup = [
    peer,
    `source ${script}`,
    'show() { printf "@%s@" "$READLINE_LINE"; exit; }',
    'bind "set bell-style none" "set enable-bracketed-paste off"',
    `bind -x '"\\C-j": show'`,
    `bind -x '"\\C-m": show'`,
  ];
  writeFileSync(join(FOLDER, 'bashrc'), setup.join('\n'));
  const shell = `TERM=dumb bash --noprofile --rcfile ${join(FOLDER, 'bashrc')} -i`;
  return [lastWord(run('script', ['-qec', shell, '/dev/null'], {}, `${line}\t\n`))];
}

/** Completes like `inBash`, in a bash without the package bash-completion. */
export function completionsInPlainBash(script: string, line: string): string[] {
  return inBash(script, line, '');
}

function inFish(script: string, line: string): string[] {
  const lines = run('fish', ['--no-config', '-c', `source ${script}; complete --do-complete '${line}'`]);
  return lines.split('\n').map((completion) => completion.split('\t')[0]!);
}

/** Completes in zsh, like `inBash`. */
function inZsh(script: string, line: string): string[] {
  const folder = join(FOLDER, 'zsh');
  mkdirSync(folder, { recursive: true });
  const setup = [
    'autoload -Uz compinit; compinit -u -D',
    `source ${script}`,
    'show() { print -r -- "@$BUFFER@" }',
    'zle -N accept-line show',
    // By default, zsh itself expands the current word first.
    'bindkey "^I" complete-word',
    'setopt AUTO_LIST NO_BEEP',
    'PS1="ready> "',
  ];
  writeFileSync(join(folder, '.zshrc'), setup.join('\n'));
  const driver = [
    'zmodload zsh/zpty',
    'zpty shell zsh -o NO_GLOBAL_RCS -i',
    "zpty -r shell out '*ready> *'",
    `zpty -w -n shell $'${line}\\t\\n'`,
    "zpty -r shell out '*@*@*'",
    'print -r -- "$out"',
    'zpty -d shell',
  ];
  return [lastWord(run('zsh', ['-f', '-c', driver.join('\n')], { ZDOTDIR: folder, TERM: 'dumb' }))];
}

/** The last word of the line that a shell printed between markers. */
function lastWord(out: string): string {
  const completed = /@(numgate.*)@/.exec(out)?.[1] ?? '';
  return completed.trimEnd().split(' ').at(-1)!;
}
