/**
 * The only place that creates a Response. Every response is `no-store` and echoes or creates `x-correlator`.
 * Every error is a problem (RFC 9457) that also carries CAMARA's `status`, `code` and `message`.
 */
import { ADMIN_PROBLEMS, type ProblemExtras } from '../../shared/admin.ts';
import { type FieldProblem, nameOf } from '../../shared/fields.ts';
import { CORRELATOR_CHARS_MAX } from '../../shared/limits.ts';
import type { RequestUrl } from './request-url.ts';

/** Error codes of a whole request, with status and title. They never change. */
export const PROBLEMS = {
  BODY_MISSING: [400, 'The request has no body'],
  BODY_TOO_LARGE: [413, 'The body is too large'],
  JSON_INVALID: [400, 'The body is not JSON'],
  CONTENT_TYPE_UNSUPPORTED: [415, 'The content type is not supported here'],
  FIELD_TYPE: [400, 'A field has the wrong type'],
  FIELD_UNKNOWN: [400, 'A field is not known'],
  FIELD_MISSING: [400, 'A field is missing'],
  FIELD_VALUE: [400, 'A field has a value that is not allowed'],
  FIELD_CONTRADICTION: [400, 'Two fields contradict each other'],
  ITEMS_TOO_MANY: [400, 'The batch has too many items'],
  NUMBER_MISSING: [400, 'A number has no digits'],
  NUMBER_TOO_LONG: [400, 'A number is too long'],
  NUMBER_CHARACTER: [400, 'A number has a character that no number has'],
  SOURCE_AS_RECIPIENT: [400, 'A recipient has letters'],
  UNAUTHENTICATED: [401, 'The key is missing or wrong'],
  PERMISSION_DENIED: [403, 'The key does not have this right'],
  NOT_FOUND: [404, 'There is nothing at this path'],
  METHOD_NOT_ALLOWED: [405, 'The method is not allowed here'],
  QUOTA_EXCEEDED: [429, 'The quota is used up'],
  INTERNAL: [500, 'The service failed'],
  NOT_CONFIGURED: [503, 'The service is not configured'],
  UNAVAILABLE: [503, 'The service has no data yet'],
  DEGRADED: [503, 'Part of the data cannot be loaded'],
  ...ADMIN_PROBLEMS,
} as const satisfies Record<string, readonly [number, string]> &
  Record<FieldProblem, readonly [number, string]>;
export type ProblemCode = keyof typeof PROBLEMS;

/** An error of a whole request, before it becomes a Response. */
export interface Problem {
  readonly code: ProblemCode;
  /** One sentence that says what to do. Never contains a number. */
  readonly message: string;
  readonly field?: string;
  readonly headers?: Record<string, string>;
  /** Members beyond those of every problem. */
  readonly extras?: ProblemExtras;
}

export function problem(
  code: ProblemCode,
  message: string,
  extra: Omit<Problem, 'code' | 'message'> = {},
): Problem {
  return { code, message, ...extra };
}

/** The problem for a parameter on a route that has none, or null. */
export function noParameter({ parameters }: RequestUrl): Problem | null {
  const [first] = parameters;
  if (first === undefined) return null;
  const field = nameOf(first[0]);
  return problem('FIELD_UNKNOWN', `${field} is not a parameter here`, { field });
}

/** Characters that CAMARA Commonalities allows in `x-correlator`. */
const CORRELATOR = /^[a-zA-Z0-9-_:;./<>{}]+$/;

/** The request's own correlator, or a new one. */
export function correlatorOf(request: Request): string {
  const given = request.headers.get('x-correlator');
  if (given !== null && given.length <= CORRELATOR_CHARS_MAX && CORRELATOR.test(given)) return given;
  return crypto.randomUUID();
}

/** A response for the data centre's cache. It is never sent to a client. */
export function cacheable(
  body: Uint8Array<ArrayBuffer>,
  seconds: number,
  headers: Record<string, string>,
): Response {
  return new Response(body, { headers: { ...headers, 'cache-control': `max-age=${seconds}` } });
}

const SECURITY_HEADERS = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' };

export class Reply {
  readonly #headers: Record<string, string>;

  /** @param correlator of the request */
  constructor(correlator: string) {
    this.#headers = { ...SECURITY_HEADERS, 'x-correlator': correlator };
  }

  /** Sets a header on the response, whatever it will be. */
  header(name: string, value: string): void {
    this.#headers[name] = value;
  }

  addHeaders(headers: Record<string, string>): void {
    Object.assign(this.#headers, headers);
  }

  json(body: unknown, status = 200): Response {
    return new Response(JSON.stringify(body), {
      status,
      headers: { ...this.#headers, 'content-type': 'application/json' },
    });
  }

  /** One JSON value per line. */
  ndjson(values: readonly unknown[]): Response {
    const body = values.map((value) => `${JSON.stringify(value)}\n`).join('');
    return new Response(body, { headers: { ...this.#headers, 'content-type': 'application/x-ndjson' } });
  }

  bytes(body: Uint8Array<ArrayBuffer>): Response {
    return new Response(body, { headers: { ...this.#headers, 'content-type': 'application/octet-stream' } });
  }

  text(line: string): Response {
    return new Response(`${line}\n`, {
      headers: { ...this.#headers, 'content-type': 'text/plain; charset=utf-8' },
    });
  }

  stream(body: ReadableStream<Uint8Array>, contentType: string): Response {
    return new Response(body, { headers: { ...this.#headers, 'content-type': contentType } });
  }

  problem({ code, message, field, headers, extras }: Problem, instance: string): Response {
    const [status, title] = PROBLEMS[code];
    const type = `urn:numgate:problem:${code.toLowerCase().replaceAll('_', '-')}`;
    const body = {
      type,
      title,
      status,
      detail: message,
      instance: nameOf(instance),
      code,
      message,
      ...(field === undefined ? {} : { field }),
      ...extras,
    };
    return new Response(JSON.stringify(body), {
      status,
      headers: { ...this.#headers, ...headers, 'content-type': 'application/problem+json' },
    });
  }
}
