/**
 * Makes a Worker out of routes: correlator, one answer for each path and method that is not there, and
 * no error that reaches the runtime.
 */
import { Router } from 'itty-router';
import { drain } from './body.ts';
import type { Call } from './call.ts';
import type { Env } from './env.ts';
import { correlatorOf, problem, Reply } from './http.ts';
import { logBug } from './log.ts';

/** `path` may have parameters as itty-router writes them: `/v1/admin/releases/:release`. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly handle: (call: Call, params: Readonly<Record<string, string>>) => Promise<Response>;
}

/** What the router matches on; handlers get the call. */
interface Target {
  readonly method: string;
  readonly url: string;
  readonly params?: Record<string, string>;
}

/** The `fetch` handler of a Worker with these routes. */
export function appOf(routes: readonly Route[]) {
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
  return async (request: Request, env: Env, ctx: ExecutionContext): Promise<Response> => {
    const correlator = correlatorOf(request);
    const reply = new Reply(correlator);
    const url = new URL(request.url);
    try {
      const call: Call = { request, url, env, ctx, reply };
      const method = request.method === 'HEAD' ? 'GET' : request.method;
      // The router takes a slash at the end for nothing; here it is another path.
      const response: Response = url.pathname.endsWith('/')
        ? notFound(call)
        : await router.fetch({ method, url: request.url }, call);
      await drain(request);
      return response;
    } catch (error) {
      logBug(error, correlator);
      return reply.problem(problem('INTERNAL', 'the service failed; quote x-correlator'), url.pathname);
    }
  };
}
