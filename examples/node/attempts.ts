/**
 * Sends a request until it gets a verdict or a response that a retry cannot change, or runs out of time. Retries are safe,
 * because a check changes nothing, and a change of registrations has an `Idempotency-Key`.
 */
import { type Connection, TIMER_MS_MAX } from './connection.ts';
import { localError, NumgateError } from './errors.ts';
import type { RegistrationReason } from './registration-types.ts';

/** Identifies one call, and can end it. */
export interface Call {
  /** Ends the call, which then rejects with the reason of the signal. */
  readonly signal?: AbortSignal;
  /** Sent as `x-correlator`, to find the request in the log of the service. */
  readonly correlator?: string;
}

/** Options of one call. */
export interface CallOptions extends Call {
  /** Replaces the deadline of the client, in ms. */
  readonly deadlineMs?: number;
}

/** The `x-correlator` values that the service accepts. It replaces all others. */
const CORRELATOR = /^[\w\-:;./<>{}]{1,256}$/;

/**
 * Drops a correlator that the service does not accept. Some of them, for example with a line end, cannot be sent at all. Then
 * each request would fail, and the fail policy would decide.
 */
export function callOf(call: Call): Call {
  if (CORRELATOR.test(call.correlator ?? '')) return call;
  return call.signal === undefined ? {} : { signal: call.signal };
}

export interface Failure {
  /** `busy`: the service may respond later. `refused`: it will not. */
  readonly why: 'timeout' | 'unreachable' | 'busy' | 'refused';
  readonly error: NumgateError;
  /** Shortest pause before the next attempt, in ms. Null if no attempt can succeed. */
  readonly retryAfterMs: number | null;
}

export type Attempt<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly failure: Failure };

export interface Limits {
  /** Timeout of one attempt, in ms. */
  readonly timeoutMs: number;
  /** When to stop, in the time of {@link performance.now}. */
  readonly end: number;
  /** Attempts after the first. */
  readonly retries: number;
}

/** Pause before the first retry, in ms. Each further pause is twice as long, up to the second constant. */
const PAUSE_MS = 50;
const PAUSE_MAX_MS = 5_000;
const RETRY_STATUS: ReadonlySet<number> = new Set([429, 502, 503, 504]);

/** Aborts a request: with the signal of the caller, or when an armed timer fires. */
export class Cutoff {
  readonly #controller = new AbortController();
  readonly #outer: AbortSignal | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #hasTimedOut = false;

