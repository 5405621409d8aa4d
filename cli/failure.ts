/**
 * How a command ends badly: with a sentence and an exit code, never with a stack.
 */

/**
 * 1: it could not be done. 2: it was asked wrongly (commander's own code for usage is 1; ours is 2).
 * 3: a guard refused it. 4: what it was to change is not what it was taken for.
 */
export type ExitCode = 1 | 2 | 3 | 4;

/** An expected end of a command. The message names what is wrong and the way out. */
export class CommandFailure extends Error {
  override readonly name = 'CommandFailure';
  readonly exitCode: ExitCode;

  constructor(message: string, exitCode: ExitCode = 1) {
    super(message);
    this.exitCode = exitCode;
  }
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
