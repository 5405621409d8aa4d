/**
 * Sends requests to the Worker, either as independent requests, or in the context of the test, which can await
 * the work that continues after a response.
 */
import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test';
import { env, exports } from 'cloudflare:workers';
import type { Reason } from '../../../shared/verdict.ts';
import worker from '../../../workers/edge.ts';
import type { Env } from '../../../workers/env.ts';
import { keyOf } from './clients.ts';

/** Every field that a response or a problem may have on the wire. */
export interface WireBody {
  readonly verdict?: string;
  readonly reasons?: readonly Reason[];
  readonly action?: string;
  readonly release?: string | null;
  readonly seq?: number;
  readonly asOf?: string | null;
  readonly stale?: boolean;
  readonly results?: readonly WireBody[];
  readonly summary?: Readonly<Record<string, number>>;
  readonly code?: string;
  readonly message?: string;
}

export interface WireResponse {
  readonly status: number;
  readonly headers: Headers;
  readonly body: WireBody;
}

/** Without the objects of counts, because each flush is a timer of many seconds after a response. */
const BINDINGS: Env = { ...env, USAGE: undefined };

const ORIGIN = 'https://numgate.test';

export interface RequestOptions {
  readonly path?: string;
  /** Sent as JSON, unless it is a string. */
  readonly body?: unknown;
  /** A client of clients.ts. */
  readonly client?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Name of the data centre that receives it, as Cloudflare reports it. */
  readonly dataCentre?: string;
  /** Further properties that Cloudflare observed. */
  readonly cf?: object;
}

export function request({
  path = '/v1/check',
  body,
  client = 'open',
  headers = {},
  dataCentre,
  cf,
}: RequestOptions): Request {
  return new Request(`${ORIGIN}${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { authorization: `Bearer ${keyOf(client)}`, 'content-type': 'application/json', ...headers },
    ...(dataCentre === undefined ? {} : { cf: fromDataCentre(dataCentre) }),
    ...(cf === undefined ? {} : { cf: cf as CfProperties }),
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
}

/** The `cf` of an incoming request. The type for outgoing requests has no data centre. */
function fromDataCentre(dataCentre: string): CfProperties {
  return { colo: dataCentre } as Partial<IncomingRequestCfProperties> as CfProperties;
}

async function read(response: Response): Promise<WireResponse> {
  const text = new TextDecoder().decode(await response.arrayBuffer());
  const isJson = /^application\/(problem\+)?json/.test(response.headers.get('content-type') ?? '');
  return {
    status: response.status,
    headers: response.headers,
    body: isJson ? (JSON.parse(text) as WireBody) : {},
  };
}

/** Sends an independent request, like those of clients. */
export async function send(options: RequestOptions): Promise<WireResponse> {
  return read(await exports.default.fetch(request(options)));
}

/** A response with background work behind it. */
interface UnsettledResponse extends WireResponse {
  /** Waits for the background work. Work that goes on after a test could write the head of that test for the next one. */
  readonly settle: () => Promise<void>;
}

/** Sends in the context of the test, with bindings that may be replaced. Background work continues. */
export async function sendHere(
  options: RequestOptions,
  bindings: Partial<Env> = {},
): Promise<UnsettledResponse> {
  const ctx = createExecutionContext();
  const response = await read(await worker.fetch(incoming(options), { ...BINDINGS, ...bindings }, ctx));
  return { ...response, settle: () => waitOnExecutionContext(ctx) };
}

/** Like `sendHere`, and then waits for all background work. */
export async function sendAndSettle(
  options: RequestOptions,
  bindings: Partial<Env> = {},
): Promise<WireResponse> {
  const { settle, ...response } = await sendHere(options, bindings);
  await settle();
  return response;
}

/** Returns the response unread. */
export async function fetchHere(incoming: Request, bindings: Partial<Env> = {}): Promise<Response> {
  return worker.fetch(incoming as Incoming, { ...BINDINGS, ...bindings }, createExecutionContext());
}

/** The Worker reads only the data centre from `cf`. */
type Incoming = Parameters<typeof worker.fetch>[0];
function incoming(options: RequestOptions): Incoming {
  return request(options) as Incoming;
}

/** `<verdict> <codes>` of a response, the deciding code first. */
export function summarize({ verdict, reasons = [] }: WireBody): string {
  return [verdict, ...reasons.map(({ code }) => code)].join(' ');
}
