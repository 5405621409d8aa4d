/**
 * Reads query parameters. Only known parameters are allowed, each at most once.
 */
import { type FieldError, fieldError, nameOf } from '../../shared/fields.ts';
import { ok, type Result } from '../../shared/result.ts';
import type { RequestUrl } from './request-url.ts';

export interface QueryParameters {
  readonly text: Readonly<Record<string, string>>;
  readonly number: Readonly<Record<string, number>>;
  readonly flag: Readonly<Record<string, boolean>>;
}

export function parametersOf(
  { parameters }: RequestUrl,
  known: Readonly<Record<string, 'text' | 'number' | 'flag'>>,
): Result<QueryParameters, FieldError> {
  const text: Record<string, string> = {};
  const number: Record<string, number> = {};
  const flag: Record<string, boolean> = {};
  for (const [name, value] of parameters) {
    const field = nameOf(name);
    const type = Object.hasOwn(known, name) ? known[name] : undefined;
    if (type === undefined) return fieldError('FIELD_UNKNOWN', field, 'is not a parameter of this request');
    if (name in text || name in number || name in flag) return repeatedParameter(field);
    if (type === 'text') text[name] = value;
    else if (type === 'flag') {
      if (value !== 'true' && value !== 'false')
        return fieldError('FIELD_VALUE', field, 'must be true or false');
      flag[name] = value === 'true';
    } else if (/^\d{1,15}$/.test(value)) number[name] = Number(value);
    else return fieldError('FIELD_VALUE', field, 'must be a whole number');
  }
  return ok({ text, number, flag });
}

export function repeatedParameter(field: string): FieldError {
  return fieldError('FIELD_TYPE', field, 'must be given only once');
}
