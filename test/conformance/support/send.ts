/**
 * Sends requests to the service. Checks that the OpenAPI document describes every response, that no response is cached, that
 * each one has a correlator, and that an error contains no number.
 */
import { expect } from 'vitest';
import { nameOf } from '../../../shared/fields.ts';
import { OpenApi } from './openapi.ts';
import { type ClientName, world } from './world.ts';

export interface Request {
  readonly method?: string;
  /** The owner of the key; null for no key. */
  readonly client?: ClientName | null;
  /** A value for JSON. Bytes and text are sent unchanged. */
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
  /** Set if the document does not allow the request although the service returns 200. */
  readonly undocumented?: boolean;
  /** URL of another service, instead of the main one. */
  readonly base?: string;
}

export interface Reason {
  readonly subject: string;
  readonly code: string;
  readonly list: string | null;
  readonly match: string;
  readonly effect: string;
  readonly authority: string | null;
  readonly until: string | null;
  readonly detail?: string;
}

/** Fields of all JSON responses. The document defines the fields of each response. */
export interface Answer {
  readonly id: string | null;
  /** Only in batches with `report` `hits`. */
  readonly index?: number;
  readonly verdict: string;
  readonly subject: string | null;
  readonly from: string | null;
  readonly to: string | null;
  readonly reasons: readonly Reason[];
  readonly action?: string;
  readonly unenforced?: string;
  readonly readings?: Readonly<Record<string, readonly string[]>>;
  /** Only in responses of `/v1/senders/check`. */
  readonly registration?: string | null;
  readonly requireRegistration?: string;
  readonly text?: Readonly<Record<string, unknown>>;
  readonly mock?: boolean;
  /** The fields from here to `cacheUntil` are only in gateway responses. */
  readonly policy?: { readonly version: number; readonly rule: string | null };
  readonly evidence?: Readonly<Record<string, unknown>>;
  readonly sip?: Readonly<Record<string, unknown>> | null;
  readonly smpp?: { readonly commandStatus: number } | null;
  readonly label?: string | null;
  readonly withholdCli?: boolean;
  readonly cacheUntil?: string;
  readonly release: string | null;
  readonly seq: number;
  readonly asOf: string | null;
  readonly stale: boolean;
  readonly status: number | string;
  readonly missing?: readonly string[];
  readonly summary: Record<string, number>;
  readonly results: readonly Answer[];
  readonly error: { readonly code: string; readonly field: string; readonly message: string };
  readonly code: string;
  readonly title: string;
  readonly detail: string;
  readonly message: string;
  readonly instance: string;
  readonly field?: string;
}

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly json: Answer;
}

/** This many digits, ignoring separators, could be a number. No message needs so many. */
const NUMBER_LIKE = /\d(?:[-. ]?\d){7}/;
/** Names of releases, digests and times also have many digits. */
const NAMES = /\d{8}T\d{4}Z-[0-9a-f]{8}|\b[0-9a-f]{16,64}\b|\d{4}-\d\d-\d\d(?:T[\d:.]+Z)?/g;

/** The parts of a text that could be numbers. */
export function numbersIn(text: string): string[] {
  return text.replace(NAMES, '').match(NUMBER_LIKE) ?? [];
}

let described: OpenApi | null = null;

/** The OpenAPI document, as the service serves it. */
export async function openApi(): Promise<OpenApi> {
  described ??= new OpenApi(
    (await (await fetch(`${world().url}/openapi.json`)).json()) as Record<string, unknown>,
  );
  return described;
}

function bodyOf(body: unknown): BodyInit | null {
  if (body === undefined) return null;
  if (typeof body === 'string' || body instanceof Uint8Array || body instanceof ReadableStream)
    return body as BodyInit;
  return JSON.stringify(body);
}

