/**
 * Expected failures are values with a code; a throw is a bug.
 * Codes are mapped once to wire errors and once to exit codes.
 */

export interface Failure<Code extends string> {
  readonly ok: false;
  readonly code: Code;
  /** One sentence for people: what was wrong, never a full number. */
  readonly message: string;
}

export type Result<Value, Code extends string> = { readonly ok: true; readonly value: Value } | Failure<Code>;

export function ok<Value>(value: Value): { ok: true; value: Value } {
  return { ok: true, value };
}

export function fail<Code extends string>(code: Code, message: string): Failure<Code> {
  return { ok: false, code, message };
}
