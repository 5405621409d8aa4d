/**
 * The context of one request of a client: who it is, what it may still use, and the data to answer from.
 */

import type { Client, Right } from '../../shared/clients.ts';
import { KEY_FRESH_MS, LOAD_BACKOFF_MS } from '../../shared/limits.ts';
import type { ScreenRequest } from '../../shared/request.ts';
import { ok, type Result } from '../../shared/result.ts';
import { blockRecordOf } from '../../shared/screening/block-record.ts';
import type { Decision } from '../../shared/screening/decision.ts';
import { screen } from '../../shared/screening/screen.ts';
import type { Snapshot } from '../../shared/screening/snapshot.ts';
import type { Env } from '../env.ts';
import type { RequestContext } from '../http/app.ts';
import { bearerOf } from '../http/credentials.ts';
import { type Problem, problem, type Reply } from '../http/reply.ts';
import type { RequestUrl } from '../http/request-url.ts';
import { authenticate } from './authentication.ts';
import type { PinnedHead } from './head/head-reader.ts';
import type { LoadContext } from './head/head-sources.ts';
import { currentIsolate, type Isolate } from './isolate.ts';

/** An authenticated client, the right it used, and the head that names it. */
interface AuthenticatedClient {
  readonly client: Client;
  readonly right: Right;
  readonly pinned: PinnedHead;
}

/**
 * Admits a client with this right and counts one number of its quota. It does so before the body is read, so
 * a client over its quota causes no further work.
 */
export async function admit(context: RequestContext, right: Right): Promise<Result<ClientContext, Problem>> {
  const isolate = currentIsolate();
  const loadContext = await isolate.loadContext(context);
  if (!loadContext.ok) return loadContext;
  const pinned = await isolate.head.pin(loadContext.value);
  const authenticated = await authenticateClient(context.request, pinned, right, loadContext.value, isolate);
  if (!authenticated.ok) return authenticated;
  const client = new ClientContext(context, authenticated.value, loadContext.value, isolate);
  const charged = client.charge(1);
  return charged.ok ? ok(client) : charged;
}

async function authenticateClient(
  request: Request,
  pinned: PinnedHead,
  right: Right,
  loadContext: LoadContext,
  { head, refusedKeys }: Isolate,
): Promise<Result<AuthenticatedClient, Problem>> {
  const { clients } = pinned;
  if (clients === null) {
    const retryAfterSeconds = Math.ceil(LOAD_BACKOFF_MS / 1000);
    return problem('UNAVAILABLE', 'the client directory is not loaded yet; try again', { retryAfterSeconds });
  }
  const first = await authenticate(request, clients, right);
  if (first.ok) return ok({ client: first.value, right, pinned });
  const [id, secret] = bearerOf(request);
  const key = `${id}.${secret}`;
  if (id === '' || refusedKeys.has(key, Date.now())) return first;
  // The key or the right may be newer than the head in memory.
  const latest = await head.look(loadContext, KEY_FRESH_MS);
  const isNewer = latest.clients !== null && latest.clients !== clients;
  const second = isNewer ? await authenticate(request, latest.clients, right) : first;
  if (second.ok) return ok({ client: second.value, right, pinned: latest });
  refusedKeys.add(key, Date.now());
  return second;
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
    isolate: Isolate,
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
    this.#isolate = isolate;
  }

  /**
   * Counts the numbers of this request against the client's quota, except those already counted.
   * @param numbers total of the request
   */
  charge(numbers: number): Result<unknown, Problem> {
    if (numbers <= this.#counted) return COUNTED;
    const count = { numbers, counted: this.#counted };
    const charged = this.#isolate.quota.charge(this.client, count, this.env.QUOTA, this.ctx);
    if (!charged.ok) return charged;
    this.reply.addHeaders(charged.value);
    this.#counted = numbers;
    return charged;
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
  async snapshot(): Promise<Snapshot> {
    const { snapshot } = this.#pinned;
    const staleMs = this.client.maxStaleSeconds * 1000;
    if (snapshot.now - snapshot.asOf <= staleMs) return snapshot;
    return (await this.#isolate.head.pin(this.#loadContext, staleMs)).snapshot;
  }

  /**
   * The current snapshot, for long requests.
   * @throws if the client's key was revoked
   */
  async latest(): Promise<Snapshot> {
    const { clients, snapshot } = await this.#isolate.head.pin(this.#loadContext);
    const isKnown = clients === null || (await authenticate(this.request, clients, this.#right)).ok;
    if (!isKnown) throw new Error('the client key was revoked');
    return snapshot;
  }

  /** Screens a request for this client. Records a block if the client wants records. */
  screen(request: ScreenRequest, snapshot: Snapshot): Decision {
    const { client } = this;
    const decision = screen(request, snapshot, client);
    if (client.recordBlocks) {
      const { keys } = this.#loadContext.secrets;
      const about = { client: client.id, seq: snapshot.seq, now: snapshot.now };
      const record = blockRecordOf(request, decision, about, keys);
      if (record !== null) this.#isolate.recorder.add(record, keys, this.env.LISTS, this.ctx);
    }
    return decision;
  }
}

const COUNTED = ok(null);
