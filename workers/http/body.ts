/**
 * Reads request bodies. Each has a size limit, whatever Content-Length says.
 */
import { LOAD_WAIT_MS, UNREAD_BODY_BYTES_MAX } from '../../shared/limits.ts';
import { type Failure, fail, ok, type Result } from '../../shared/result.ts';
import { within } from '../storage/single-flight.ts';

export type BodyProblem = 'BODY_MISSING' | 'BODY_TOO_LARGE' | 'JSON_INVALID' | 'CONTENT_TYPE_UNSUPPORTED';

/**
 * The media type of the body in lower case, without parameters; '' if there is none. If there are several, on
 * separate lines or separated by commas, it is the first. A type contains neither `;` nor `,`, so it ends at
 * the first of either: a comma in a quoted parameter comes after a `;`.
 */
export function mediaType(request: Request): string {
  return (request.headers.get('content-type') ?? '').split(/[;,]/, 1)[0]!.trim().toLowerCase();
}

/**
 * Reads the rest of the body. Otherwise the connection closes while the client is still sending, and many
 * clients then report a broken pipe instead of the problem.
 */
export async function drain(request: Request): Promise<void> {
  if (request.bodyUsed || request.body === null) return;
  const declared = Number(request.headers.get('content-length') ?? Number.POSITIVE_INFINITY);
  if (declared > UNREAD_BODY_BYTES_MAX) return;
  await within(request.body.pipeTo(new WritableStream()), LOAD_WAIT_MS).catch(() => undefined);
}

/** @param bytesMax size limit of the body, in bytes */
export async function readJson(
  request: Request,
  bytesMax: number,
): Promise<Result<unknown, Failure<BodyProblem>>> {
  const text = await readJsonText(request, bytesMax);
  return text.ok ? parseJson(text.value) : text;
}

/**
 * Reads a JSON body without parsing it.
 * @param bytesMax size limit of the body, in bytes
 */
export async function readJsonText(
  request: Request,
  bytesMax: number,
): Promise<Result<string, Failure<BodyProblem>>> {
  const type = mediaType(request);
  if (type !== '' && type !== 'application/json') {
    return fail('CONTENT_TYPE_UNSUPPORTED', 'send content-type: application/json');
  }
  return readText(request, bytesMax);
}

export function parseJson(text: string): Result<unknown, Failure<BodyProblem>> {
  if (text.trim() === '') return fail('BODY_MISSING', 'send a JSON object as the body');
  try {
    const value: unknown = JSON.parse(text);
    return ok(value);
  } catch {
    // The parser's own message quotes the body, which contains numbers.
    return fail('JSON_INVALID', 'the body must be one JSON object in UTF-8');
  }
}

export async function readText(
  request: Request,
  bytesMax: number,
): Promise<Result<string, Failure<BodyProblem>>> {
  const tooLarge = fail('BODY_TOO_LARGE', `the body may have at most ${bytesMax} bytes`);
  const declared = request.headers.get('content-length');
  if (declared !== null) {
    // The runtime enforces the declared length.
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
