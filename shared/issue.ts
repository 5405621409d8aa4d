/**
 * What is wrong with a field of an object that a schema has refused, in our words: those of the library
 * quote what was received, which may be a number, and speak of its own types.
 */
import type * as v from 'valibot';

export interface FieldIssue {
  readonly code: 'FIELD_UNKNOWN' | 'FIELD_MISSING' | 'FIELD_TYPE' | 'FIELD_VALUE';
  /** Names from the outermost object on, and indexes of lists; empty for the object itself. */
  readonly path: readonly (string | number)[];
  /** Goes on right behind the name of the field. */
  readonly words: string;
}

const TYPES: Readonly<Record<string, string>> = {
  string: 'a string',
  number: 'a number',
  boolean: 'true or false',
  Array: 'a list',
  Object: 'an object',
};

export function fieldIssue(issue: v.BaseIssue<unknown>): FieldIssue {
  const path = (issue.path ?? []).map(({ key }) => (typeof key === 'number' ? key : String(key)));
  const told = (code: FieldIssue['code'], words: string): FieldIssue => ({ code, path, words });
  const { kind, type, expected, received, message, input } = issue;
  if (type === 'strict_object' && expected === 'never') return told('FIELD_UNKNOWN', ' is not a field here');
  if (received === 'undefined') return told('FIELD_MISSING', ' is missing');
  if (type === 'picklist') {
    const words = ` must be one of ${expected?.replace(/["()]/g, '').replaceAll(' | ', ', ')}`;
    return told(typeof input === 'string' ? 'FIELD_VALUE' : 'FIELD_TYPE', words);
  }
  if (kind === 'schema') {
    const what = type === 'union' ? 'of one of the forms that are described' : TYPES[expected ?? ''];
    return told('FIELD_TYPE', ` must be ${what ?? 'of another type'}`);
  }
  // A message of the schema is ours.
  return told('FIELD_VALUE', message.startsWith('Invalid ') ? boundOf(issue) : `: ${message}`);
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
