/**
 * Builds a Worker from routes. Every request gets a correlator, every failure becomes a response here, and no
 * error reaches the runtime. A path without parameters takes two map lookups; all others go through the
 * router.
 */
import { Router } from 'itty-router';
import type { Result } from '../../shared/result.ts';
import type { Env } from '../env.ts';
import { logBug } from '../log.ts';
import { drain } from './body.ts';
import { correlatorOf, EDGE_PROBLEMS, type Problem, type Problems, problem, Reply } from './reply.ts';
import { RequestUrl } from './request-url.ts';

/** One request. Handlers create their response with `reply`. */
export interface RequestContext {
  readonly request: Request;
  readonly url: RequestUrl;
  readonly env: Env;
  readonly ctx: ExecutionContext;
  readonly reply: Reply;
}

export type Answer = Result<Response, Problem>;
/** Path parameters, by name. */
export type PathParameters = Readonly<Record<string, string>>;
export type Handler = (context: RequestContext, params: PathParameters) => Promise<Answer>;

/** `path` can contain parameters in itty-router syntax: `/v1/admin/releases/:release`. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly handle: Handler;
}

/** The fields that the router matches on. Handlers receive the request context. */
interface Target extends Record<string, unknown> {
  readonly method: string;
  readonly url: string;
  readonly params?: Record<string, string>;
}

const NO_PARAMETERS = {};

/** @param problems that the routes can return */
export function appOf(routes: readonly Route[], problems: Problems = EDGE_PROBLEMS) {
  const route = routerOf(routes);
  return async (request: Request, env: Env, ctx: ExecutionContext): Promise<Response> => {
    const correlator = correlatorOf(request);
    const reply = new Reply(correlator, problems);
    const url = new RequestUrl(request.url);
    try {
      const answer = await route({ request, url, env, ctx, reply });
      if (!request.bodyUsed && request.body !== null) await drain(request, request.body);
      return answer.ok ? answer.value : reply.problem(answer, url.pathname);
    } catch (error) {
      logBug(error, correlator);
      const failed = problem('INTERNAL', 'the service failed; report the x-correlator of this response');
      return reply.problem(failed, url.pathname);
    }
  };
}

/** Finds the handler of a request by its method and path. */
function routerOf(routes: readonly Route[]): (context: RequestContext) => Promise<Answer> {
  const direct = new Map<string, Map<string, Handler>>();
  const router = Router<Target, [RequestContext]>();
  // Register path by path: a fixed word, such as "import", must not fall through to a parameter in the same place.
  for (const path of new Set(routes.map((route) => route.path))) {
    const own = routes.filter((route) => route.path === path);
    for (const { method, handle } of own) {
      const register = {
        ...{ GET: router.get, POST: router.post, PUT: router.put },
        ...{ PATCH: router.patch, DELETE: router.delete },
      }[method];
      register(path, ({ params }: Target, context: RequestContext) => handle(context, params ?? {}));
      if (path.includes(':')) continue;
      const paths = direct.get(method) ?? new Map<string, Handler>();
      direct.set(method, paths.set(path, handle));
    }
    const methods: string[] = own.map(({ method }) => method);
    // Every GET also answers HEAD.
    const allow = (methods.includes('GET') ? ['HEAD', ...methods] : methods).sort().join(', ');
    router.all(path, () =>
      problem('METHOD_NOT_ALLOWED', `use ${allow} for this path`, { headers: { allow } }),
    );
  }
  const notFound = problem(
    'NOT_FOUND',
    'this path does not exist: see /openapi.json for the paths of the service',
  );
  router.all('*', async () => notFound);
  return (context) => {
    const { request, url } = context;
    const method = request.method === 'HEAD' ? 'GET' : request.method;
    const handle = direct.get(method)?.get(url.pathname);
    if (handle !== undefined) return handle(context, NO_PARAMETERS);
    // The router ignores a trailing slash. Here it makes a different path.
    if (url.pathname.endsWith('/')) return Promise.resolve(notFound);
    return router.fetch({ method, url: request.url }, context);
  };
}
