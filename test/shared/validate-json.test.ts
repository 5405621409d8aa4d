/** The wording of errors in a field. */
import * as v from 'valibot';
import { expect, it } from 'vitest';
import { validateJson } from '../../shared/validate-json.ts';

it.each<[v.GenericSchema, unknown, string]>([
  [v.pipe(v.string(), v.minLength(1)), '', 'must have at least 1 character'],
  [v.pipe(v.string(), v.maxLength(2)), 'abc', 'must have at most 2 characters'],
  [v.pipe(v.array(v.string()), v.minLength(1)), [], 'must have at least 1 item'],
  [v.pipe(v.array(v.string()), v.minLength(2)), [], 'must have at least 2 items'],
  [v.string(), 1, 'must be a string'],
  [v.null(), 1, 'has the wrong type'],
])('%# is a sentence after the name of the field', (schema, value, message) => {
  expect(validateJson(schema, value)).toMatchObject({ ok: false, message });
});
