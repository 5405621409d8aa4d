/**
 * Builds a Worker from routes. Every request gets a correlator, an unknown path or method gets a problem
 * response, and no error reaches the runtime. A path without parameters takes two map lookups; all others go
 * through the router.
 */
import { Router } from 'itty-router';
import type { RequestContext } from '../edge/context.ts';
import type { Env } from '../env.ts';
import { logBug } from '../log.ts';
import { drain } from './body.ts';
import { after, type MaybePromise } from './maybe-promise.ts';
import { correlatorOf, problem, Reply } from './reply.ts';
import { RequestUrl } from './request-url.ts';

type Handle = (context: RequestContext, params: Readonly<Record<string, string>>) => MaybePromise<Response>;

/** `path` can contain parameters in itty-router syntax: `/v1/admin/releases/:release`. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly handle: Handle;
}

/** What the router matches on. Handlers receive the request context. */
interface Target {
  readonly method: string;
  readonly url: string;
  readonly params?: Record<string, string>;
}

export function appOf(routes: readonly Route[]) {
  const direct = directOf(routes);
  const router = Router<Target & Record<string, unknown>, [RequestContext]>();
  const paths = [...new Set(routes.map(({ path }) => path))];
  for (const { method, path, handle } of routes) {
    const register = { GET: router.get, POST: router.post, PUT: router.put, DELETE: router.delete }[method];
    register(path, (target: Target, context: RequestContext) => handle(context, target.params ?? {}));
  }
  for (const path of paths) {
    const methods = routes.filter((route) => route.path === path).map(({ method }) => method);
    const allow = [...new Set(methods)].sort().join(', ');
    router.all(path, (_target: Target, { reply, url }: RequestContext) =>
      reply.problem(problem('METHOD_NOT_ALLOWED', `use ${allow}`, { headers: { allow } }), url.pathname),
    );
  }
  const notFound = ({ reply, url }: RequestContext): Response =>
    reply.problem(problem('NOT_FOUND', 'see /openapi.json for what there is'), url.pathname);
  router.all('*', (_target: Target, context: RequestContext) => notFound(context));
  const answerOf = (context: RequestContext): MaybePromise<Response> => {
    const { request, url } = context;
    const method = request.method === 'HEAD' ? 'GET' : request.method;
    const handle = direct.get(method)?.get(url.pathname);
    if (handle !== undefined) return handle(context, NO_PARAMETERS);
    // The router ignores a trailing slash. Here it makes a different path.
    return url.pathname.endsWith('/')
      ? notFound(context)
      : router.fetch({ method, url: request.url }, context);
  };
  return (request: Request, env: Env, ctx: ExecutionContext): MaybePromise<Response> => {
    const correlator = correlatorOf(request);
    const reply = new Reply(correlator);
    const url = new RequestUrl(request.url);
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

/** Routes without path parameters, by method and path. */
function directOf(routes: readonly Route[]): ReadonlyMap<string, ReadonlyMap<string, Handle>> {
  const direct = new Map<string, Map<string, Handle>>();
  for (const { method, path, handle } of routes) {
    const paths = direct.get(method) ?? new Map<string, Handle>();
    direct.set(method, paths);
    if (!path.includes(':')) paths.set(path, handle);
  }
  return direct;
}
