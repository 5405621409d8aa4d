/**
 * Entry of the data plane: reads Workers KV, answers, writes no list and holds no admin secret.
 */
import { Router } from 'itty-router';
import { checkBatch } from './batch.ts';
import { drain } from './body.ts';
import { type Call, forClients } from './call.ts';
import { checkGet, checkPost } from './check.ts';
import type { Env } from './env.ts';
import { correlatorOf, problem, Reply } from './http.ts';
import { logBug } from './log.ts';
import { describe, health } from './service.ts';
import { checkStream } from './stream.ts';

/** What the router matches on; handlers get the call. */
interface Target {
  readonly method: string;
  readonly url: string;
}

const METHODS: Record<string, string> = {
  '/v1/check': 'GET, POST',
  '/v1/check/batch': 'POST',
  '/v1/check/stream': 'POST',
  '/healthz': 'GET',
  '/openapi.json': 'GET',
};

const router = Router<Target & Record<string, unknown>, [Call]>();
const clients = (handle: Parameters<typeof forClients>[1]) => {
  const guarded = forClients('check', handle);
  return (_target: Target, call: Call): Promise<Response> => guarded(call);
};
router
  .get('/v1/check', clients(checkGet))
  .post('/v1/check', clients(checkPost))
  .post('/v1/check/batch', clients(checkBatch))
  .post('/v1/check/stream', clients(checkStream))
  .get('/healthz', (_target, call) => health(call))
  .get('/openapi.json', (_target, call) => describe(call))
  .all('*', (_target, call) => notHere(call));

function notHere({ reply, url }: Call): Response {
  const allow = METHODS[url.pathname];
  if (allow === undefined) {
    return reply.problem(problem('NOT_FOUND', 'see /openapi.json for what there is'), url.pathname);
  }
  return reply.problem(problem('METHOD_NOT_ALLOWED', `use ${allow}`, { headers: { allow } }), url.pathname);
}

export default {
  async fetch(request, env, ctx): Promise<Response> {
    const correlator = correlatorOf(request);
    const reply = new Reply(correlator);
    const url = new URL(request.url);
    try {
      const call: Call = { request, url, env, ctx, reply };
      if (!Object.hasOwn(METHODS, url.pathname)) return notHere(call);
      const method = request.method === 'HEAD' ? 'GET' : request.method;
      const response = await router.fetch({ method, url: request.url }, call);
      await drain(request);
      return response;
    } catch (error) {
      logBug(error, correlator);
      return reply.problem(problem('INTERNAL', 'the service failed; quote x-correlator'), url.pathname);
    }
  },
} satisfies ExportedHandler<Env>;
