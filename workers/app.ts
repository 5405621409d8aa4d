/**
 * Makes a Worker out of routes: correlator, one answer for each path and method that is not there, and
 * no error that reaches the runtime. A path without parameters costs two look-ups; the router is for the rest.
 */
import { Router } from 'itty-router';
import { Address } from './address.ts';
import { drain } from './body.ts';
import type { Call } from './call.ts';
import type { Env } from './env.ts';
import { correlatorOf, problem, Reply } from './http.ts';
import { logBug } from './log.ts';
import { after, type MaybePromise } from './maybe-promise.ts';

type Handle = (call: Call, params: Readonly<Record<string, string>>) => MaybePromise<Response>;

/** `path` may have parameters as itty-router writes them: `/v1/admin/releases/:release`. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly handle: Handle;
}

/** What the router matches on; handlers get the call. */
interface Target {
  readonly method: string;
  readonly url: string;
  readonly params?: Record<string, string>;
}

/** The `fetch` handler of a Worker with these routes. */
export function appOf(routes: readonly Route[]) {
  const direct = directOf(routes);
  const router = Router<Target & Record<string, unknown>, [Call]>();
  const paths = [...new Set(routes.map(({ path }) => path))];
  for (const { method, path, handle } of routes) {
    const register = { GET: router.get, POST: router.post, PUT: router.put, DELETE: router.delete }[method];
    register(path, (target: Target, call: Call) => handle(call, target.params ?? {}));
  }
  for (const path of paths) {
    const methods = routes.filter((route) => route.path === path).map(({ method }) => method);
    const allow = [...new Set(methods)].sort().join(', ');
    router.all(path, (_target: Target, { reply, url }: Call) =>
      reply.problem(problem('METHOD_NOT_ALLOWED', `use ${allow}`, { headers: { allow } }), url.pathname),
    );
  }
  const notFound = ({ reply, url }: Call): Response =>
    reply.problem(problem('NOT_FOUND', 'see /openapi.json for what there is'), url.pathname);
  router.all('*', (_target: Target, call: Call) => notFound(call));
  const answerOf = (call: Call): MaybePromise<Response> => {
    const { request, url } = call;
    const method = request.method === 'HEAD' ? 'GET' : request.method;
    const handle = direct.get(method)?.get(url.pathname);
    if (handle !== undefined) return handle(call, NO_PARAMETERS);
    // The router takes a slash at the end for nothing; here it is another path.
    return url.pathname.endsWith('/') ? notFound(call) : router.fetch({ method, url: request.url }, call);
  };
  return (request: Request, env: Env, ctx: ExecutionContext): MaybePromise<Response> => {
    const correlator = correlatorOf(request);
    const reply = new Reply(correlator);
    const url = new Address(request.url);
    const failed = (error: unknown): Response => {
      logBug(error, correlator);
      return reply.problem(problem('INTERNAL', 'the service failed; quote x-correlator'), url.pathname);
    };
    try {
      const answer = answerOf({ request, url, env, ctx, reply });
      const done = after(answer, (response) => after(drain(request), () => response));
      return done instanceof Promise ? done.catch(failed) : done;
    } catch (error) {
      return failed(error);
    }
  };
}

const NO_PARAMETERS = {};

/** The routes whose paths have no parameters, by method and path. */
function directOf(routes: readonly Route[]): ReadonlyMap<string, ReadonlyMap<string, Handle>> {
  const direct = new Map<string, Map<string, Handle>>();
  for (const { method, path, handle } of routes) {
    const paths = direct.get(method) ?? new Map<string, Handle>();
    direct.set(method, paths);
    if (!path.includes(':')) paths.set(path, handle);
  }
  return direct;
}
