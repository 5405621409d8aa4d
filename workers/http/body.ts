/**
 * Reads request bodies. Each has a size limit, whatever Content-Length says. The limit of a compressed body
 * applies to its decompressed form.
 */
import { nameOf } from '../../shared/fields.ts';
import { LOAD_WAIT_MS } from '../../shared/limits/edge.ts';
import { UNREAD_BODY_BYTES_MAX } from '../../shared/limits/requests.ts';
import { ok, type Result } from '../../shared/result.ts';
import { within } from '../storage/single-flight.ts';
import { type BytesReader, GunzipReader } from './gunzip.ts';
import { type Problem, problem } from './reply.ts';

/** The coding of a body (RFC 9110, 8.4). */
export type Coding = 'identity' | 'gzip';

/** Bytes per read of a body without a declared length. */
const PIECE_BYTES = 65_536;

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
export async function drain(request: Request, body: ReadableStream): Promise<void> {
  const declared = Number(request.headers.get('content-length') ?? Number.POSITIVE_INFINITY);
  if (declared > UNREAD_BODY_BYTES_MAX) return;
  await within(body.pipeTo(new WritableStream()), LOAD_WAIT_MS).catch(() => undefined);
}

/**
 * The coding of the body. A refusal names the coding, and lists the codings that the route accepts in
 * `Accept-Encoding` (RFC 9110, 12.5.3).
 * @param mayBeGzip whether the route accepts gzip
 */
export function codingOf({ headers }: Request, mayBeGzip: boolean): Result<Coding, Problem> {
  const given = headers.get('content-encoding');
  if (given === null) return ok('identity');
  const coding = given.trim().toLowerCase();
  if (coding === '' || coding === 'identity') return ok('identity');
  if (mayBeGzip && (coding === 'gzip' || coding === 'x-gzip')) return ok('gzip');
  const instead = mayBeGzip ? 'gzip, or no content-encoding' : 'the body without content-encoding';
  const message = `content-encoding "${nameOf(coding)}" is not supported here: send ${instead}`;
  const accepted = mayBeGzip ? 'gzip' : 'identity';
  return problem('CONTENT_ENCODING_UNSUPPORTED', message, { headers: { 'accept-encoding': accepted } });
}

/** A reader of the body in its decompressed form; null if there is no body. */
export function readerOf({ body }: Request, coding: Coding): BytesReader | null {
  if (body === null) return null;
  return coding === 'gzip' ? new GunzipReader(body) : body.getReader({ mode: 'byob' });
}

interface TextOptions {
  readonly mayBeGzip?: boolean;
  /** Whether to refuse bytes that are not UTF-8. Otherwise each becomes U+FFFD. */
  readonly mustBeUtf8?: boolean;
}

/**
 * Reads a JSON body without parsing it.
 * @param bytesMax size limit of the decompressed body, in bytes
 */
export async function readJsonText(
  request: Request,
  bytesMax: number,
  { mayBeGzip = false, mustBeUtf8 = true }: TextOptions = {},
): Promise<Result<string, Problem>> {
  const type = mediaType(request);
  if (type !== '' && type !== 'application/json') {
    return problem('CONTENT_TYPE_UNSUPPORTED', 'send content-type: application/json');
  }
  return readText(request, bytesMax, { mayBeGzip, mustBeUtf8 });
}

export function parseJson(text: string): Result<unknown, Problem> {
  if (text.trim() === '') return problem('BODY_MISSING', 'send a JSON object as the body');
  try {
    const value: unknown = JSON.parse(text);
    return ok(value);
  } catch {
    // The parser's own message quotes the body, which contains numbers.
    return problem('JSON_INVALID', 'the body must be one JSON object in UTF-8');
  }
}

/** @param bytesMax size limit of the decompressed body, in bytes */
export async function readText(
  request: Request,
  bytesMax: number,
  { mayBeGzip = false, mustBeUtf8 = false }: TextOptions = {},
): Promise<Result<string, Problem>> {
  const coding = codingOf(request, mayBeGzip);
  if (!coding.ok) return coding;
  const declared = request.headers.get('content-length');
  if (declared !== null && Number(declared) > bytesMax) return tooLarge(bytesMax);
  try {
    // The runtime enforces the declared length.
    const decode = decoderOf(mustBeUtf8);
    if (declared !== null && coding.value === 'identity') return ok(decode(await request.arrayBuffer()));
    return await readWithin(readerOf(request, coding.value), bytesMax, decode);
  } catch (error) {
    if (error instanceof NotUtf8) return NOT_UTF8;
    return coding.value === 'gzip' ? NOT_GZIP : BROKEN_OFF;
  }
}

class NotUtf8 extends Error {}

type Decode = (bytes?: ArrayBuffer | Uint8Array, options?: { readonly stream: boolean }) => string;

/** Makes a decoder that reads a malformed body to its end: see `drain`. @throws NotUtf8 at the end, if `mustBeUtf8` */
function decoderOf(mustBeUtf8: boolean): Decode {
  const decoder = new TextDecoder('utf-8', { fatal: mustBeUtf8, ignoreBOM: false });
  let isMalformed = false;
  return (bytes, options) => {
    try {
      if (!isMalformed) return decoder.decode(bytes, options);
    } catch {
      isMalformed = true;
    }
    if (options?.stream === true) return '';
    throw new NotUtf8();
  };
}

const NOT_UTF8 = problem(
  'JSON_INVALID',
  'the body is not UTF-8: convert it, for example from CP949 (EUC-KR), and send it again',
);
const BROKEN_OFF = problem('BODY_UNREADABLE', 'the body ended early: send it again');
const NOT_GZIP = problem('BODY_UNREADABLE', 'the body is not one complete gzip member (RFC 1952)');

function tooLarge(bytesMax: number): Problem {
  return problem('BODY_TOO_LARGE', `the body may have at most ${bytesMax} bytes`);
}

/** @throws if the client breaks off, or the body is not in its coding */
async function readWithin(
  reader: BytesReader | null,
  bytesMax: number,
  decode: Decode,
): Promise<Result<string, Problem>> {
  if (reader === null) return ok('');
  let text = '';
  let bytes = 0;
  let buffer = new ArrayBuffer(PIECE_BYTES);
  for (;;) {
    const { done, value } = await reader.read(new Uint8Array(buffer));
    if (done) return ok(text + decode());
    bytes += value.byteLength;
    if (bytes > bytesMax) {
      await reader.cancel();
      return tooLarge(bytesMax);
    }
    text += decode(value, { stream: true });
    buffer = value.buffer;
  }
}
