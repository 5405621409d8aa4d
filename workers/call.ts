/**
 * One request on its way through the routes, and what this isolate keeps between requests.
 */
import type { Client, Right } from '../shared/clients.ts';
import { LOAD_BACKOFF_MS } from '../shared/limits.ts';
import type { Snapshot } from '../shared/screen.ts';
import { authenticate } from './auth.ts';
import { DirectoryReader } from './directory.ts';
import { type Env, openSecrets, type Secrets } from './env.ts';
import { HeadReader } from './head.ts';
import { problem, type Reply } from './http.ts';
import { Quota } from './quota.ts';

export interface Call {
  readonly request: Request;
  readonly url: URL;
  readonly env: Env;
  readonly ctx: ExecutionContext;
  readonly reply: Reply;
}

/** A call whose client is known and within its quota. */
export interface ClientCall extends Call {
  readonly client: Client;
  /** Count items against the client's quota. @returns the 429 to answer with, or null */
  charge(items: number): Response | null;
  /** The head to answer this request from. */
  snapshot(): Promise<Snapshot>;
}

/** Lost with the isolate; every part can be loaded again. */
class Isolate {
  secrets: Secrets | null = null;
  readonly head = new HeadReader();
  readonly directory = new DirectoryReader();
  readonly quota = new Quota();
}
let isolate = new Isolate();

/** Forget everything, as a new isolate would. */
export function resetIsolate(): void {
  isolate = new Isolate();
}

async function secretsOf({ env, url, reply }: Call): Promise<Secrets | Response> {
  if (isolate.secrets !== null) return isolate.secrets;
  const opened = await openSecrets(env);
  if (!opened.ok) return reply.problem(problem('NOT_CONFIGURED', opened.message), url.pathname);
  isolate.secrets = opened.value;
  return opened.value;
}

/** The head, for routes that need no client. */
export async function currentSnapshot(call: Call): Promise<Snapshot | Response> {
  const secrets = await secretsOf(call);
  if (secrets instanceof Response) return secrets;
  return isolate.head.snapshot(call.env, secrets, call.ctx);
}

/** A route for clients with this right. Secrets, directory and head are loaded side by side. */
export function forClients(right: Right, handle: (call: ClientCall) => Promise<Response>) {
  return async (call: Call): Promise<Response> => {
    const { env, ctx, url, reply } = call;
    const { head, directory, quota } = isolate;
    const secrets = await secretsOf(call);
    if (secrets instanceof Response) return secrets;
    const pinned = head.snapshot(env, secrets, ctx);
    const clients = await directory.clients(env, ctx);
    if (clients === null) {
      const headers = { 'retry-after': String(Math.ceil(LOAD_BACKOFF_MS / 1000)) };
      const message = 'the client directory is not loaded yet; try again';
      return reply.problem(problem('UNAVAILABLE', message, { headers }), url.pathname);
    }
    const authenticated = await authenticate(call.request, clients, right);
    if ('problem' in authenticated) return reply.problem(authenticated.problem, url.pathname);
    const { client } = authenticated;
    const charge = (items: number): Response | null => {
      const exceeded = quota.charge(client, items, env.QUOTA, ctx);
      for (const [name, value] of Object.entries(quota.headers(client))) reply.header(name, value);
      return exceeded === null ? null : reply.problem(exceeded, url.pathname);
    };
    return handle({ ...call, client, charge, snapshot: () => pinned });
  };
}
