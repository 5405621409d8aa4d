/**
 * How a command ends badly: with a sentence and an exit code, never with a stack.
 * 1: it could not be done. 2: it was asked wrongly (commander's own code for usage is 1; ours is 2).
 */

/** An expected end of a command. The message names what is wrong and the way out. */
export class CommandFailure extends Error {
  override readonly name = 'CommandFailure';
  readonly exitCode: 1 | 2;

  constructor(message: string, exitCode: 1 | 2 = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** Unwrap, or end the command. */
export function orFail<Value>(result: { ok: true; value: Value } | { ok: false; message: string }): Value {
  if (!result.ok) throw new CommandFailure(result.message);
  return result.value;
}
