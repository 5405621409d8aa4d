/**
 * Reads request bodies, each within its bound, whatever Content-Length says.
 */
import { LOAD_WAIT_MS, UNREAD_BODY_BYTES_MAX } from '../shared/limits.ts';
import { fail, ok, type Result } from '../shared/result.ts';
import type { MaybePromise } from './maybe-promise.ts';
import { within } from './single-flight.ts';

export type BodyProblem = 'BODY_MISSING' | 'BODY_TOO_LARGE' | 'JSON_INVALID' | 'CONTENT_TYPE_UNSUPPORTED';

/**
 * The media type of the body, without parameters, in lower case; '' if it has none. Of several, given on two
 * lines or joined by a comma, it is the first. A type has neither `;` nor `,`, so it ends at the first of them:
 * a comma in a quoted parameter stands behind a `;`.
 */
export function mediaType(request: Request): string {
  return (request.headers.get('content-type') ?? '').split(/[;,]/, 1)[0]!.trim().toLowerCase();
}

/**
 * Read what the answer did not wait for. Without it the connection ends while the client still sends,
 * and many clients then see a broken pipe instead of the problem.
 */
export function drain(request: Request): MaybePromise<void> {
  if (request.bodyUsed || request.body === null) return;
  const declared = Number(request.headers.get('content-length') ?? Number.POSITIVE_INFINITY);
  if (declared > UNREAD_BODY_BYTES_MAX) return;
  return within(request.body.pipeTo(new WritableStream()), LOAD_WAIT_MS).catch(() => undefined);
}

/** @param bytesMax bound of the body, in bytes */
export async function readJson(request: Request, bytesMax: number): Promise<Result<unknown, BodyProblem>> {
  const text = await readJsonText(request, bytesMax);
  return text.ok ? parseJson(text.value) : text;
}

/** The body of a JSON request before it is parsed. @param bytesMax bound of the body, in bytes */
export async function readJsonText(request: Request, bytesMax: number): Promise<Result<string, BodyProblem>> {
  const type = mediaType(request);
  if (type !== '' && type !== 'application/json') {
    return fail('CONTENT_TYPE_UNSUPPORTED', 'send content-type: application/json');
  }
  return readText(request, bytesMax);
}

export function parseJson(text: string): Result<unknown, BodyProblem> {
  if (text.trim() === '') return fail('BODY_MISSING', 'send a JSON object as the body');
  try {
    const value: unknown = JSON.parse(text);
    return ok(value);
  } catch {
    // The parser's own message quotes the body, which holds numbers.
    return fail('JSON_INVALID', 'the body must be one JSON object in UTF-8');
  }
}

export async function readText(request: Request, bytesMax: number): Promise<Result<string, BodyProblem>> {
  const tooLarge = fail('BODY_TOO_LARGE', `the body may have at most ${bytesMax} bytes`);
  const declared = request.headers.get('content-length');
  if (declared !== null) {
    // The runtime holds the body to its declared length.
    return Number(declared) > bytesMax ? tooLarge : ok(await request.text());
  }
  if (request.body === null) return ok('');
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  for await (const chunk of request.body) {
    bytes += chunk.byteLength;
    if (bytes > bytesMax) return tooLarge;
    text += decoder.decode(chunk, { stream: true });
  }
  return ok(text + decoder.decode());
}
