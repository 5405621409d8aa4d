/**
 * Client of the admin API. Each change carries its own Idempotency-Key, so a retry after a network or service
 * failure applies it only once.
 */
import { setTimeout } from 'node:timers/promises';
import { AdminProblem, type Problem } from './admin-problem.ts';
import { CommandFailure } from './failure.ts';
import { adminToken } from './secrets.ts';

/** Retries of a read and of a change. */
const READ_RETRIES = 2;
const CHANGE_RETRIES = 5;
/** Pause before the first retry, in ms. Each further pause is twice as long. */
const PAUSE_MS = 250;
/** Longest pause, in ms. It also caps `Retry-After`. */
const PAUSE_MS_MAX = 10_000;
/** Response timeout, in ms. A promotion reads every value of the release. */
const ANSWER_WAIT_MS = 120_000;

export interface AdminSettings {
  /** Base URL of the control plane. */
  readonly url: string;
  readonly token: string;
  readonly pause?: (ms: number) => Promise<unknown>;
}

export type Query = Readonly<Record<string, string | number | null>>;

/** A response with its ETag, for If-Match. */
export interface Tagged<Value> {
  readonly value: Value;
  readonly etag: string | null;
}

/** The service does not respond. */
export class Unreachable extends CommandFailure {}

interface Sent {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Path below `/v1/admin/`. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: object;
}

/** A response read to its end. A response that breaks off counts as a failed try. */
interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/**
 * Client of the admin API. All methods throw AdminProblem if the service refuses the request, and Unreachable
 * if it does not respond.
 */
export class Admin {
  readonly url: string;
  readonly #token: string;
  readonly #pause: (ms: number) => Promise<unknown>;

  constructor({ url, token, pause = setTimeout }: AdminSettings) {
    this.url = url.replace(/\/+$/, '');
    this.#token = token;
    this.#pause = pause;
  }

