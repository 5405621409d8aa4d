/**
 * Field errors of a request. The message names the field in double quotes and never contains its value, which
 * may be a number.
 */
import { flat } from './flat.ts';
import type { ParseError } from './numbers/party.ts';
import { type Failure, ok, type Result } from './result.ts';

export type FieldProblem =
  | ParseError
  | 'FIELD_TYPE'
  | 'FIELD_UNKNOWN'
  | 'FIELD_MISSING'
  | 'FIELD_VALUE'
  | 'FIELD_CONTRADICTION'
  | 'SOURCE_AS_RECIPIENT';

/** An error in one field of a request. */
export interface FieldError extends Failure<FieldProblem> {
  readonly field: string;
}

const DETAILS: Record<FieldProblem, string> = {
  NUMBER_MISSING: 'has no digits; omit the field to check only the other number',
  NUMBER_TOO_LONG: 'is too long: send one number of at most 15 digits (E.164) in at most 64 characters',
  NUMBER_CHARACTER:
    'is not one complete number: it has an invalid character, letters, or missing or extra digits; send only the number',
  FIELD_TYPE: 'has the wrong type',
  FIELD_UNKNOWN: 'is not a field of this request',
  FIELD_MISSING: 'is missing',
  FIELD_VALUE: 'has a value that is not allowed',
  FIELD_CONTRADICTION: 'contradicts another field',
  SOURCE_AS_RECIPIENT: 'must be a number or a short code; only "from" may be alphanumeric',
};

/** @param detail continues a sentence that begins with the name of the field */
export function fieldError(code: FieldProblem, field: string, detail = DETAILS[code]): FieldError {
  return { ok: false, code, field, message: flat('"', field, '" ', detail) };
}

/** Returns a field's name in a form that is safe in an error: shortened, and masked if it could be a number. */
export function nameOf(field: string): string {
  const name = field.slice(0, 64);
  return (name.match(/\p{Nd}/gu)?.length ?? 0) > 4 ? name.replace(/\p{Nd}/gu, '*') : name;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Returns the value if it is one of the allowed values. */
export function oneOf<Value extends string>(
  allowed: readonly Value[],
  field: string,
  value: unknown,
): Result<Value, FieldError> {
  const known = allowed.find((candidate) => candidate === value);
  if (known !== undefined) return ok(known);
  return fieldError('FIELD_VALUE', field, `must be one of ${allowed.join(', ')}`);
}
