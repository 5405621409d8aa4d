/**
 * How a command ends badly: with a sentence and an exit code, never with a stack.
 */

/**
 * 1: it could not be done. 2: it was asked wrongly (commander's own code for usage is 1; ours is 2).
 * 3: a guard refused it. 4: what it was to change is not what it was taken for.
 */
export type ExitCode = 1 | 2 | 3 | 4;

/** Code of a failure that has no other, by its exit code. */
const CODES: Readonly<Record<ExitCode, string>> = { 1: 'FAILED', 2: 'USAGE', 3: 'GUARD_HIT', 4: 'MOVED' };

/** An expected end of a command. The message names what is wrong and the way out. */
export class CommandFailure extends Error {
  override readonly name = 'CommandFailure';
  readonly exitCode: ExitCode;
  /** What a program is told besides: the guards that are hit, the items that are wrong. */
  readonly extras: Readonly<Record<string, unknown>>;

  constructor(message: string, exitCode: ExitCode = 1, extras: Readonly<Record<string, unknown>> = {}) {
    super(message);
    this.exitCode = exitCode;
    this.extras = extras;
  }

  /** What `--json` prints of it. */
  get told(): Readonly<Record<string, unknown>> {
    return { code: CODES[this.exitCode], message: this.message, exitCode: this.exitCode, ...this.extras };
  }
}

/** What the system calls by a code, as sentences. */
const SYSTEM: Readonly<Record<string, string>> = {
  EACCES: 'this user may not read or write it',
  EEXIST: 'is a file, and a folder is needed',
  EISDIR: 'is a folder, and a file is needed',
  ENOENT: 'is not there',
  ENOSPC: 'no space is left on the device',
  ENOTDIR: 'is a file, and a folder is needed',
  EPERM: 'this user may not read or write it',
};

/** Why a file cannot be used, in a sentence that goes behind its path. */
export function whyNot(error: unknown): string {
  if (!(error instanceof Error)) return 'cannot be read';
  const { code = '' } = error as NodeJS.ErrnoException;
  return SYSTEM[code] ?? error.message;
}

/** Digits in a text from outside that might be a number. */
const NUMBER_DIGITS_MIN = 5;
const QUOTE_CHARS_MAX = 64;

/** A text from outside, in quotes and short. Digits are hidden where it may hold a number. */
export function quoted(text: string): string {
  const short = text.slice(0, QUOTE_CHARS_MAX);
  const digits = text.match(/\p{Nd}/gu)?.length ?? 0;
  return `"${digits < NUMBER_DIGITS_MIN ? short : short.replace(/\p{Nd}/gu, '*')}"`;
}

/** Unwrap, or end the command. */
export function orFail<Value>(result: { ok: true; value: Value } | { ok: false; message: string }): Value {
  if (!result.ok) throw new CommandFailure(result.message);
  return result.value;
}
