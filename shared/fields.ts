/**
 * Field errors of a request. An error names the field and never contains its value, which may be a number.
 */
import { flat } from './flat.ts';
import type { ParseError } from './numbers/party.ts';

export type FieldProblem =
  | ParseError
  | 'FIELD_TYPE'
  | 'FIELD_UNKNOWN'
  | 'FIELD_MISSING'
  | 'FIELD_VALUE'
  | 'FIELD_CONTRADICTION'
  | 'SOURCE_AS_RECIPIENT';

/** An error in one request. Never contains the value: it may be a number. */
export interface FieldError {
  readonly code: FieldProblem;
  readonly field: string;
  readonly message: string;
}

const MESSAGES: Record<FieldProblem, string> = {
  NUMBER_MISSING: 'holds no digits; leave the field out to check only the other number',
  NUMBER_TOO_LONG: 'is longer than any number: at most 15 digits (E.164) in 64 characters; send one number',
  NUMBER_CHARACTER:
    'is not one number: it has a character that no number has, letters among its digits, or digits beside it; write the number alone, in UTF-8',
  FIELD_TYPE: 'has the wrong type',
  FIELD_UNKNOWN: 'is not a field of this request',
  FIELD_MISSING: 'is missing: give from, to, or both',
  FIELD_VALUE: 'is not one of the values allowed here',
  FIELD_CONTRADICTION: 'contradicts another field',
  SOURCE_AS_RECIPIENT: 'holds letters; only a sender may be alphanumeric',
};

/** @param detail replaces the usual sentence, without the field's name */
export function fieldError(code: FieldProblem, field: string, detail?: string): FieldError {
  return { code, field, message: flat(field, ' ', detail ?? MESSAGES[code]) };
}

/** A field's name as an error may contain it: shortened, and without digits, in case the name is a number. */
export function nameOf(field: string): string {
  const name = field.slice(0, 64);
  return (name.match(/\p{Nd}/gu)?.length ?? 0) > 4 ? name.replace(/\p{Nd}/gu, '*') : name;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value if it is one of the allowed ones, else the field error. */
export function oneOf<Value extends string>(
  allowed: readonly Value[],
  field: string,
  value: unknown,
): { readonly value: Value } | { readonly error: FieldError } {
  const known = allowed.find((candidate) => candidate === value);
  if (known !== undefined) return { value: known };
  return { error: fieldError('FIELD_VALUE', field, `must be one of ${allowed.join(', ')}`) };
}
