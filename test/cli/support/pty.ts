/** Runs a command on its own terminal: with `script` of util-linux, or with Python's module `pty`. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { vi } from 'vitest';
import { skipMissing } from '../../../bench/lib/skip-missing.ts';
import { HANG_MS } from '../../shared/support/hang.ts';

const NUMGATE = fileURLToPath(new URL('../../../cli/numgate.ts', import.meta.url));

const HIDE_CURSOR = '\u001b[?25l';

const PYTHON = 'import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))';

type Runner = (command: string) => readonly string[];

function findRunner(): Runner | null {
  const version = spawnSync('script', ['--version'], { encoding: 'utf8' });
  if (version.stdout?.includes('util-linux'))
    return (command) => ['script', '--quiet', '--return', '--command', command, '/dev/null'];
  if (spawnSync('python3', ['-c', 'import pty']).status === 0)
    return (command) => ['python3', '-c', PYTHON, 'sh', '-c', command];
  skipMissing('script', 'the terminal after Ctrl-C is not tested: neither script nor python3 is installed');
  return null;
}

const runner = findRunner();

export const hasPty = runner !== null;

export interface TerminalRun {
  /** Everything that the terminal has received so far. */
  readonly screen: () => string;
  readonly child: ChildProcess;
  /** Process ID of the command itself. */
  readonly pid: () => number;
  /** Exit code. Resolves when the terminal is closed. */
  readonly end: Promise<number | null>;
}

/**
 * Starts a numgate command.
 * @param title of a progress bar. The command may show other bars first, and restores the terminal between them
 * @returns once the terminal shows the bar, or the command has ended
 */
export async function startOnTerminal(title: string, ...args: readonly string[]): Promise<TerminalRun> {
  const words = [process.execPath, NUMGATE, ...args].map((word) => `'${word}'`).join(' ');
  const [program, ...rest] = runner!(`echo pid=$$; exec ${words}`);
  const child = spawn(program!, rest, { env: { ...process.env, TERM: 'xterm', SHELL: '/bin/sh' } });
  let screen = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      screen += chunk.toString();
    });
  const end = new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  const run = { screen: () => screen, child, pid: () => Number(/pid=(\d+)/.exec(screen)![1]), end };
  const isShown = (): boolean => screen.includes(title) && !isRestored(screen);
  await vi.waitUntil(() => isShown() || child.exitCode !== null, HANG_MS);
  return run;
}

/** Whether cursor and line wrap are on. The last code for each one decides. */
export function isRestored(screen: string): boolean {
  const last = (on: string, off: string): boolean => screen.lastIndexOf(on) > screen.lastIndexOf(off);
  return last('\u001b[?25h', HIDE_CURSOR) && last('\u001b[?7h', '\u001b[?7l');
}
