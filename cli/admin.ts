/**
 * Client of the admin API. Each change carries its own Idempotency-Key, so a retry after a network or service
 * failure applies it only once.
 */
import { setTimeout } from 'node:timers/promises';
import type { PendingChange } from '../shared/proposals.ts';
import { type AdminResponse, failureOf, isTemporary, json, readResponse } from './admin-response.ts';
import { withBreakGlassNote } from './break-glass.ts';
import { LOCAL_HOST, serviceUrl, skipProxy } from './environment.ts';
import { CommandFailure, waitingFailure } from './failure.ts';
import { localTokenFor } from './local/identity.ts';
import { note } from './terminal/output.ts';

/** Retries of a read and of a change. */
const READ_RETRIES = 2;
const CHANGE_RETRIES = 5;
/** Uploads take long, so they retry until their pauses add up to this, in ms. A service that restarts is back by then. */
const UPLOAD_PATIENCE_MS = 120_000;
/** Pause before the first retry, in ms. Each further pause is twice as long. */
const PAUSE_MS = 250;
/** Longest pause, in ms. It also caps `Retry-After`. */
const PAUSE_MS_MAX = 10_000;
/** Response timeout, in ms. A promotion reads every value of the release. */
const RESPONSE_WAIT_MS = 120_000;

interface AdminSettings {
  /** Base URL of the control plane. */
  readonly url: string;
  /** The token, or a function that returns it. The function is called once, before the first request. */
  readonly token: string | (() => Promise<string>);
  readonly pause?: (ms: number) => Promise<unknown>;
}

export type Query = Readonly<Record<string, string | number | null>>;

/** A value, with the headers that keep a change from overwriting another admin's change of the same value. */
export interface Tagged<Value> {
  readonly value: Value;
  readonly ifUnchanged: Readonly<Record<string, string>>;
}

/** The service does not respond. */
export class Unreachable extends CommandFailure {
  /** What happened, without its effect on the change. */
  readonly why: string;
  /** Whether the change may have been applied despite the failure. */
  readonly mayBeApplied: boolean;

  constructor(why: string, effect: string, mayBeApplied: boolean) {
    super(why + effect);
    this.why = why;
    this.mayBeApplied = mayBeApplied;
  }
}

interface AdminRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Path below `/v1/admin/`. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** An object is sent as JSON. For a text, `headers` must have its content type. */
  readonly body?: object | string;
}

/** Lines of NDJSON. */
export interface Page {
  readonly text: string;
  /** Cursor of the next page; null on the last one. */
  readonly next: string | null;
  /** Key of a value in KV that the service refused to read; null for none. */
  readonly refused: string | null;
}

/**
 * Client of the admin API. All methods throw CommandFailure if the service refuses the request, with the
 * code of the problem, and Unreachable if it does not respond.
 */
export class Admin {
  readonly url: string;
  readonly #token: () => Promise<string>;
  readonly #pause: (ms: number) => Promise<unknown>;

  constructor({ url, token, pause = setTimeout }: AdminSettings) {
    this.url = url.replace(/\/+$/, '');
    let once: Promise<string> | null = null;
    this.#token = typeof token === 'string' ? async () => token : () => (once ??= token());
    this.#pause = pause;
  }

  async get<Value>(path: string, query: Query = {}): Promise<Value> {
    return json(await this.#send({ method: 'GET', path: withQuery(path, query) }, READ_RETRIES));
  }

  async tagged<Value>(path: string): Promise<Tagged<Value>> {
    const response = await this.#send({ method: 'GET', path }, READ_RETRIES);
    const etag = response.headers.get('etag');
    return { value: json(response), ifUnchanged: etag === null ? {} : { 'if-match': etag } };
  }

  async bytes(path: string): Promise<Uint8Array<ArrayBuffer>> {
    return (await this.#send({ method: 'GET', path }, READ_RETRIES)).bytes;
  }

  /** One page of lines and the cursor of the next page. The cursor is null at the end. */
  async page(path: string, query: Query): Promise<Page> {
    const { bytes, headers } = await this.#send(
      { method: 'GET', path: withQuery(path, query) },
      READ_RETRIES,
    );
    return {
      text: new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes),
      next: headers.get('x-next'),
      refused: headers.get('x-refused'),
    };
  }

  /** Reads with the parameters in the body, because they may contain a number. */
  async find<Value>(path: string, body: object): Promise<Value> {
    return json(await this.#send({ method: 'POST', path, body }, READ_RETRIES));
  }

  /** Makes one change. Retries carry the same Idempotency-Key, so the change is applied only once. */
  async change<Value>(
    method: 'POST' | 'PUT' | 'PATCH' | 'DELETE',
    path: string,
    body: object,
    conditions: Readonly<Record<string, string>> = {},
  ): Promise<Value> {
    const headers = { 'idempotency-key': crypto.randomUUID(), ...conditions };
    return withBreakGlassNote(body, json(await this.#send({ method, path, headers, body }, CHANGE_RETRIES)));
  }

  /**
   * Uploads CSV. Requests with the same key are applied only once, even if another process repeats them.
   * @param key idempotency key of the upload
   */
  async upload<Value>(path: string, query: Query, csv: string, key: string): Promise<Value> {
    const headers = { 'content-type': 'text/csv; charset=utf-8', 'idempotency-key': key };
    return json(
      await this.#send(
        { method: 'POST', path: withQuery(path, query), headers, body: csv },
        CHANGE_RETRIES,
        UPLOAD_PATIENCE_MS,
      ),
    );
  }

  /** Makes a change whose response arrives as lines of JSON, however long that takes. A failed change is not retried. */
  async stream(path: string, body: object): Promise<AsyncIterable<Uint8Array>> {
    const headers = { accept: 'application/x-ndjson', 'idempotency-key': crypto.randomUUID() };
    const request = { method: 'POST', path, headers, body } as const;
    const response = await this.#fetch(request, await this.#token(), null).catch((error: Error) => {
      throw this.#unreachable(error, request, !isUndelivered(error));
    });
    if (response.status < 300 && response.body !== null) return response.body;
    throw failureOf(await readResponse(response), this.url);
  }

