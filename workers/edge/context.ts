/**
 * The context of one request, and the state that an isolate keeps between requests.
 */

import type { Client, Right } from '../../shared/clients.ts';
import { KEY_FRESH_MS, LOAD_BACKOFF_MS } from '../../shared/limits.ts';
import type { ScreenRequest } from '../../shared/request.ts';
import { blockRecordOf } from '../../shared/screening/block-record.ts';
import type { Decision } from '../../shared/screening/decision.ts';
import { screen } from '../../shared/screening/screen.ts';
import type { Snapshot } from '../../shared/screening/snapshot.ts';
import { type Env, openSecrets, type Secrets } from '../env.ts';
import { after, type MaybePromise } from '../http/maybe-promise.ts';
import { type Problem, problem, type Reply } from '../http/reply.ts';
import type { RequestUrl } from '../http/request-url.ts';
import { SingleFlight } from '../storage/single-flight.ts';
import { authenticate, bearerOf, RefusedKeys } from './authentication.ts';
import { BlockRecorder } from './block-recorder.ts';
import { HeadReader, type PinnedHead } from './head/head-reader.ts';
import type { LoadContext } from './head/head-sources.ts';
import { Quota } from './quota.ts';

export interface RequestContext {
  readonly request: Request;
  readonly url: RequestUrl;
  readonly env: Env;
  readonly ctx: ExecutionContext;
  readonly reply: Reply;
}

/** State of the isolate. It is lost with the isolate, and all of it can be loaded again. */
class Isolate {
  /** The result, including a failure, is kept: the environment of an isolate does not change. */
  secrets: Awaited<ReturnType<typeof openSecrets>> | null = null;
  readonly opening = new SingleFlight();
  readonly head: HeadReader;
  readonly quota = new Quota();
  readonly refusedKeys = new RefusedKeys();
  readonly recorder = new BlockRecorder();

  constructor(shardBytesMax?: number) {
    this.head = new HeadReader(shardBytesMax);
  }
}
let isolate = new Isolate();

/**
 * Resets all state, as a new isolate would.
 * @param shardBytesMax memory for shards, if not the default
 */
export function resetIsolate(shardBytesMax?: number): void {
  isolate = new Isolate(shardBytesMax);
}

function secretsFor(context: RequestContext): MaybePromise<Secrets | Response> {
  const { secrets } = isolate;
  return secrets?.ok === true ? secrets.value : loadSecrets(context);
}

