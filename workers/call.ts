/**
 * One request on its way through the routes, and what this isolate keeps between requests.
 */

import { blockRecordOf } from '../shared/block-record.ts';
import type { Client, Right } from '../shared/clients.ts';
import type { Decision } from '../shared/decision.ts';
import { KEY_FRESH_MS, LOAD_BACKOFF_MS } from '../shared/limits.ts';
import type { Question } from '../shared/question.ts';
import { judge } from '../shared/screen.ts';
import type { Snapshot } from '../shared/snapshot.ts';
import type { Address } from './address.ts';
import { authenticate, bearerOf, RefusedKeys } from './auth.ts';
import { type Env, openSecrets, type Secrets } from './env.ts';
import { HeadReader, type Pinned } from './head.ts';
import type { Asker } from './head-sources.ts';
import { type Problem, problem, type Reply } from './http.ts';
import { after, type MaybePromise } from './maybe-promise.ts';
import { Quota } from './quota.ts';
import { Recorder } from './recorder.ts';
import { SingleFlight } from './single-flight.ts';

export interface Call {
  readonly request: Request;
  readonly url: Address;
  readonly env: Env;
  readonly ctx: ExecutionContext;
  readonly reply: Reply;
}

/** Lost with the isolate; every part can be loaded again. */
class Isolate {
  /** Opened once, with what was wrong with them: the environment of an isolate does not change. */
  secrets: Awaited<ReturnType<typeof openSecrets>> | null = null;
  readonly opening = new SingleFlight();
  readonly head: HeadReader;
  readonly quota = new Quota();
  readonly refusedKeys = new RefusedKeys();
  readonly recorder = new Recorder();

  constructor(shardBytesMax?: number) {
    this.head = new HeadReader(shardBytesMax);
  }
}
let isolate = new Isolate();

/** Forget everything, as a new isolate would. @param shardBytesMax its memory for shards, if not the usual one */
export function resetIsolate(shardBytesMax?: number): void {
  isolate = new Isolate(shardBytesMax);
}

function secretsOf(call: Call): MaybePromise<Secrets | Response> {
  const { secrets } = isolate;
  return secrets?.ok === true ? secrets.value : openedSecrets(call);
}

