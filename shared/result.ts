/**
 * An expected failure is a value with a code, not a throw; a throw is a bug.
 * Codes are switched over once where they meet the wire, and once where they meet an exit code.
 */

export interface Failure<Code extends string> {
  readonly ok: false;
  readonly code: Code;
  /** One sentence for a person: what was wrong, never a full number. */
  readonly message: string;
}

export type Result<Value, Code extends string> = { readonly ok: true; readonly value: Value } | Failure<Code>;

export function ok<Value>(value: Value): { ok: true; value: Value } {
  return { ok: true, value };
}

export function fail<Code extends string>(code: Code, message: string): Failure<Code> {
  return { ok: false, code, message };
}
