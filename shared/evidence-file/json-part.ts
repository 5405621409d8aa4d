/** Reads the parts of an evidence file that are JSON. */
import type * as v from 'valibot';
import { repeatedName } from '../repeated-name.ts';
import { type Failure, ok, type Result } from '../result.ts';
import { validateJson } from '../validate-json.ts';
import { type EvidenceProblem, wrong } from './steps.ts';

export function jsonPart<Schema extends v.GenericSchema>(
  name: string,
  text: string,
  schema: Schema,
): Result<v.InferOutput<Schema>, Failure<EvidenceProblem>> {
  const parsed = parseJson(text);
  if (parsed === undefined) return wrong('PART_INVALID', `${name} is not JSON`);
  // Readers with another parser would see another value.
  if (repeatedName(text) !== null) return wrong('PART_INVALID', `${name} has a name twice`);
  const valid = validateJson(schema, parsed);
  if (valid.ok) return valid;
  const field = valid.path.length === 0 ? '' : `: "${valid.path.join('.')}" ${valid.message}`;
  return wrong('PART_INVALID', `${name} does not have the form of its part${field}`);
}

/** Returns undefined if the text is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

export function textOf(bytes: Uint8Array): Result<string, Failure<EvidenceProblem>> {
  try {
    return ok(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch {
    return wrong('PART_INVALID', 'a part is not UTF-8');
  }
}
