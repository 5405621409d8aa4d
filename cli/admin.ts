/**
 * The client of the admin API. A change carries an Idempotency-Key of its own, so that it can be asked
 * for again when the network or the service fails on the way, and is made once.
 */
import { setTimeout } from 'node:timers/promises';
import { AdminProblem, type Problem } from './admin-problem.ts';
import { CommandFailure } from './failure.ts';
import { adminToken } from './secrets.ts';

/** How often a question, and a change, are asked for again. */
const READ_RETRIES = 2;
const CHANGE_RETRIES = 5;
/** First pause before the next try; each is twice the one before, in ms. */
const PAUSE_MS = 250;
/** Longest pause, also where the service asks for a longer one, in ms. */
const PAUSE_MS_MAX = 10_000;
/** A promotion reads every value of the release. */
const ANSWER_WAIT_MS = 120_000;

export interface AdminSettings {
  /** Where the control plane answers. */
  readonly url: string;
  readonly token: string;
  readonly pause?: (ms: number) => Promise<unknown>;
}

export type Query = Readonly<Record<string, string | number | null>>;

/** An answer with its ETag, for If-Match. */
export interface Tagged<Value> {
  readonly value: Value;
  readonly etag: string | null;
}

/** Nothing answers there. */
export class Unreachable extends CommandFailure {}

interface Sent {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Behind `/v1/admin/`. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: object;
}

/** Read to its end: an answer that breaks off is as good as none. */
interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** All methods throw AdminProblem where the service refuses, and Unreachable where there is none. */
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

  /** A page of lines, and the cursor of the next one; null at the end. */
  async page(path: string, query: Query): Promise<{ readonly text: string; readonly next: string | null }> {
    const { bytes, headers } = await this.#ask({ method: 'GET', path: path + search(query) }, READ_RETRIES);
    return { text: new TextDecoder().decode(bytes), next: headers.get('x-next') };
  }

  /** A question that may hold a number, and therefore has a body. */
  async find<Value>(path: string, body: object): Promise<Value> {
    return json(await this.#ask({ method: 'POST', path, body }, READ_RETRIES));
  }

  /** One intended change: asked for until it is answered, made once. */
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
    // A change may have been made by a try whose answer was lost.
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

/** Nobody was there to hear it. */
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

/** As the wire contract has it: shared/admin.ts is what both sides are compiled against. */
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

/** 503 passes. But values that are not in KV yet take longer, and whoever pushes knows more about them. */
function isTemporary(answer: Answer): boolean {
  if (answer.status !== 503) return false;
  const code = problemIn(answer)?.code;
  return code !== 'RELEASE_INCOMPLETE' && code !== 'NOT_CONFIGURED';
}

function isChange({ headers }: Sent): boolean {
  return headers?.['idempotency-key'] !== undefined;
}

/** @param retryAfter of the answer: seconds */
export function pauseMs(tried: number, retryAfter: string | null): number {
  const asked = Number(retryAfter ?? Number.NaN) * 1000;
  return Math.min(PAUSE_MS_MAX, Number.isNaN(asked) ? PAUSE_MS * 2 ** tried : Math.max(asked, PAUSE_MS));
}

function failureOf(answer: Answer, url: string): CommandFailure {
  const problem = problemIn(answer);
  if (problem !== null) return new AdminProblem(problem);
  return new CommandFailure(
    `${url} answered ${answer.status}, and not as numgate does: is NUMGATE_URL numgate's?`,
  );
}

/** fetch says why only in the cause. */
function wordsOf({ message, cause }: Error): string {
  return cause instanceof Error && cause.message !== '' ? cause.message : message;
}

/** Where the service answers. */
export function serviceUrl(): string {
  const url = process.env.NUMGATE_URL?.trim() || `http://localhost:${servicePort()}`;
  return addressOf(url, 'NUMGATE_URL');
}

/** On which `npm start` has it. */
export function servicePort(): number {
  const text = process.env.PORT ?? '8787';
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65_535) return port;
  throw new CommandFailure('PORT must be 0 to 65535', 2);
}

/** @param name of what says the address @throws CommandFailure where it is none that can be asked */
export function addressOf(url: string, name: string): string {
  // `control.example.com` is no URL, and `localhost:8787` one with the scheme `localhost`.
  if (URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)) return url;
  throw new CommandFailure(`${name} is not an address, as in https://control.example.com: ${url}`, 2);
}

/** The admin API that the environment names. */
export function adminOfEnvironment(): Admin {
  const url = serviceUrl();
  return new Admin({ url, token: adminToken(url) });
}
