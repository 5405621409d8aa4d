/**
 * One request on its way through the routes, and what this isolate keeps between requests.
 */

import { blockRecordOf } from '../shared/block-record.ts';
import type { Client, Right } from '../shared/clients.ts';
import { KEY_FRESH_MS, LOAD_BACKOFF_MS } from '../shared/limits.ts';
import type { Question } from '../shared/question.ts';
import { type Judgement, judge } from '../shared/screen.ts';
import type { Snapshot } from '../shared/snapshot.ts';
import type { Address } from './address.ts';
import { authenticate, bearerOf } from './auth.ts';
import { type Env, openSecrets, type Secrets } from './env.ts';
import { HeadReader } from './head.ts';
import type { Asker } from './head-sources.ts';
import { problem, type Reply } from './http.ts';
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

/** A call whose client is known and within its quota. */
export interface ClientCall extends Call {
  readonly client: Client;
  /** Count items against the client's quota. @returns the 429 to answer with, or null */
  charge(items: number): Response | null;
  /** Count as many of these items as the quota has left. @returns how many */
  take(items: number): number;
  /** The head to answer this request from. */
  snapshot(): Promise<Snapshot>;
  /** The verdict for this client; recorded, where it blocks and the client wants that. */
  judge(question: Question, snapshot: Snapshot): Judgement;
  /** The head as it is by now, for requests that last. */
  latest(): Promise<Snapshot>;
}

/** Lost with the isolate; every part can be loaded again. */
class Isolate {
  /** Opened once, with what was wrong with them: the environment of an isolate does not change. */
  secrets: Awaited<ReturnType<typeof openSecrets>> | null = null;
  readonly opening = new SingleFlight();
  readonly head: HeadReader;
  readonly quota = new Quota();
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

function askerOf({ request, env, ctx }: Call, secrets: Secrets): Asker {
  const { colo } = (request.cf ?? {}) as { colo?: string };
  return { env, secrets, ctx, dataCentre: colo ?? 'local' };
}

/** The head, for routes that need no client. */
export async function currentSnapshot(call: Call): Promise<Snapshot | Response> {
  const secrets = await secretsOf(call);
  if (secrets instanceof Response) return secrets;
  return (await isolate.head.pin(askerOf(call, secrets))).snapshot;
}

/** A route for clients with this right. */
export function forClients(right: Right, handle: (call: ClientCall) => Promise<Response>) {
  return async (call: Call): Promise<Response> => {
    const { env, ctx, url, reply, request } = call;
    const { head, quota, recorder } = isolate;
    const secrets = await secretsOf(call);
    if (secrets instanceof Response) return secrets;
    const asker = askerOf(call, secrets);
    let pinned = await head.pin(asker);
    if (pinned.clients === null) {
      const headers = { 'retry-after': String(Math.ceil(LOAD_BACKOFF_MS / 1000)) };
      const message = 'the client directory is not loaded yet; try again';
      return reply.problem(problem('UNAVAILABLE', message, { headers }), url.pathname);
    }
    let authenticated = await authenticate(request, pinned.clients, right);
    if ('problem' in authenticated && bearerOf(request)[0] !== '') {
      // The key, or the right, may be newer than the head in memory.
      const looked = await head.look(asker, KEY_FRESH_MS);
      if (looked.clients !== null && looked.clients !== pinned.clients) {
        pinned = looked;
        authenticated = await authenticate(request, looked.clients, right);
      }
    }
    if ('problem' in authenticated) return reply.problem(authenticated.problem, url.pathname);
    const { client } = authenticated;
    const charge = (items: number): Response | null => {
      const exceeded = quota.charge(client, items, env.QUOTA, ctx);
      for (const [name, value] of Object.entries(quota.headers(client))) reply.header(name, value);
      return exceeded === null ? null : reply.problem(exceeded, url.pathname);
    };
    const take = (items: number): number => quota.take(client, items, env.QUOTA, ctx);
    // The head was asked for before it was known who asks: some clients bear less than others.
    const snapshot = async (): Promise<Snapshot> => {
      const { asOf, now } = pinned.snapshot;
      const staleMs = client.maxStaleSeconds * 1000;
      return now - asOf > staleMs ? (await head.pin(asker, staleMs)).snapshot : pinned.snapshot;
    };
    const latest = async (): Promise<Snapshot> => (await head.pin(asker)).snapshot;
    const judgeFor = (question: Question, from: Snapshot): Judgement => {
      const judged = judge(question, from, client);
      if (client.recordBlocks) {
        const about = { client: client.id, seq: from.seq, now: from.now };
        const record = blockRecordOf(question, judged, about, secrets.keys);
        if (record !== null) recorder.add(record, secrets.keys, env.LISTS, ctx);
      }
      return judged;
    };
    return handle({ ...call, client, charge, take, snapshot, latest, judge: judgeFor });
  };
}
