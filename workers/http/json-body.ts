/** Reads JSON bodies and validates them against a schema. */
import type * as v from 'valibot';
import { sha256Hex } from '../../shared/bytes.ts';
import { fieldError, isRecord, nameOf } from '../../shared/fields.ts';
import { repeatedName } from '../../shared/repeated-name.ts';
import { ok, type Result } from '../../shared/result.ts';
import { validateJson } from '../../shared/validate-json.ts';
import type { RequestContext } from './app.ts';
import { mediaType, parseJson, readText } from './body.ts';
import { repeatedParameter } from './parameters.ts';
import { type Problem, problem } from './reply.ts';

/** Validates the body. Returns its value, and the digest that identifies a repeated request. */
export async function readBody<Schema extends v.GenericSchema>(
  { request, url }: RequestContext,
  schema: Schema,
  bytesMax: number,
): Promise<Result<{ body: v.InferOutput<Schema>; sha256: string }, Problem>> {
  const text = await readText(request, bytesMax, { mustBeUtf8: true });
  if (!text.ok) return text;
  if (text.value.trim() === '') return problem('BODY_MISSING', 'send a JSON object as the body');
  // A page on another site could send any other type, along with the Cloudflare Access cookie.
  if (mediaType(request) !== 'application/json') {
    return problem('CONTENT_TYPE_UNSUPPORTED', 'send content-type: application/json');
  }
  const document = parseJson(text.value);
  if (!document.ok) return document;
  if (!isRecord(document.value)) return fieldError('FIELD_TYPE', 'body', 'must be a JSON object');
  const body = validateJson(schema, document.value);
  if (!body.ok) {
    const field = body.path.length === 0 ? 'body' : nameOf(body.path.join('.'));
    return fieldError(body.code, field, body.message);
  }
  const repeated = repeatedName(text.value);
  if (repeated !== null) return repeatedParameter(nameOf(repeated));
  const sha256 = await sha256Hex(`${request.method} ${url.pathname}\n${text.value}`);
  return ok({ body: body.value, sha256 });
}