  async get<Value>(path: string, query: Query = {}): Promise<Value> {
    return json(await this.#ask({ method: 'GET', path: path + search(query) }, READ_RETRIES));
  }

  async tagged<Value>(path: string): Promise<Tagged<Value>> {
    const answer = await this.#ask({ method: 'GET', path }, READ_RETRIES);
    return { value: json(answer), etag: answer.headers.get('etag') };
  }

  async bytes(path: string): Promise<Uint8Array<ArrayBuffer>> {
    return (await this.#ask({ method: 'GET', path }, READ_RETRIES)).bytes;
  }

  /** One page of lines and the cursor of the next page. The cursor is null at the end. */
  async page(path: string, query: Query): Promise<{ readonly text: string; readonly next: string | null }> {
    const { bytes, headers } = await this.#ask({ method: 'GET', path: path + search(query) }, READ_RETRIES);
    return { text: new TextDecoder().decode(bytes), next: headers.get('x-next') };
  }

  /** A read that may contain a number and therefore sends a body. */
  async find<Value>(path: string, body: object): Promise<Value> {
    return json(await this.#ask({ method: 'POST', path, body }, READ_RETRIES));
  }

  /** Makes one change. Retries carry the same Idempotency-Key, so the change is applied only once. */
  async change<Value>(
    method: 'POST' | 'PUT' | 'DELETE',
    path: string,
    body: object,
    conditions: Readonly<Record<string, string>> = {},
  ): Promise<Value> {
    const headers = { 'idempotency-key': crypto.randomUUID(), ...conditions };
    return json(await this.#ask({ method, path, headers, body }, CHANGE_RETRIES));
  }

  async #ask(sent: Sent, retries: number): Promise<Answer> {
    // A try whose response was lost may still have applied the change.
    let isHeard = false;
    for (let tried = 0; ; tried++) {
      const answer = await this.#once(sent).catch((error: Error) => error);
      isHeard ||= !(answer instanceof Error && isUnheard(answer));
      if (answer instanceof Error) {
        if (tried < retries) await this.#pause(pauseMs(tried, null));
        else
          throw new Unreachable(
            `${this.url} does not answer: ${wordsOf(answer)}${afterwards(sent, isHeard)}`,
          );
        continue;
      }
      if (answer.status < 300) return answer;
      if (tried === retries || !isTemporary(answer)) throw failureOf(answer, this.url);
      await this.#pause(pauseMs(tried, answer.headers.get('retry-after')));
    }
  }

  async #once({ method, path, headers = {}, body }: Sent): Promise<Answer> {
    const content = body === undefined ? {} : { body: JSON.stringify(body) };
    const response = await fetch(`${this.url}/v1/admin/${path}`, {
      method,
      headers: { authorization: `Bearer ${this.#token}`, 'content-type': 'application/json', ...headers },
      redirect: 'error',
      signal: AbortSignal.timeout(ANSWER_WAIT_MS),
      ...content,
    });
    const { status } = response;
    return { status, headers: response.headers, bytes: new Uint8Array(await response.arrayBuffer()) };
  }
}

const MAYBE_MADE = '\nwhether the change was made is not known: look at it before you repeat the command';

function afterwards(sent: Sent, isHeard: boolean): string {
  if (!isChange(sent)) return '';
  return isHeard ? MAYBE_MADE : '\nnothing was changed';
}

/** The request never reached a server. */
function isUnheard({ cause }: Error): boolean {
  const { code } = (cause ?? {}) as NodeJS.ErrnoException;
  return code === 'ECONNREFUSED' || code === 'ENOTFOUND';
}

function search(query: Query): string {
  const given = Object.entries(query).filter(([, value]) => value !== null);
  return given.length === 0
    ? ''
    : `?${new URLSearchParams(given.map(([name, value]) => [name, String(value)]))}`;
}

/** The cast is safe by contract: both sides compile against shared/admin.ts. */
function json<Value>({ status, bytes }: Answer): Value {
  try {
    return JSON.parse(new TextDecoder().decode(bytes)) as Value;
  } catch {
    throw new CommandFailure(`the answer (${status}) is not JSON: is NUMGATE_URL numgate's?`);
  }
}

function problemIn(answer: Answer): Problem | null {
  try {
    const problem = json<Partial<Problem>>(answer);
    return typeof problem.code === 'string' ? (problem as Problem) : null;
  } catch {
    return null;
  }
}

/**
 * A 503 is usually temporary. But values that are not in KV yet take longer, and the push handles that case.
 */
function isTemporary(answer: Answer): boolean {
  if (answer.status !== 503) return false;
  const code = problemIn(answer)?.code;
  return code !== 'RELEASE_INCOMPLETE' && code !== 'NOT_CONFIGURED';
}

function isChange({ headers }: Sent): boolean {
  return headers?.['idempotency-key'] !== undefined;
}

/** @param retryAfter value of the response header, in seconds */
export function pauseMs(tried: number, retryAfter: string | null): number {
  const requestedMs = Number(retryAfter ?? Number.NaN) * 1000;
  return Math.min(
    PAUSE_MS_MAX,
    Number.isNaN(requestedMs) ? PAUSE_MS * 2 ** tried : Math.max(requestedMs, PAUSE_MS),
  );
}

function failureOf(answer: Answer, url: string): CommandFailure {
  const problem = problemIn(answer);
  if (problem !== null) return new AdminProblem(problem);
  return new CommandFailure(
    `${url} answered ${answer.status}, and not as numgate does: is NUMGATE_URL numgate's?`,
  );
}

/** fetch gives the reason only in `cause`. */
function wordsOf({ message, cause }: Error): string {
  return cause instanceof Error && cause.message !== '' ? cause.message : message;
}

/** URL of the service. */
export function serviceUrl(): string {
  const url = process.env.NUMGATE_URL?.trim() || `http://localhost:${servicePort()}`;
  return addressOf(url, 'NUMGATE_URL');
}

/** Port that `npm start` uses. */
export function servicePort(): number {
  const text = process.env.PORT ?? '8787';
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65_535) return port;
  throw new CommandFailure('PORT must be 0 to 65535', 2);
}

/**
 * @param name of the option or variable that holds the URL
 * @throws CommandFailure if it is not an http(s) URL
 */
export function addressOf(url: string, name: string): string {
  // `control.example.com` is not a URL, and `localhost:8787` parses as a URL with the scheme `localhost`.
  if (URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)) return url;
  throw new CommandFailure(`${name} is not an address, as in https://control.example.com: ${url}`, 2);
}

/** The admin API that the environment names. */
export function adminOfEnvironment(): Admin {
  const url = serviceUrl();
  return new Admin({ url, token: adminToken(url) });
}