/** @param path with its query */
export async function send(path: string, request: Request = {}): Promise<Reply> {
  const { body, client = 'bulk', base = world().url } = request;
  const method = request.method ?? (body === undefined ? 'GET' : 'POST');
  const key = client === null ? {} : { authorization: `Bearer ${world().keys[client]}` };
  const type = body === undefined ? {} : { 'content-type': 'application/json' };
  const response = await fetch(base + path, {
    method,
    headers: { ...key, ...type, ...request.headers },
    body: bodyOf(body),
    ...({ duplex: 'half' } as object),
  });
  const text = await response.text();
  const isJson = /^application\/(?:(?:problem|cloudevents-batch)\+)?json$/.test(
    response.headers.get('content-type') ?? '',
  );
  const json = (isJson && text !== '' ? JSON.parse(text) : null) as Answer;
  expect(response.headers.get('cache-control')).toBe('no-store');
  expect(response.headers.get('x-correlator')).toMatch(/^[\w\-:;./<>{}]{1,256}$/);
  const route = new URL(path, base).pathname;
  if (method !== 'HEAD') {
    expect((await openApi()).responseErrors(route, method, response, isJson ? json : text)).toBe('');
  }
  if (response.status >= 400) expect(numbersIn(text)).toEqual([]);
  if (response.ok && json !== null) {
    checkActions(json);
    const sent = bodyOf(body);
    if (typeof sent === 'string' && request.undocumented !== true) {
      expect((await openApi()).requestErrors(route, method, JSON.parse(sent))).toBe('');
    }
  }
  return { status: response.status, headers: response.headers, text, json };
}

/** Checks that exactly the `indeterminate` responses have an `action`. */
export function checkActions(answer: Answer): void {
  for (const one of [answer, ...(answer.results ?? [])]) {
    if (one.verdict !== undefined) expect('action' in one).toBe(one.verdict === 'indeterminate');
  }
}

/** Sends one check as JSON. */
export async function check(question: Record<string, unknown>, request: Request = {}): Promise<Answer> {
  const { status, json } = await send('/v1/check', { ...request, body: question });
  expect(status).toBe(200);
  return json;
}

/** Sends a stream of text. @returns the lines of the response, without line ends */
export async function stream(body: unknown, request: Request & { query?: string } = {}): Promise<string[]> {
  const headers = { 'content-type': 'text/plain', ...request.headers };
  const { status, text } = await send(`/v1/check/stream${request.query ?? ''}`, {
    ...request,
    body,
    headers,
  });
  expect([status, status === 200 ? '' : text]).toEqual([200, '']);
  expect(text === '' || text.endsWith('\n')).toBe(true);
  return text.split('\n').slice(0, -1);
}

/** Sends a stream of NDJSON. @returns the parsed lines of the response, each checked against the document */
export async function streamJson(body: unknown, request: Request = {}): Promise<Answer[]> {
  const headers = { 'content-type': 'application/x-ndjson', ...request.headers };
  const lines = await stream(body, { ...request, headers });
  const openapi = await openApi();
  return lines.map((line) => {
    const value = JSON.parse(line) as Answer;
    expect(openapi.errorsAs('StreamLine', value)).toBe('');
    checkActions(value);
    return value;
  });
}

/** Expects a problem with this status, code and field. */
export async function expectRefused(
  [path, request]: readonly [path: string, request: Request],
  [status, code, field]: readonly [status: number, code: string, field?: string | undefined],
): Promise<Reply> {
  const reply = await send(path, request);
  expect([reply.status, reply.json.code, reply.json.field]).toEqual([status, code, field]);
  expect(reply.headers.get('content-type')).toBe('application/problem+json');
  const instance = nameOf(path.split('?')[0]!);
  expect(reply.json).toMatchObject({ status, detail: reply.json.message, instance });
  return reply;
}

/**
 * Runs a test within one quota window. If a new window begins meanwhile, the test runs again, because the counts start again.
 */
export async function inOneWindow(run: () => Promise<void>): Promise<void> {
  for (;;) {
    const window = (): number => Math.floor(Date.now() / 60_000);
    const before = window();
    try {
      await run();
      if (window() === before) return;
    } catch (error) {
      if (window() === before) throw error;
    }
  }
}