async function loadSecrets({ env, ctx, url, reply }: RequestContext): Promise<Secrets | Response> {
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

class RequestLoadContext implements LoadContext {
  readonly env: Env;
  readonly secrets: Secrets;
  readonly ctx: ExecutionContext;
  readonly #request: Request;

  constructor({ env, ctx, request }: RequestContext, secrets: Secrets) {
    this.env = env;
    this.secrets = secrets;
    this.ctx = ctx;
    this.#request = request;
  }

  /** Read only when a poll is due: the runtime parses `cf` on every access. */
  get dataCentre(): string {
    const { colo } = (this.#request.cf ?? {}) as { colo?: string };
    return colo ?? 'local';
  }
}

/** The head, for routes that need no client. */
export async function currentHead(context: RequestContext): Promise<PinnedHead | Response> {
  const secrets = await secretsFor(context);
  if (secrets instanceof Response) return secrets;
  return isolate.head.pin(new RequestLoadContext(context, secrets));
}

/**
 * A route for clients with this right. Every request counts one number before its body is read, so a client
 * over its quota causes no further work. With a fresh head and a cached key, it awaits nothing and creates no
 * runtime objects.
 */
export function forClients(right: Right, handle: (context: ClientContext) => MaybePromise<Response>) {
  return (context: RequestContext): MaybePromise<Response> => {
    const own = isolate;
    return after(secretsFor(context), (secrets) => {
      if (secrets instanceof Response) return secrets;
      const loadContext = new RequestLoadContext(context, secrets);
      return after(own.head.pin(loadContext), (pinned) =>
        after(authenticateClient(context, pinned, right, loadContext, own), (admitted) =>
          admitted instanceof Response
            ? admitted
            : chargeOne(new ClientContext(context, admitted, loadContext, own), handle),
        ),
      );
    });
  };
}

function chargeOne(
  context: ClientContext,
  handle: (context: ClientContext) => MaybePromise<Response>,
): MaybePromise<Response> {
  return context.charge(1) ?? handle(context);
}

/** An authenticated client, the right it used, and the head that names it. */
interface AuthenticatedClient {
  readonly client: Client;
  readonly right: Right;
  readonly pinned: PinnedHead;
}

/** @returns the client, or the error response */
function authenticateClient(
  { request, reply, url }: RequestContext,
  pinned: PinnedHead,
  right: Right,
  loadContext: LoadContext,
  { head, refusedKeys }: Isolate,
): MaybePromise<AuthenticatedClient | Response> {
  const { clients } = pinned;
  if (clients === null) {
    const headers = { 'retry-after': String(Math.ceil(LOAD_BACKOFF_MS / 1000)) };
    const message = 'the client directory is not loaded yet; try again';
    return reply.problem(problem('UNAVAILABLE', message, { headers }), url.pathname);
  }
  const refused = ({ problem: why }: { problem: Problem }): Response => reply.problem(why, url.pathname);
  // The key or the right may be newer than the head in memory.
  const lookAgain = async (
    first: { problem: Problem },
    key: string,
  ): Promise<AuthenticatedClient | Response> => {
    const looked = await head.look(loadContext, KEY_FRESH_MS);
    const second =
      looked.clients === null || looked.clients === clients
        ? first
        : await authenticate(request, looked.clients, right);
    if ('client' in second) return { client: second.client, right, pinned: looked };
    refusedKeys.add(key, Date.now());
    return refused(second);
  };
  return after(authenticate(request, clients, right), (first) => {
    if ('client' in first) return { client: first.client, right, pinned };
    const [id, secret] = bearerOf(request);
    const key = `${id}.${secret}`;
    return id === '' || refusedKeys.has(key, Date.now()) ? refused(first) : lookAgain(first, key);
  });
}

/** A request whose client is known. */
export class ClientContext implements RequestContext {
  readonly request: Request;
  readonly url: RequestUrl;
  readonly env: Env;
  readonly ctx: ExecutionContext;
  readonly reply: Reply;
  readonly client: Client;
  readonly #right: Right;
  readonly #pinned: PinnedHead;
  readonly #loadContext: LoadContext;
  readonly #isolate: Isolate;
  /** Numbers of this request counted so far. */
  #counted = 0;

  constructor(
    context: RequestContext,
    { client, right, pinned }: AuthenticatedClient,
    loadContext: LoadContext,
    own: Isolate,
  ) {
    this.request = context.request;
    this.url = context.url;
    this.env = context.env;
    this.ctx = context.ctx;
    this.reply = context.reply;
    this.client = client;
    this.#right = right;
    this.#pinned = pinned;
    this.#loadContext = loadContext;
    this.#isolate = own;
  }

  /**
   * Counts the numbers of this request against the client's quota, except those already counted.
   * @param numbers total of the request
   * @returns the 429 response, or null
   */
  charge(numbers: number): Response | null {
    if (numbers <= this.#counted) return null;
    const parsed = { numbers, counted: this.#counted };
    const { refused, headers } = this.#isolate.quota.charge(this.client, parsed, this.env.QUOTA, this.ctx);
    this.reply.addHeaders(headers);
    if (refused !== null) return this.reply.problem(refused, this.url.pathname);
    this.#counted = numbers;
    return null;
  }

  /**
   * Counts as many of these numbers as the quota allows.
   * @returns how many it counted
   */
  take(numbers: number): number {
    return this.#isolate.quota.take(this.client, numbers, this.env.QUOTA, this.ctx);
  }

  /**
   * The snapshot for this request. The head was pinned before the client was known, so this waits for a newer
   * one if the pinned head exceeds the client's `maxStaleSeconds`.
   */
  snapshot(): MaybePromise<Snapshot> {
    const { asOf, now } = this.#pinned.snapshot;
    const staleMs = this.client.maxStaleSeconds * 1000;
    if (now - asOf <= staleMs) return this.#pinned.snapshot;
    return after(this.#isolate.head.pin(this.#loadContext, staleMs), snapshotOf);
  }

  /**
   * The current snapshot, for long requests.
   * @throws if the client's key was revoked
   */
  async latest(): Promise<Snapshot> {
    const { clients, snapshot } = await this.#isolate.head.pin(this.#loadContext);
    if (clients !== null && !('client' in (await authenticate(this.request, clients, this.#right))))
      throw new Error('the key was taken back');
    return snapshot;
  }

  /** Screens a request for this client. Records a block if the client wants records. */
  screen(request: ScreenRequest, from: Snapshot): Decision {
    const { client } = this;
    const decision = screen(request, from, client);
    if (client.recordBlocks) {
      const { keys } = this.#loadContext.secrets;
      const about = { client: client.id, seq: from.seq, now: from.now };
      const record = blockRecordOf(request, decision, about, keys);
      if (record !== null) this.#isolate.recorder.add(record, keys, this.env.LISTS, this.ctx);
    }
    return decision;
  }
}

function snapshotOf({ snapshot }: PinnedHead): Snapshot {
  return snapshot;
}