  constructor(outer?: AbortSignal) {
    this.#outer = outer;
    outer?.addEventListener('abort', this.#abort);
    if (outer?.aborted === true) this.#abort();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get hasTimedOut(): boolean {
    return this.#hasTimedOut;
  }

  /** @param ms from now until the request is aborted */
  arm(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(
      () => {
        this.#hasTimedOut = true;
        this.#abort();
      },
      Math.min(ms, TIMER_MS_MAX),
    );
  }

  disarm(): void {
    clearTimeout(this.#timer);
  }

  /** Ends the request if it is still in flight. */
  close(): void {
    this.disarm();
    this.#outer?.removeEventListener('abort', this.#abort);
    this.#abort();
  }

  readonly #abort = (): void => this.#controller.abort();
}

/** What a request sends. */
export interface Content {
  /** `POST` if omitted. */
  readonly method?: 'GET' | 'POST' | 'PATCH';
  readonly type: string;
  /** Null for no body. */
  readonly body: string | null;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Sends one request. @returns the response, if its status is 2xx */
export async function send(
  { url, key, fetch }: Connection,
  path: string,
  { method = 'POST', type, body, headers: extra = {} }: Content,
  call: Call,
  signal: AbortSignal,
): Promise<Attempt<Response>> {
  const headers: Record<string, string> = { 'content-type': type, ...extra };
  if (key !== null) headers.authorization = `Bearer ${key}`;
  if (call.correlator !== undefined) headers['x-correlator'] = call.correlator;
  // Following a redirect would send numbers elsewhere.
  const init = { method, headers, body, signal, redirect: 'manual' } as const;
  const response = await fetch(url + path, init);
  if (response.ok) return { ok: true, value: response };
  return { ok: false, failure: await refusalOf(response, call) };
}

async function refusalOf(response: Response, call: Call): Promise<Failure> {
  const { status, headers } = response;
  const problem = await problemOf(response);
  const correlator = headers.get('x-correlator') ?? call.correlator ?? null;
  const reasons = Array.isArray(problem?.reasons) ? problem.reasons : [];
  const details = { status, correlator, field: problem?.field ?? null, reasons };
  const error =
    problem === null
      ? localError('HTTP_ERROR', `something in front of numgate responded with status ${status}`, details)
      : new NumgateError(problem.code, problem.message ?? problem.code, details);
  if (!RETRY_STATUS.has(status)) return { why: 'refused', error, retryAfterMs: null };
  const after = retryAfterMs(headers.get('retry-after'));
  // A 429 without Retry-After means that the request exceeds the whole quota.
  return { why: 'busy', error, retryAfterMs: after ?? (status === 429 ? null : 0) };
}

interface Problem {
  readonly code: string;
  readonly message?: string;
  readonly field?: string;
  readonly reasons?: readonly RegistrationReason[];
}

/** @returns null if the response is not a problem of numgate. Such a body is dropped, because it can quote the request. */
async function problemOf(response: Response): Promise<Problem | null> {
  if (response.headers.get('content-type')?.includes('json') !== true) {
    // The promise rejects if the connection breaks. Only the status matters.
    response.body?.cancel().catch(() => undefined);
    return null;
  }
  const problem = (await response.json().catch(() => null)) as (Problem & { readonly type?: unknown }) | null;
  return String(problem?.type).startsWith('urn:numgate:problem:') ? problem : null;
}

/**
 * Classifies an exception of a request. Keeps neither the exception nor its message, because these can quote the response.
 * @throws the reason of the caller's signal, if that ended the request
 */
export function failureOf(error: unknown, cutoff: Cutoff, call: Call): Failure {
  call.signal?.throwIfAborted();
  if (cutoff.hasTimedOut) return timeout(call);
  if (error instanceof SyntaxError) return invalidResponse(call);
  const { code } = ((error as Error | null)?.cause ?? {}) as { code?: unknown };
  // A system code, such as ECONNREFUSED. Only Node has these.
  const system = typeof code === 'string' && /^[A-Z_]+$/.test(code) ? `: ${code}` : '';
  const lost = localError('UNREACHABLE', `the connection to the service failed${system}`, call);
  return { why: 'unreachable', error: lost, retryAfterMs: 0 };
}

function timeout(call: Call): Failure {
  const error = localError('TIMEOUT', 'the service did not respond in time', call);
  return { why: 'timeout', error, retryAfterMs: 0 };
}

/** The failure of a response that is truncated or not from numgate. */
export function invalidResponse(call: Call): Failure {
  const message = 'the response is truncated, or not from numgate';
  return { why: 'unreachable', error: localError('RESPONSE_INVALID', message, call), retryAfterMs: 0 };
}

/**
 * Waits before the next attempt.
 * @param tried attempts that have failed
 * @returns false if no attempt can succeed before `end`
 */
export async function pauseBeforeRetry(
  { retryAfterMs }: Failure,
  tried: number,
  end: number,
  connection: Connection,
  signal?: AbortSignal,
): Promise<boolean> {
  signal?.throwIfAborted();
  if (retryAfterMs === null) return false;
  // Half of the pause is random, so that clients refused together do not retry together.
  const backoffMs = Math.min(PAUSE_MS * 2 ** (tried - 1), PAUSE_MAX_MS) * (0.5 + Math.random() / 2);
  const pauseMs = Math.max(retryAfterMs, backoffMs);
  // The comparison is also false for NaN.
  if (!(pauseMs < end - performance.now())) return false;
  await connection.pause(pauseMs, signal);
  signal?.throwIfAborted();
  return true;
}

/**
 * Sends a request, and repeats it where that can help.
 * @param content JSON as text, or a complete content
 * @param read returns null if the JSON is not the expected response
 * @param parse reads the body of the response; by default as JSON
 */
export async function request<Value>(
  connection: Connection,
  path: string,
  content: string | Content,
  read: (json: unknown) => Value | null,
  limits: Limits,
  call: Call,
  parse: (response: Response) => Promise<unknown> = (response) => response.json(),
): Promise<Attempt<Value>> {
  const sent = typeof content === 'string' ? { type: 'application/json', body: content } : content;
  const once = async (): Promise<Attempt<Value>> => {
    call.signal?.throwIfAborted();
    const leftMs = limits.end - performance.now();
    if (leftMs <= 0) return { ok: false, failure: timeout(call) };
    const cutoff = new Cutoff(call.signal);
    try {
      cutoff.arm(Math.min(limits.timeoutMs, leftMs));
      const posted = await send(connection, path, sent, call, cutoff.signal);
      if (!posted.ok) return posted;
      const value = read(await parse(posted.value));
      return value === null ? { ok: false, failure: invalidResponse(call) } : { ok: true, value };
    } catch (error) {
      return { ok: false, failure: failureOf(error, cutoff, call) };
    } finally {
      cutoff.close();
    }
  };
  for (let tried = 1; ; tried++) {
    const attempt = await once();
    if (attempt.ok) return attempt;
    call.signal?.throwIfAborted();
    if (tried > limits.retries) return attempt;
    const { failure } = attempt;
    if (!(await pauseBeforeRetry(failure, tried, limits.end, connection, call.signal))) return attempt;
  }
}

/** Reads Retry-After (RFC 9110, 10.2.3): seconds or a date. @returns null for anything else */
function retryAfterMs(value: string | null): number | null {
  if (value === null) return null;
  const seconds = Number(value);
  const ms = Number.isNaN(seconds) ? Date.parse(value) - Date.now() : seconds * 1_000;
  return Number.isNaN(ms) ? null : Math.max(0, ms);
}
