/**
 * Asks the service, and checks on every answer what must hold for all of them: the document describes
 * it, it is never cached, it has a correlator, and an error never holds a number.
 */
import { expect } from 'vitest';
import { nameOf } from '../../../shared/fields.ts';
import { Described } from './described.ts';
import { type ClientName, world } from './world.ts';

export interface Request {
  readonly method?: string;
  /** Whose key to send; null for none. */
  readonly client?: ClientName | null;
  /** A value for JSON, or bytes and text as they are. */
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
  /** Whether the request is one that the document does not allow, and is still answered with 200. */
  readonly wrong?: boolean;
  /** Another service than the one with data. */
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

/** Fields of all JSON answers; which of them are there, the document decides. */
export interface Answer {
  readonly id: string | null;
  readonly verdict: string;
  readonly subject: string | null;
  readonly from: string | null;
  readonly to: string | null;
  readonly reasons: readonly Reason[];
  readonly action?: string;
  readonly unenforced?: string;
  readonly readings?: Readonly<Record<string, readonly string[]>>;
  /** Of gateways only. */
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

/** More digits in a row, separators left out, than any message needs: it could be a number. */
const NUMBER_LIKE = /\d(?:[-. ]?\d){7}/;
/** Names of releases, digests and times have as many, and are none. */
const NAMES = /\d{8}T\d{4}Z-[0-9a-f]{8}|\b[0-9a-f]{16,64}\b|\d{4}-\d\d-\d\d(?:T[\d:.]+Z)?/g;

/** What could be a number in a text. */
export function numbersIn(text: string): string[] {
  return text.replace(NAMES, '').match(NUMBER_LIKE) ?? [];
}

let described: Described | null = null;

/** The document that the service serves. */
export async function document(): Promise<Described> {
  described ??= new Described(
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
export async function ask(path: string, request: Request = {}): Promise<Reply> {
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
  const isJson = /^application\/(problem\+)?json$/.test(response.headers.get('content-type') ?? '');
  const json = (isJson && text !== '' ? JSON.parse(text) : null) as Answer;
  expect(response.headers.get('cache-control')).toBe('no-store');
  expect(response.headers.get('x-correlator')).toMatch(/^[\w\-:;./<>{}]{1,256}$/);
  const route = new URL(path, base).pathname;
  if (method !== 'HEAD') {
    expect((await document()).responseErrors(route, method, response, isJson ? json : text)).toBe('');
  }
  if (response.status >= 400) expect(numbersIn(text)).toEqual([]);
  if (response.ok && json !== null) {
    checkActions(json);
    const asked = bodyOf(body);
    if (typeof asked === 'string' && request.wrong !== true) {
      expect((await document()).requestErrors(route, method, JSON.parse(asked))).toBe('');
    }
  }
  return { status: response.status, headers: response.headers, text, json };
}

/** `action` stands on every `indeterminate` answer, and nowhere else. */
export function checkActions(answer: Answer): void {
  for (const one of [answer, ...(answer.results ?? [])]) {
    if (one.verdict !== undefined) expect('action' in one).toBe(one.verdict === 'indeterminate');
  }
}

/** One question, as JSON. */
export async function check(question: Record<string, unknown>, request: Request = {}): Promise<Answer> {
  const { status, json } = await ask('/v1/check', { ...request, body: question });
  expect(status).toBe(200);
  return json;
}

/** A stream of text. @returns the lines of the answer, without their ends */
export async function stream(body: unknown, request: Request & { query?: string } = {}): Promise<string[]> {
  const headers = { 'content-type': 'text/plain', ...request.headers };
  const { status, text } = await ask(`/v1/check/stream${request.query ?? ''}`, { ...request, body, headers });
  expect([status, status === 200 ? '' : text]).toEqual([200, '']);
  expect(text === '' || text.endsWith('\n')).toBe(true);
  return text.split('\n').slice(0, -1);
}

/** A stream of NDJSON. @returns the parsed lines of the answer, each as the document describes it */
export async function streamJson(body: unknown, request: Request = {}): Promise<Answer[]> {
  const lines = await stream(body, { ...request, headers: { 'content-type': 'application/x-ndjson' } });
  const openapi = await document();
  return lines.map((line) => {
    const value = JSON.parse(line) as Answer;
    expect(openapi.errorsAs('StreamLine', value)).toBe('');
    checkActions(value);
    return value;
  });
}

/** Expect a problem with this status, code and field. */
export async function refused(
  [path, request]: readonly [path: string, request: Request],
  [status, code, field]: readonly [status: number, code: string, field?: string | undefined],
): Promise<Reply> {
  const reply = await ask(path, request);
  expect([reply.status, reply.json.code, reply.json.field]).toEqual([status, code, field]);
  expect(reply.headers.get('content-type')).toBe('application/problem+json');
  const instance = nameOf(path.split('?')[0]!);
  expect(reply.json).toMatchObject({ status, detail: reply.json.message, instance });
  return reply;
}

/**
 * Run within one quota window. Where a new one began meanwhile, everything is run again: counts that
 * a test looks at start anew with the window.
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
