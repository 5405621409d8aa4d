/** How a command fails: with a message and an exit code, never with a stack trace. */

import type { Failure, Result } from '../shared/result.ts';

/**
 * Exit codes: 1 the command failed, 2 invalid usage (commander itself uses 1), 3 a guard refused the change,
 * 4 the target changed since you looked.
 */
export type ExitCode = 1 | 2 | 3 | 4;

/** Default error code for each exit code. */
const CODES: Readonly<Record<ExitCode, string>> = { 1: 'FAILED', 2: 'USAGE', 3: 'GUARD_HIT', 4: 'MOVED' };

/** An expected failure. The message says what is wrong and what to do. */
export class CommandFailure extends Error {
  override readonly name = 'CommandFailure';
  readonly exitCode: ExitCode;
  /** Extra data for programs: the guards that are hit, the items that are wrong. */
  readonly extras: Readonly<Record<string, unknown>>;

  constructor(message: string, exitCode: ExitCode = 1, extras: Readonly<Record<string, unknown>> = {}) {
    super(message);
    this.exitCode = exitCode;
    this.extras = extras;
  }

  /** The error as `--json` prints it. */
  get details(): Readonly<Record<string, unknown>> {
    return { code: CODES[this.exitCode], message: this.message, exitCode: this.exitCode, ...this.extras };
  }
}

/** Messages for system error codes. */
const SYSTEM: Readonly<Record<string, string>> = {
  EACCES: 'this user may not read or write it',
  EEXIST: 'is a file, and a folder is needed',
  EISDIR: 'is a folder, and a file is needed',
  ENOENT: 'is not there',
  ENOSPC: 'no space is left on the device',
  ENOTDIR: 'is a file, and a folder is needed',
  EPERM: 'this user may not read or write it',
};

/** Why a file cannot be used, to follow its path in a message. */
export function describeFileError(error: unknown): string {
  if (!(error instanceof Error)) return 'cannot be read';
  const { code = '' } = error as NodeJS.ErrnoException;
  return SYSTEM[code] ?? error.message;
}

/** With at least this many digits, untrusted text might hold a number. */
const NUMBER_DIGITS_MIN = 5;
const QUOTE_CHARS_MAX = 64;

/** Untrusted text in quotes, shortened. Digits are masked if the text may hold a number. */
export function quoted(text: string): string {
  const short = text.slice(0, QUOTE_CHARS_MAX);
  const digits = text.match(/\p{Nd}/gu)?.length ?? 0;
  return `"${digits < NUMBER_DIGITS_MIN ? short : short.replace(/\p{Nd}/gu, '*')}"`;
}

/** Returns the value, or fails the command. */
export function unwrap<Value>(result: Result<Value, Failure>): Value {
  if (!result.ok) throw new CommandFailure(result.message);
  return result.value;
}
