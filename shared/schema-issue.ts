/**
 * Formats a schema issue in our own words. The library's messages quote the received value, which may be a
 * number, and mention its own types.
 */
import type * as v from 'valibot';

export interface FieldIssue {
  readonly code: 'FIELD_UNKNOWN' | 'FIELD_MISSING' | 'FIELD_TYPE' | 'FIELD_VALUE';
  /** Names from the outermost object inwards, and list indexes; empty for the object itself. */
  readonly path: readonly (string | number)[];
  /** Continues the sentence after the field name. */
  readonly words: string;
}

const TYPES: Readonly<Record<string, string>> = {
  string: 'a string',
  number: 'a number',
  boolean: 'true or false',
  Array: 'a list',
  Object: 'an object',
};

export function toFieldIssue(issue: v.BaseIssue<unknown>): FieldIssue {
  const path = (issue.path ?? []).map(({ key }) => (typeof key === 'number' ? key : String(key)));
  const toIssue = (code: FieldIssue['code'], words: string): FieldIssue => ({ code, path, words });
  const { kind, type, expected, received, message, input } = issue;
  if (type === 'strict_object' && expected === 'never')
    return toIssue('FIELD_UNKNOWN', ' is not a field here');
  if (received === 'undefined') return toIssue('FIELD_MISSING', ' is missing');
  if (type === 'picklist') {
    const words = ` must be one of ${expected?.replace(/["()]/g, '').replaceAll(' | ', ', ')}`;
    return toIssue(typeof input === 'string' ? 'FIELD_VALUE' : 'FIELD_TYPE', words);
  }
  if (kind === 'schema') {
    const what = type === 'union' ? 'of one of the forms that are described' : TYPES[expected ?? ''];
    return toIssue('FIELD_TYPE', ` must be ${what ?? 'of another type'}`);
  }
  // A message from our own schema.
  return toIssue('FIELD_VALUE', message.startsWith('Invalid ') ? boundOf(issue) : `: ${message}`);
}

function boundOf({ type, requirement, input }: v.BaseIssue<unknown>): string {
  const counted = `${requirement} ${typeof input === 'string' ? 'characters' : 'items'}`;
  switch (type) {
    case 'min_length':
      return ` must have at least ${counted}`;
    case 'max_length':
      return ` must have at most ${counted}`;
    case 'min_value':
      return ` must be at least ${requirement}`;
    case 'max_value':
      return ` must be at most ${requirement}`;
    case 'gt_value':
      return ` must be above ${requirement}`;
    case 'integer':
    case 'safe_integer':
      return ' must be a whole number';
    default:
      return ' has a value that is not allowed here';
  }
}
