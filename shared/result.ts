/**
 * Results of functions that can fail as expected. A throw is a bug.
 * workers/http/reply.ts turns failures into HTTP responses, and cli/failure.ts into exit codes.
 */

/** An expected failure. Narrower types extend it with more details, such as a field. */
export interface Failure<Code extends string = string> {
  readonly ok: false;
  /** Stable name of the failure. */
  readonly code: Code;
  /** One sentence: what is wrong and what to do. Never contains a full number. */
  readonly message: string;
}

export interface Success<Value> {
  readonly ok: true;
  readonly value: Value;
}

export type Result<Value, Failed extends Failure> = Success<Value> | Failed;

export function ok<Value>(value: Value): Success<Value> {
  return { ok: true, value };
}

export function fail<Code extends string>(code: Code, message: string): Failure<Code> {
  return { ok: false, code, message };
}
