/** Validates values that an admin wrote against a schema. Errors name the field. */
import type * as v from 'valibot';
import { validateJson } from '../shared/validate-json.ts';
import { CommandFailure, type ExitCode } from './failure.ts';

export interface CheckedSettings<Schema extends v.GenericSchema> {
  readonly schema: Schema;
  /** Prefix of the message, such as the path of a file. */
  readonly before?: string;
  /** Name of the value as a whole. */
  readonly whole: string;
  /** Known field names of the object at this path, for messages about unknown fields. */
  readonly fieldsAt?: (path: readonly (string | number)[]) => readonly string[];
  readonly exitCode?: ExitCode;
}

/** @throws CommandFailure */
export function checked<Schema extends v.GenericSchema>(
  given: unknown,
  { schema, before = '', whole, fieldsAt, exitCode = 2 }: CheckedSettings<Schema>,
): v.InferOutput<Schema> {
  const validated = validateJson(schema, given);
  if (validated.ok) return validated.value;
  const { code, path, message } = validated;
  const field = path.length === 0 ? whole : path.map(stepOf).join('');
  const known =
    code === 'FIELD_UNKNOWN' && fieldsAt !== undefined ? `: fields are ${fieldsAt(path).join(', ')}` : '';
  throw new CommandFailure(`${before}${field} ${message}${known}`, exitCode);
}

/** `lists`, `[0]`, `.name` */
function stepOf(step: string | number, index: number): string {
  if (typeof step === 'number') return `[${step}]`;
  return index === 0 ? step : `.${step}`;
}
