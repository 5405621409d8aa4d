/**
 * Asks the Worker: as a real request with a life of its own, or in the test's own context, where the work
 * that goes on behind the answer can be awaited.
 */
import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test';
import { env, exports } from 'cloudflare:workers';
import type { Reason } from '../../../shared/verdict.ts';
import worker from '../../../workers/edge.ts';
import type { Env } from '../../../workers/env.ts';
import { keyOf } from './clients.ts';

/** Everything that an answer or a problem may hold, as it is on the wire. */
export interface Wire {
  readonly verdict?: string;
  readonly reasons?: readonly Reason[];
  readonly action?: string;
  readonly release?: string | null;
  readonly seq?: number;
  readonly asOf?: string | null;
  readonly stale?: boolean;
  readonly results?: readonly Wire[];
  readonly summary?: Readonly<Record<string, number>>;
  readonly code?: string;
  readonly message?: string;
}

export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Wire;
}

const ORIGIN = 'https://numgate.test';

export interface Asking {
  readonly path?: string;
  /** Sent as JSON, unless it is text. */
  readonly body?: unknown;
  /** A client of clients.ts. */
  readonly client?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Name of the data centre that it comes to, as Cloudflare says it. */
  readonly dataCentre?: string;
}

export function request({
  path = '/v1/check',
  body,
  client = 'open',
  headers = {},
  dataCentre,
}: Asking): Request {
  return new Request(`${ORIGIN}${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { authorization: `Bearer ${keyOf(client)}`, 'content-type': 'application/json', ...headers },
    ...(dataCentre === undefined ? {} : { cf: cameTo(dataCentre) }),
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
}

/** `cf` of a request that comes in; what may be given to one that goes out has no data centre. */
function cameTo(dataCentre: string): CfProperties {
  return { colo: dataCentre } as Partial<IncomingRequestCfProperties> as CfProperties;
}

async function read(response: Response): Promise<Answered> {
  const text = new TextDecoder().decode(await response.arrayBuffer());
  const isJson = /^application\/(problem\+)?json/.test(response.headers.get('content-type') ?? '');
  return {
    status: response.status,
    headers: response.headers,
    body: isJson ? (JSON.parse(text) as Wire) : {},
  };
}

/** As a request of its own, as clients do. */
export async function ask(asking: Asking): Promise<Answered> {
  return read(await exports.default.fetch(request(asking)));
}

/** In the context of the test, with bindings that may be replaced; the background work goes on. */
export async function askHere(asking: Asking, bindings: Partial<Env> = {}): Promise<Answered> {
  return read(await worker.fetch(incoming(asking), { ...env, ...bindings }, createExecutionContext()));
}

/** As askHere, and then wait for all that the answer left to the background. */
export async function askAndSettle(asking: Asking, bindings: Partial<Env> = {}): Promise<Answered> {
  const ctx = createExecutionContext();
  const answered = await read(await worker.fetch(incoming(asking), { ...env, ...bindings }, ctx));
  await waitOnExecutionContext(ctx);
  return answered;
}

/** The answer as it comes, unread. */
export async function fetchHere(incoming: Request, bindings: Partial<Env> = {}): Promise<Response> {
  return worker.fetch(incoming as Incoming, { ...env, ...bindings }, createExecutionContext());
}

/** The Worker reads nothing of `cf` but the data centre. */
type Incoming = Parameters<typeof worker.fetch>[0];
function incoming(asking: Asking): Incoming {
  return request(asking) as Incoming;
}

/** `<verdict> <codes>` of an answer, the deciding code first. */
export function said({ verdict, reasons = [] }: Wire): string {
  return [verdict, ...reasons.map(({ code }) => code)].join(' ');
}
