/** Requests to the control plane for one organisation, with retries. A change takes effect once, however often it is sent. */
import { type Content, callOf, request } from './attempts.ts';
import { connectionOf } from './connection.ts';

/** How to reach the control plane. */
export interface RegistrarOptions {
  /** Base URL of the control plane, such as `https://control.numgate.example`. */
  readonly url: string;
  /** A token with the scope `registrations`, `<token id>.<secret>`. */
  readonly token: string;
  /** The organisation of the token. */
  readonly organisation: string;
  /** Timeout of one attempt, in ms. Default 30,000. */
  readonly timeoutMs?: number;
  /** Deadline for all attempts and the pauses between them, in ms. Default 120,000. */
  readonly deadlineMs?: number;
  /** Attempts after the first. Default 4. */
  readonly retries?: number;
  /** Sends the requests. Default: the global `fetch`. */
  readonly fetch?: typeof fetch;
  /** Waits between attempts. Tests pass their own function. */
  readonly pause?: (ms: number, signal?: AbortSignal) => Promise<unknown>;
}

/** Options of one call. */
export interface RegistrarCall {
  /** Ends the call, which then rejects with the reason of the signal. */
  readonly signal?: AbortSignal;
  /** Sent as `x-correlator`. */
  readonly correlator?: string;
}

/** Requests below one path. Each rejects with a {@link NumgateError}. */
export interface Control {
  send<Value extends object>(below: string, content: Content, call?: RegistrarCall): Promise<Value>;
  get<Value extends object>(below: string, call?: RegistrarCall): Promise<Value>;
  /** A read whose request has a body. */
  lookUp<Value extends object>(below: string, body: object, call?: RegistrarCall): Promise<Value>;
  /** A change, with an `Idempotency-Key`. */
  change<Value extends object>(
    below: string,
    body: object,
    call?: RegistrarCall,
    more?: Partial<Content>,
  ): Promise<Value>;
}

/**
 * @param path below the path of the organisation, such as `/registrations`
 * @throws {TypeError} if the URL or the token is not valid
 */
export function controlOf(options: RegistrarOptions, path: string): Control {
  const { url, token, organisation, pause, fetch: given } = options;
  const { timeoutMs = 30_000, deadlineMs = 120_000, retries = 4 } = options;
  const connection = connectionOf({ url, key: token, fetch: given, pause });
  const base = `/v1/admin/organisations/${encodeURIComponent(organisation)}${path}`;

  async function send<Value extends object>(
    below: string,
    content: Content,
    call: RegistrarCall = {},
  ): Promise<Value> {
    const read = (json: unknown): Value | null =>
      typeof json === 'object' && json !== null ? (json as Value) : null;
    const limits = { timeoutMs, retries, end: performance.now() + deadlineMs };
    const attempt = await request(connection, base + below, content, read, limits, callOf(call));
    if (attempt.ok) return attempt.value;
    throw attempt.failure.error;
  }
  const json = { type: 'application/json' } as const;
  return {
    send,
    get: (below, call) => send(below, { method: 'GET', ...json, body: null }, call),
    lookUp: (below, body, call) => send(below, { ...json, body: JSON.stringify(body) }, call),
    change: (below, body, call, more = {}) => {
      const headers = { 'idempotency-key': crypto.randomUUID(), ...more.headers };
      return send(below, { ...json, ...more, body: JSON.stringify(body), headers }, call);
    },
  };
}
