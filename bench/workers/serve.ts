/** The entry point of a Worker of the benchmarks. Each path is one command, and the response is its result as JSON. */

type Command<Env> = (
  query: URLSearchParams,
  body: Uint8Array<ArrayBuffer>,
  env: Env,
  ctx: ExecutionContext,
) => unknown;

export function serve<Env>(commands: Readonly<Record<string, Command<Env>>>) {
  return {
    async fetch(request: Request, env: Env, ctx: ExecutionContext): Promise<Response> {
      const { pathname, searchParams } = new URL(request.url);
      const body = new Uint8Array(await request.arrayBuffer());
      try {
        return Response.json((await commands[pathname]!(searchParams, body, env, ctx)) ?? null);
      } catch (error) {
        return new Response(String(error), { status: 500 });
      }
    },
  };
}