async function openedSecrets({ env, ctx, url, reply }: Call): Promise<Secrets | Response> {
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

class CallAsker implements Asker {
  readonly env: Env;
  readonly secrets: Secrets;
  readonly ctx: ExecutionContext;
  readonly #request: Request;

  constructor({ env, ctx, request }: Call, secrets: Secrets) {
    this.env = env;
    this.secrets = secrets;
    this.ctx = ctx;
    this.#request = request;
  }

  /** Only where a poll is due: the runtime parses `cf` each time that it is read. */
  get dataCentre(): string {
    const { colo } = (this.#request.cf ?? {}) as { colo?: string };
    return colo ?? 'local';
  }
}

/** The head, for routes that need no client. */
export async function currentHead(call: Call): Promise<Pinned | Response> {
  const secrets = await secretsOf(call);
  if (secrets instanceof Response) return secrets;
  return isolate.head.pin(new CallAsker(call, secrets));
}

/**
 * A route for clients with this right. Every request counts one number before its body is read, so a client over its
 * quota costs nothing more. With a fresh head and a remembered key, nothing is awaited and no runtime object is made.
 */
export function forClients(right: Right, handle: (call: ClientCall) => MaybePromise<Response>) {
  return (call: Call): MaybePromise<Response> => {
    const own = isolate;
    return after(secretsOf(call), (secrets) => {
      if (secrets instanceof Response) return secrets;
      const asker = new CallAsker(call, secrets);
      return after(own.head.pin(asker), (pinned) =>
        after(admit(call, pinned, right, asker, own), (admitted) =>
          admitted instanceof Response
            ? admitted
            : charged(new ClientCall(call, admitted, asker, own), handle),
        ),
      );
    });
  };
}

function charged(
  call: ClientCall,
  handle: (call: ClientCall) => MaybePromise<Response>,
): MaybePromise<Response> {
  return call.charge(1) ?? handle(call);
}

/** Who asks, by which right, and the head that names him. */
interface Admitted {
  readonly client: Client;
  readonly right: Right;
  readonly pinned: Pinned;
}

/** @returns the problem to answer with, for who may not ask */
function admit(
  { request, reply, url }: Call,
  pinned: Pinned,
  right: Right,
  asker: Asker,
  { head, refusedKeys }: Isolate,
): MaybePromise<Admitted | Response> {
  const { clients } = pinned;
  if (clients === null) {
    const headers = { 'retry-after': String(Math.ceil(LOAD_BACKOFF_MS / 1000)) };
    const message = 'the client directory is not loaded yet; try again';
    return reply.problem(problem('UNAVAILABLE', message, { headers }), url.pathname);
  }
  const refused = ({ problem: why }: { problem: Problem }): Response => reply.problem(why, url.pathname);
  // The key, or the right, may be newer than the head in memory.
  const lookAgain = async (first: { problem: Problem }, key: string): Promise<Admitted | Response> => {
    const looked = await head.look(asker, KEY_FRESH_MS);
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

/** A call whose client is known. */
export class ClientCall implements Call {
  readonly request: Request;
  readonly url: Address;
  readonly env: Env;
  readonly ctx: ExecutionContext;
  readonly reply: Reply;
  readonly client: Client;
  readonly #right: Right;
  readonly #pinned: Pinned;
  readonly #asker: Asker;
  readonly #isolate: Isolate;
  /** Numbers of this request that are counted. */
  #counted = 0;

  constructor(call: Call, { client, right, pinned }: Admitted, asker: Asker, own: Isolate) {
    this.request = call.request;
    this.url = call.url;
    this.env = call.env;
    this.ctx = call.ctx;
    this.reply = call.reply;
    this.client = client;
    this.#right = right;
    this.#pinned = pinned;
    this.#asker = asker;
    this.#isolate = own;
  }

  /**
   * Count the numbers of this request against the client's quota, but for those that are counted already.
   * @param numbers all of them @returns the 429 to answer with, or null
   */
  charge(numbers: number): Response | null {
    if (numbers <= this.#counted) return null;
    const asked = { numbers, counted: this.#counted };
    const { refused, headers } = this.#isolate.quota.charge(this.client, asked, this.env.QUOTA, this.ctx);
    this.reply.addHeaders(headers);
    if (refused !== null) return this.reply.problem(refused, this.url.pathname);
    this.#counted = numbers;
    return null;
  }

  /** Count as many of these numbers as the quota has left. @returns how many */
  take(numbers: number): number {
    return this.#isolate.quota.take(this.client, numbers, this.env.QUOTA, this.ctx);
  }

  /** The head to answer this request from. It was asked for before it was known who asks: some bear less than others. */
  snapshot(): MaybePromise<Snapshot> {
    const { asOf, now } = this.#pinned.snapshot;
    const staleMs = this.client.maxStaleSeconds * 1000;
    if (now - asOf <= staleMs) return this.#pinned.snapshot;
    return after(this.#isolate.head.pin(this.#asker, staleMs), snapshotOf);
  }

  /** The head as it is by now, for requests that last. @throws once the key that they came with was taken back */
  async latest(): Promise<Snapshot> {
    const { clients, snapshot } = await this.#isolate.head.pin(this.#asker);
    if (clients !== null && !('client' in (await authenticate(this.request, clients, this.#right))))
      throw new Error('the key was taken back');
    return snapshot;
  }

  /** The verdict for this client; recorded, where it blocks and the client wants that. */
  judge(question: Question, from: Snapshot): Decision {
    const { client } = this;
    const judged = judge(question, from, client);
    if (client.recordBlocks) {
      const { keys } = this.#asker.secrets;
      const about = { client: client.id, seq: from.seq, now: from.now };
      const record = blockRecordOf(question, judged, about, keys);
      if (record !== null) this.#isolate.recorder.add(record, keys, this.env.LISTS, this.ctx);
    }
    return judged;
  }
}

function snapshotOf({ snapshot }: Pinned): Snapshot {
  return snapshot;
}
