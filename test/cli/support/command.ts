/**
 * Runs the command line: in this process, which takes milliseconds, or in a separate process, like an admin.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { vi } from 'vitest';

const NUMGATE = fileURLToPath(new URL('../../../cli/numgate.ts', import.meta.url));

export interface CommandResult {
  readonly code: number | null;
  readonly out: string;
  readonly errors: string;
}

/** Starts a command. @param input `pipe` to write its standard input @returns the process, and its result */
export function start(
  args: readonly string[],
  input: 'ignore' | 'pipe' = 'ignore',
): { child: ChildProcess; result: Promise<CommandResult> } {
  const child = spawn(process.execPath, [NUMGATE, ...args], {
    env: { ...process.env, NO_COLOR: '1' },
    stdio: [input, 'pipe', 'pipe'],
  });
  let out = '';
  let errors = '';
  child.stdout!.on('data', (chunk: Buffer) => {
    out += chunk.toString();
  });
  child.stderr!.on('data', (chunk: Buffer) => {
    errors += chunk.toString();
  });
  const result = new Promise<CommandResult>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, out, errors }));
  });
  return { child, result: result };
}

/** Runs a command in its own process. */
export function spawnNumgate(...args: readonly string[]): Promise<CommandResult> {
  return start(args).result;
}

let last: Promise<unknown> = Promise.resolve();

/** Runs a command in this process. Calls run one after another. */
export function numgate(...args: readonly string[]): Promise<CommandResult> {
  const result = last.then(() => runHere(args));
  last = result.catch(() => undefined);
  return result;
}

async function runHere(args: readonly string[]): Promise<CommandResult> {
  const { run } = await import('../../../cli/program.ts');
  const { argv } = process;
  process.argv = [process.execPath, NUMGATE, ...args];
  process.env.NO_COLOR = '1';
  const written = { out: '', errors: '' };
  const capture = (stream: NodeJS.WriteStream, name: keyof typeof written) =>
    vi.spyOn(stream, 'write').mockImplementation((text) => {
      written[name] += String(text);
      return true;
    });
  const spies = [capture(process.stdout, 'out'), capture(process.stderr, 'errors')];
  try {
    return { code: await run(args), ...written };
  } finally {
    for (const spy of spies) spy.mockRestore();
    process.argv = argv;
  }
}
