/**
 * How a command fails: with a message and an exit code, never with a stack trace. The only place that maps
 * failures to exit codes and to the error object of `--json`.
 */
import { CommanderError } from 'commander';
import type * as v from 'valibot';
import type { PendingChange } from '../shared/proposals.ts';
import type { Failure, Result } from '../shared/result.ts';
import { validateJson } from '../shared/validate-json.ts';
import { styleText, visible } from './terminal/visible.ts';

/**
 * Exit codes: 1 the command failed, 2 invalid usage (commander itself uses 1), 3 a guard refused the change,
 * 4 the target changed since you looked, 5 the change waits for a second person.
 */
export type ExitCode = 1 | 2 | 3 | 4 | 5;

/** Default error code for each exit code. */
const CODES: Readonly<Record<ExitCode, string>> = {
  1: 'FAILED',
  2: 'USAGE',
  3: 'GUARD_HIT',
  4: 'MOVED',
  5: 'APPROVAL_PENDING',
};

/** An expected failure. The message says what is wrong and what to do. */
export class CommandFailure extends Error {
  override readonly name = 'CommandFailure';
  readonly exitCode: ExitCode;
  /** Extra data for programs: the guards that are hit, the items that are wrong. */
  readonly extras: Readonly<Record<string, unknown>>;

  constructor(message: string, exitCode: ExitCode = 1, extras: object = {}) {
    super(message);
    this.exitCode = exitCode;
    this.extras = { ...extras };
  }

  /** The error as `--json` prints it. The service sends its own code and message. */
  get details(): Readonly<Record<string, unknown>> {
    return { code: CODES[this.exitCode], message: this.message, exitCode: this.exitCode, ...this.extras };
  }
}

/** The failure of a change that waits for a second person. */
export function waitingFailure({ proposal }: PendingChange): CommandFailure {
  const { id, kinds, endsAt, sha256 } = proposal;
  const lines = [
    `nothing has changed yet: the change waits for a second person (${kinds.join(', ')}), until ${endsAt}`,
    `  another person reviews it: npx numgate proposals show ${id}`,
    `  and approves it: npx numgate approve ${id} --sha256 ${sha256}`,
  ];
  return new CommandFailure(lines.join('\n'), 5, { proposal });
}

/** Whether an error is a failure with this code, such as `NOT_FOUND` from the service. */
export function hasCode(error: unknown, code: string): error is CommandFailure {
  return error instanceof CommandFailure && error.details.code === code;
}

/** The response to a request; null if the service does not have what it names, or is too old to know the path. */
export function orNull<Value>(response: Promise<Value>): Promise<Value | null> {
  return response.catch((error: unknown) => {
    if (hasCode(error, 'NOT_FOUND')) return null;
    throw error;
  });
}

/** Returns the value, or fails the command. */
export function unwrap<Value>(result: Result<Value, Failure>): Value {
  if (!result.ok) throw new CommandFailure(result.message);
  return result.value;
}

interface ValidateSettings {
  /** Prefix of the message, such as the path of a file. */
  readonly before?: string;
  /** Name of the value as a whole. */
  readonly whole: string;
  /** Known field names of the object at this path, for messages about unknown fields. */
  readonly fieldsAt?: (path: readonly (string | number)[]) => readonly string[];
  readonly exitCode?: ExitCode;
}

/** Validates a value that an admin wrote. @throws CommandFailure that names the field */
export function validate<Schema extends v.GenericSchema>(
  schema: Schema,
  given: unknown,
  { before = '', whole, fieldsAt, exitCode = 2 }: ValidateSettings,
): v.InferOutput<Schema> {
  const validated = validateJson(schema, given);
  if (validated.ok) return validated.value;
  const { code, path, message } = validated;
  const field = path.length === 0 ? whole : path.map(formatStep).join('');
  const known =
    code === 'FIELD_UNKNOWN' && fieldsAt !== undefined ? `; known fields: ${fieldsAt(path).join(', ')}` : '';
  throw new CommandFailure(`${before}${field} ${message}${known}`, exitCode);
}

/** `lists`, `[0]`, `.name` */
function formatStep(step: string | number, index: number): string {
  if (typeof step === 'number') return `[${step}]`;
  return index === 0 ? step : `.${step}`;
}

/** Messages for system error codes. */
const SYSTEM: Readonly<Record<string, string>> = {
  EACCES: 'you have no permission to read or write it',
  EEXIST: 'is a file; a folder is needed',
  EISDIR: 'is a folder; a file is needed',
  ENOENT: 'does not exist',
  ENOSPC: 'no space is left on the device',
  ENOTDIR: 'is a file; a folder is needed',
  EPERM: 'you have no permission to read or write it',
};

/** Why a file cannot be used, to follow its path in a message. */
export function describeFileError(error: unknown): string {
  if (!(error instanceof Error)) return 'cannot be read';
  const { code = '' } = error as NodeJS.ErrnoException;
  return SYSTEM[code] ?? visible(error.message);
}

/** With at least this many digits, untrusted text might hold a number. */
const NUMBER_DIGITS_MIN = 5;
const QUOTE_CHARS_MAX = 64;

/** Untrusted text in quotes, shortened and on one line. Digits are masked if the text may hold a number. */
export function quoted(text: string): string {
  const short = text.slice(0, QUOTE_CHARS_MAX);
  const digits = text.match(/\p{Nd}/gu)?.length ?? 0;
  return `"${visible(digits < NUMBER_DIGITS_MIN ? short : short.replace(/\p{Nd}/gu, '*'))}"`;
}

/** How a process ends after an error. */
interface FailureReport {
  readonly exitCode: number;
  /** For standard error. Empty if commander has written it already. */
  readonly text: string;
  /** The error for `--json`. Null if nothing failed, because help was requested. */
  readonly error: object | null;
}

/** Exit code of a bug (EX_SOFTWARE of sysexits.h). */
const BUG = 70;

export function failureReport(error: unknown): FailureReport {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return { exitCode: 0, text: '', error: null };
    const message =
      error.code === 'commander.help' ? 'no command given' : error.message.replace(/^error: /, '');
    return { exitCode: 2, text: '', error: new CommandFailure(message, 2).details };
  }
  const failure = error instanceof Error && 'syscall' in error ? systemFailure(error) : error;
  if (failure instanceof CommandFailure) {
    const text = `${styleText('red', 'error')}: ${failure.message}\n`;
    return { exitCode: failure.exitCode, text, error: failure.details };
  }
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const text = `${styleText('red', 'bug')}: ${message}\n`;
  return { exitCode: BUG, text, error: { code: 'BUG', message, exitCode: BUG } };
}

/** A failure of the file system, such as no permission or no space. */
function systemFailure(error: Error): CommandFailure {
  const { path } = error as NodeJS.ErrnoException;
  return new CommandFailure(`${path === undefined ? '' : `${path}: `}${describeFileError(error)}`);
}
