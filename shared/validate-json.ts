/**
 * Validates a JSON value against a schema, for the admin API and the CLI. It words the messages itself, because the
 * library's messages quote the received value, which may be a number, and mention the library's types.
 */
import * as v from 'valibot';
import { type Failure, ok, type Result } from './result.ts';

/** The first invalid field. The message continues a sentence that begins with the field's name. */
export interface InvalidField
  extends Failure<'FIELD_UNKNOWN' | 'FIELD_MISSING' | 'FIELD_TYPE' | 'FIELD_VALUE'> {
  /** Names from the outermost object inwards, and list indexes; empty for the value itself. */
  readonly path: readonly (string | number)[];
}

const TYPES: Readonly<Record<string, string>> = {
  string: 'a string',
  number: 'a number',
  boolean: 'true or false',
  Array: 'a list',
  Object: 'an object',
};

export function validateJson<Schema extends v.GenericSchema>(
  schema: Schema,
  value: unknown,
): Result<v.InferOutput<Schema>, InvalidField> {
  const parsed = v.safeParse(schema, value);
  if (parsed.success) return ok(parsed.output);
  const issue = parsed.issues[0];
  const path = (issue.path ?? []).map(({ key }) => (typeof key === 'number' ? key : String(key)));
  return { ok: false, ...describe(issue), path };
}

function describe(issue: v.BaseIssue<unknown>): Pick<InvalidField, 'code' | 'message'> {
  const { kind, type, expected, received, message, input } = issue;
  if (type === 'strict_object' && expected === 'never') {
    return { code: 'FIELD_UNKNOWN', message: 'is not an allowed field' };
  }
  if (received === 'undefined') return { code: 'FIELD_MISSING', message: 'is missing' };
  // For a variant, `expected` is 'Object' if the value is not an object at all.
  if (type === 'picklist' || (type === 'variant' && expected !== 'Object')) {
    const allowed = expected?.replace(/["()]/g, '').replaceAll(' | ', ', ');
    const code = typeof input === 'string' ? 'FIELD_VALUE' : 'FIELD_TYPE';
    return { code, message: `must be one of ${allowed}` };
  }
  if (kind === 'schema') {
    const form = type === 'union' ? 'in one of the documented forms' : TYPES[expected ?? ''];
    return { code: 'FIELD_TYPE', message: form === undefined ? 'has the wrong type' : `must be ${form}` };
  }
  // Messages of our own schemas are used unchanged.
  return { code: 'FIELD_VALUE', message: message.startsWith('Invalid ') ? boundOf(issue) : message };
}

function boundOf({ type, requirement, input }: v.BaseIssue<unknown>): string {
  const unit = typeof input === 'string' ? 'character' : 'item';
  const counted = `${requirement} ${unit}${requirement === 1 ? '' : 's'}`;
  switch (type) {
    case 'min_length':
      return `must have at least ${counted}`;
    case 'max_length':
      return `must have at most ${counted}`;
    case 'min_value':
      return `must be at least ${requirement}`;
    case 'max_value':
      return `must be at most ${requirement}`;
    case 'gt_value':
      return `must be above ${requirement}`;
    case 'integer':
    case 'safe_integer':
      return 'must be a whole number';
    default:
      return 'has a value that is not allowed';
  }
}
