/**
 * The only place that creates a Response. Every response is `no-store` and echoes or creates `x-correlator`.
 * Every error is a problem (RFC 9457) that also carries CAMARA's `status`, `code` and `message`, or one line
 * of text with these three.
 */
import type { ADMIN_PROBLEMS, ProblemExtras } from '../../shared/admin/problems.ts';
import { type FieldProblem, nameOf } from '../../shared/fields.ts';
import { withoutHidden } from '../../shared/hidden-characters.ts';
import { CORRELATOR_CHARS_MAX } from '../../shared/limits/requests.ts';
import { type Failure, ok, type Success } from '../../shared/result.ts';

/** Error codes of a whole request, with status and title. */
type Titles = Readonly<Record<string, readonly [status: number, title: string]>>;

/** The problems of the edge. They never change. */
export const EDGE_PROBLEMS = {
  BODY_MISSING: [400, 'Request body is missing'],
  BODY_TOO_LARGE: [413, 'Request body is too large'],
  JSON_INVALID: [400, 'Request body is not valid JSON'],
  BODY_UNREADABLE: [400, 'Request body is incomplete or damaged'],
  CONTENT_TYPE_UNSUPPORTED: [415, 'Content type is not supported'],
  CONTENT_ENCODING_UNSUPPORTED: [415, 'Content encoding is not supported'],
  FIELD_TYPE: [400, 'Field has the wrong type'],
  FIELD_UNKNOWN: [400, 'Field is unknown'],
  FIELD_MISSING: [400, 'Required field is missing'],
  FIELD_VALUE: [400, 'Field has an invalid value'],
  FIELD_CONTRADICTION: [400, 'Fields contradict each other'],
  ITEMS_TOO_MANY: [400, 'Batch has too many items'],
  NUMBER_MISSING: [400, 'Number has no digits'],
  NUMBER_TOO_LONG: [400, 'Number is too long'],
  NUMBER_CHARACTER: [400, 'Number has an invalid character'],
  SOURCE_AS_RECIPIENT: [400, 'Recipient is not a number'],
  UNAUTHENTICATED: [401, 'Authentication failed'],
  PERMISSION_DENIED: [403, 'Permission denied'],
  NOT_FOUND: [404, 'Not found'],
  METHOD_NOT_ALLOWED: [405, 'Method not allowed'],
  QUOTA_EXCEEDED: [429, 'Quota exceeded'],
  AUTHENTICATION_LIMITED: [429, 'Too many failed authentications'],
  INTERNAL: [500, 'Internal error'],
  NOT_CONFIGURED: [503, 'Service is not configured'],
  UNAVAILABLE: [503, 'Service is temporarily unavailable'],
  DEGRADED: [503, 'Release data is incomplete'],
} as const satisfies Titles & Record<FieldProblem, readonly [number, string]>;
/** Includes the codes of the control plane, which the edge bundle does not contain: all-problems.ts. */
export type ProblemCode = keyof typeof EDGE_PROBLEMS | keyof typeof ADMIN_PROBLEMS;
export type Problems = Titles & typeof EDGE_PROBLEMS;

/** The failure of a whole request, before it becomes a Response. */
export interface Problem extends Failure<ProblemCode> {
  readonly field?: string;
  readonly headers?: Record<string, string>;
  /** Seconds after which the same request may succeed. */
  readonly retryAfterSeconds?: number;
  /** Additional members of this problem. */
  readonly extras?: ProblemExtras;
}

