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
import { SingleFlight } from './single-flight.ts';

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
  /** Count as many of these items as the quota has left. @returns how many */
  take(items: number): number;
  /** The head to answer this request from. */
  snapshot(): Promise<Snapshot>;
  /** The head as it is by now, for requests that last. */
  latest(): Promise<Snapshot>;
}

/** Lost with the isolate; every part can be loaded again. */
class Isolate {
  /** Opened once, with what was wrong with them: the environment of an isolate does not change. */
  secrets: Awaited<ReturnType<typeof openSecrets>> | null = null;
  readonly opening = new SingleFlight();
  readonly head = new HeadReader();
  readonly directory = new DirectoryReader();
  readonly quota = new Quota();
}
let isolate = new Isolate();

/** Forget everything, as a new isolate would. */
export function resetIsolate(): void {
  isolate = new Isolate();
}

async function secretsOf({ env, ctx, url, reply }: Call): Promise<Secrets | Response> {
  const own = isolate;
  const load = async (): Promise<void> => {
    own.secrets = await openSecrets(env);
  };
  if (own.secrets === null) {
    await own.opening.wait(load, () => own.secrets !== null, ctx).catch(() => undefined);
  }
  const opened = own.secrets ?? (await openSecrets(env));
  if (!opened.ok) return reply.problem(problem('NOT_CONFIGURED', opened.message), url.pathname);
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
    const clients = await directory.clients(env, secrets, ctx);
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
    // The head was asked for before it was known who asks: some clients bear less than others.
    const snapshot = async (): Promise<Snapshot> => {
      const { asOf, now } = await pinned;
      const staleMs = client.maxStaleSeconds * 1000;
      return now - asOf > staleMs ? head.snapshot(env, secrets, ctx, staleMs) : pinned;
    };
    const take = (items: number): number => quota.take(client, items, env.QUOTA, ctx);
    const latest = (): Promise<Snapshot> => head.snapshot(env, secrets, ctx);
    return handle({ ...call, client, charge, take, snapshot, latest });
  };
}
