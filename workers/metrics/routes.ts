/**
 * `/metrics`: gauges and counters of all stores. However often it is scraped, an isolate reads the stores at most once in
 * METRICS_FRESH_MS. There are no latencies: the clock of a Worker stands still while it computes.
 */
import { toHex, utf8 } from '../../shared/bytes.ts';
import {
  METRICS_FRESH_MS,
  METRICS_KEPT_MS,
  METRICS_READING_WAIT_MS,
  METRICS_TOKEN_KEPT_MS,
  METRICS_WAIT_MS,
} from '../../shared/limits/metrics.ts';
import { ok, type Result } from '../../shared/result.ts';
import { authenticate } from '../admin/authentication.ts';
import { coordinatorOf } from '../admin/coordinator-stub.ts';
import type { ControlEnv } from '../env.ts';
import { prefersText } from '../http/accept.ts';
import type { Handler, RequestContext, Route } from '../http/app.ts';
import { matches } from '../http/credentials.ts';
import { type Problem, problem } from '../http/reply.ts';
import { within } from '../storage/single-flight.ts';
import { METRIC_FORMATS, type Samples } from './exposition.ts';
import { readStores } from './reading.ts';

/** The last reading of this isolate. */
let reading: { readonly samples: Samples; readonly at: number } | null = null;
let flight: { readonly promise: Promise<void>; readonly at: number } | null = null;
/** The last verified Authorization header, as SHA-256 in hex. */
let verified: { readonly digest: string; readonly at: number } | null = null;

/** Resets all state, as a new isolate would. */
export function resetMetrics(): void {
  reading = null;
  flight = null;
  verified = null;
}

const metrics: Handler = async (context) => {
  const allowed = await authorise(context);
  if (!allowed.ok) return allowed;
  const { request, reply } = context;
  if (!isWithin(METRICS_FRESH_MS)) await read(context);
  if (reading === null || !isWithin(METRICS_KEPT_MS))
    return problem('UNAVAILABLE', 'the stores cannot be read now; try again');
  const format = prefersText(request) && !isOpen(request) ? 'prometheus' : 'openmetrics';
  return reply.metrics(reading.samples.format(format), METRIC_FORMATS[format]);
};

function isWithin(ms: number): boolean {
  return reading !== null && Date.now() - reading.at < ms;
}

/** Reads the stores once for all waiting requests. The first one keeps the reading alive; if it dies, another begins. */
async function read({ env, ctx }: RequestContext): Promise<void> {
  if (flight === null || Date.now() - flight.at >= METRICS_READING_WAIT_MS) {
    const at = Date.now();
    const promise = readStores(env as unknown as ControlEnv).then((samples) => {
      // A reading that took too long may end after a later one.
      if (reading === null || reading.at <= at) reading = { samples, at };
      if (flight?.at === at) flight = null;
    });
    flight = { promise, at };
    ctx.waitUntil(promise);
  }
  await within(flight.promise, METRICS_READING_WAIT_MS).catch(() => undefined);
}

/** Whether the reader knows OpenMetrics. Such readers also accept plain text. */
function isOpen({ headers }: Request): boolean {
  return (headers.get('accept') ?? '').includes('application/openmetrics-text');
}

/** Metrics are needed most while the coordinator does not respond, so a recently verified token is enough then. */
async function authorise(context: RequestContext): Promise<Result<void, Problem>> {
  const coordinator = coordinatorOf(context.env as unknown as ControlEnv);
  const unavailable = problem('UNAVAILABLE', 'the coordinator does not respond; try again');
  const actor = await within(authenticate(context, coordinator), METRICS_WAIT_MS).catch(() => unavailable);
  const authorization = context.request.headers.get('authorization') ?? '';
  if (actor.ok) {
    if (!actor.value.scopes.includes('metrics'))
      return problem('PERMISSION_DENIED', 'this request needs the scope "metrics"');
    verified = { digest: await digestOf(authorization), at: Date.now() };
    return ok(undefined);
  }
  const isKnown =
    verified !== null &&
    Date.now() - verified.at < METRICS_TOKEN_KEPT_MS &&
    (await matches(authorization, [verified.digest]));
  if (isKnown && actor.code === 'UNAVAILABLE') return ok(undefined);
  // The token was removed.
  if (isKnown) verified = null;
  return actor;
}

async function digestOf(authorization: string): Promise<string> {
  return toHex(new Uint8Array(await crypto.subtle.digest('SHA-256', utf8(authorization))));
}

export const METRICS_ROUTES: readonly Route[] = [{ method: 'GET', path: '/metrics', handle: metrics }];