  /** Gives up after `retries` retries, but not before the pauses between them add up to `patienceMs`. */
  async #send(request: AdminRequest, retries: number, patienceMs = 0): Promise<AdminResponse> {
    const token = await this.#token();
    // A try whose response was lost may still have applied the change.
    let mayBeApplied = false;
    let pausedMs = 0;
    const rest = async (tried: number, retryAfter: string | null): Promise<void> => {
      const ms = pauseMs(tried, retryAfter);
      if (tried === retries) note(`${this.url} does not respond yet: trying again\n`);
      pausedMs += ms;
      await this.#pause(ms);
    };
    const isLast = (tried: number): boolean => tried >= retries && pausedMs >= patienceMs;
    for (let tried = 0; ; tried++) {
      const response = await this.#sendOnce(request, token).catch((error: Error) => error);
      mayBeApplied ||= !(response instanceof Error && isUndelivered(response));
      if (response instanceof Error) {
        if (isLast(tried)) throw this.#unreachable(response, request, mayBeApplied);
        await rest(tried, null);
        continue;
      }
      if (response.status === 202) throw waitingFailure(json<PendingChange>(response));
      if (response.status < 300) return response;
      const failure = failureOf(response, this.url);
      if (isLast(tried) || !isTemporary(response, failure)) throw failure;
      await rest(tried, response.headers.get('retry-after'));
    }
  }

  #unreachable({ message, cause }: Error, { headers }: AdminRequest, mayBeApplied: boolean): Unreachable {
    // fetch gives the reason only in `cause`.
    const why = cause instanceof Error && cause.message !== '' ? cause.message : message;
    const isChange = headers?.['idempotency-key'] !== undefined;
    const effect = mayBeApplied
      ? '\nthe change may have been applied: check before you repeat the command'
      : '\nnothing was changed';
    return new Unreachable(`${this.url} does not respond: ${why}`, isChange ? effect : '', mayBeApplied);
  }

  async #sendOnce(request: AdminRequest, token: string): Promise<AdminResponse> {
    return readResponse(await this.#fetch(request, token, AbortSignal.timeout(RESPONSE_WAIT_MS)));
  }

  #fetch(
    { method, path, headers = {}, body }: AdminRequest,
    token: string,
    signal: AbortSignal | null,
  ): Promise<Response> {
    const content =
      body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) };
    return fetch(`${this.url}/v1/admin/${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
      redirect: 'error',
      signal,
      ...content,
    });
  }
}

/** The request never reached a server. */
function isUndelivered({ cause }: Error): boolean {
  const { code } = (cause ?? {}) as NodeJS.ErrnoException;
  return code === 'ECONNREFUSED' || code === 'ENOTFOUND';
}

/** The path, with the parameters that are not null. */
function withQuery(path: string, query: Query): string {
  const given = Object.entries(query).filter(([, value]) => value !== null);
  const search = new URLSearchParams(given.map(([name, value]) => [name, String(value)]));
  return given.length === 0 ? path : `${path}?${search}`;
}

/** @param retryAfter value of the response header, in seconds */
export function pauseMs(tried: number, retryAfter: string | null): number {
  const requestedMs = Number(retryAfter ?? Number.NaN) * 1000;
  return Math.min(
    PAUSE_MS_MAX,
    Number.isNaN(requestedMs) ? PAUSE_MS * 2 ** tried : Math.max(requestedMs, PAUSE_MS),
  );
}

/**
 * The admin API that the environment names. Without NUMGATE_TOKEN, uses the local token if the URL is that of the local
 * service. The local service listens on 127.0.0.1 only. Another program may listen on other addresses of this machine, such
 * as ::1 for localhost, so the local token is sent to 127.0.0.1 only.
 */
export function adminOfEnvironment(): Admin {
  const url = serviceUrl();
  const token = process.env.NUMGATE_TOKEN?.trim() || null;
  if (token !== null) return new Admin({ url, token });
  const { protocol, hostname, port } = new URL(url);
  if (protocol !== 'http:' || !['localhost', LOCAL_HOST].includes(hostname))
    throw new CommandFailure(`NUMGATE_TOKEN is not set: ${url} requires an admin token`);
  skipProxy();
  return new Admin({ url: `http://${LOCAL_HOST}:${port}`, token: () => localTokenFor(url) });
}