export function problem(
  code: ProblemCode,
  message: string,
  extra: Omit<Problem, keyof Failure> = {},
): Problem {
  return { ok: false, code, message, ...extra };
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

const TEXT = 'text/plain; charset=utf-8';
const SECURITY_HEADERS = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' };

/** Whether an `If-None-Match` names this ETag (RFC 9110, 13.1.2: weak comparison). */
export function isKnown(etag: string, ifNoneMatch: string | null): boolean {
  const opaque = (tag: string): string => tag.trim().replace(/^W\//, '');
  const known = ifNoneMatch?.split(',').map(opaque) ?? [];
  return known.includes(opaque(etag)) || known.includes('*');
}

/** Counts the problems of an authenticated client. */
export interface ProblemCounter {
  countProblem(code: ProblemCode): void;
}

/** Creates the response to one request. All methods but `problem` return a success, as handlers do. */
export class Reply {
  readonly #headers: Record<string, string>;
  /** Whether problems are lines of text. */
  asText = false;
  problemCounter: ProblemCounter | null = null;

  readonly #problems: Problems;

  /** @param correlator of the request @param problems that the routes can return */
  constructor(correlator: string, problems: Problems) {
    this.#problems = problems;
    this.#headers = { ...SECURITY_HEADERS, 'x-correlator': correlator };
  }

  /** Sets a header of the response, whether the response is a success or a problem. */
  header(name: string, value: string): void {
    this.#headers[name] = value;
  }

  addHeaders(headers: Record<string, string>): void {
    Object.assign(this.#headers, headers);
  }

  json(body: unknown, status = 200, contentType = 'application/json'): Success<Response> {
    return ok(this.#create(JSON.stringify(body), contentType, status));
  }

  /** One JSON value per line. */
  ndjson(values: readonly unknown[]): Success<Response> {
    const body = values.map((value) => `${JSON.stringify(value)}\n`).join('');
    return ok(this.#create(body, 'application/x-ndjson'));
  }

  csv(body: string): Success<Response> {
    return ok(this.#create(body, 'text/csv; charset=utf-8'));
  }

  bytes(body: Uint8Array<ArrayBuffer>): Success<Response> {
    return ok(this.#create(body, 'application/octet-stream'));
  }

  /** A signed note. */
  note(text: Uint8Array<ArrayBuffer>): Success<Response> {
    return ok(this.#create(text, TEXT));
  }

  /** Metrics for a monitoring system. */
  metrics(text: string, contentType: string): Success<Response> {
    return ok(this.#create(text, contentType));
  }

  text(line: string): Success<Response> {
    return ok(this.#create(`${line}\n`, TEXT));
  }

  /**
   * A public document that anyone may cache. 304 without a body if the client has it already.
   * @param ifNoneMatch the header of the request @param seconds how long the document is fresh
   */
  document(
    body: string,
    contentType: string,
    { etag, seconds, ifNoneMatch }: { etag: string; seconds: number; ifNoneMatch: string | null },
  ): Success<Response> {
    this.addHeaders({ etag, 'cache-control': `public, max-age=${seconds}` });
    return isKnown(etag, ifNoneMatch) ? this.notModified() : ok(this.#create(body, contentType));
  }

  /** 304, for a request whose ETag `isKnown`. */
  notModified(): Success<Response> {
    return ok(new Response(null, { status: 304, headers: this.#headers }));
  }

  stream(body: ReadableStream<Uint8Array>, contentType: string): Success<Response> {
    return ok(this.#create(body, contentType));
  }

  /** @param instance the path of the request */
  problem({ code, message, field, headers, retryAfterSeconds, extras }: Problem, instance: string): Response {
    const [status, title] = this.#problems[code] ?? EDGE_PROBLEMS.INTERNAL;
    this.problemCounter?.countProblem(code);
    const type = `urn:numgate:problem:${code.toLowerCase().replaceAll('_', '-')}`;
    if (headers !== undefined) this.addHeaders(headers);
    if (retryAfterSeconds !== undefined) this.header('retry-after', String(retryAfterSeconds));
    if (this.asText) {
      // The message can name a field of the request, which can have a line end.
      const line = `${status} ${code} ${withoutHidden(message)}\n`;
      return this.#create(line, TEXT, status);
    }
    const body = {
      type,
      title,
      status,
      detail: message,
      instance: nameOf(instance),
      code,
      message,
      ...(field !== undefined && { field }),
      ...extras,
    };
    return this.#create(JSON.stringify(body), 'application/problem+json', status);
  }

  #create(body: BodyInit, contentType: string, status = 200): Response {
    return new Response(body, { status, headers: { ...this.#headers, 'content-type': contentType } });
  }
}
