/**
 * Runs the product's edge for the benchmarks: the same code in the same isolate, with its own coordinator, a
 * KV that records its reads and can be slowed down, and a clock that can be set forward.
 */
import { resetIsolate } from '../../workers/edge/isolate.ts';
import edge from '../../workers/edge.ts';
import type { Env } from '../../workers/env.ts';
import type { BodyTimings, CheckResult, EdgeSettings, KvRead } from '../lib/worker-results.ts';
import { serve } from './serve.ts';

type BenchEnv = Pick<Env, 'LISTS' | 'LIST_KEY' | 'RELEASE_PUBLIC_KEYS' | 'TEXT_KEY'> & {
  readonly CLIENT_KEY: string;
};
type EdgeRequest = Parameters<typeof edge.fetch>[0];

/** Concurrent KV reads per request: the limit of the platform. */
const READS_AT_ONCE = 6;

const settings: EdgeSettings = { kvMs: 0, coordinatorResponds: true, clockOffsetMs: 0 };
const realNow = Date.now;
Date.now = () => realNow() + settings.clockOffsetMs;

let head = { seq: 0, sealed: new Uint8Array(0) };

const coordinator = {
  getByName: () => ({
    head: async () => {
      if (!settings.coordinatorResponds) throw new Error('the coordinator does not respond');
      return head;
    },
    value: async () => null,
  }),
};

function recordReads(kv: KVNamespace, reads: KvRead[]): KVNamespace {
  let free = READS_AT_ONCE;
  const queue: (() => void)[] = [];
  const get = async (key: string, options: object): Promise<unknown> => {
    if (free === 0) await new Promise<void>((resolve) => queue.push(resolve));
    else free--;
    const from = performance.now();
    try {
      if (settings.kvMs > 0) await new Promise((resolve) => setTimeout(resolve, settings.kvMs));
      return await kv.get(key, options as { type: 'arrayBuffer' });
    } finally {
      reads.push({ key, from, to: performance.now() });
      const next = queue.shift();
      if (next === undefined) free++;
      else next();
    }
  };
  return { get } as unknown as KVNamespace;
}

function envOf({ LISTS, LIST_KEY, RELEASE_PUBLIC_KEYS, TEXT_KEY }: BenchEnv, reads: KvRead[]): Env {
  return {
    LISTS: recordReads(LISTS, reads),
    QUOTA: { limit: async () => ({ success: true }) } as unknown as RateLimit,
    COORDINATOR: coordinator as unknown as Env['COORDINATOR'],
    LIST_KEY,
    RELEASE_PUBLIC_KEYS,
    TEXT_KEY,
  };
}

/** @param client ID of a client, by default that of the key; all clients share one secret */
function post(
  path: string,
  body: BodyInit,
  { CLIENT_KEY }: BenchEnv,
  client: string | null = null,
  type = 'application/json',
): EdgeRequest {
  const key = client === null ? CLIENT_KEY : CLIENT_KEY.replace(/^[^.]*/, client);
  const headers = { authorization: `Bearer ${key}`, 'content-type': type };
  return new Request(`https://edge.test${path}`, { method: 'POST', headers, body }) as EdgeRequest;
}

async function check(
  numbers: readonly string[],
  query: URLSearchParams,
  env: BenchEnv,
  ctx: ExecutionContext,
): Promise<CheckResult> {
  const items = numbers.map((number) => ({ [query.get('subject') ?? 'to']: number }));
  const client = query.get('client');
  const request =
    items.length === 1
      ? post('/v1/check', JSON.stringify(items[0]), env, client)
      : post('/v1/check/batch', JSON.stringify({ items }), env, client);
  const reads: KvRead[] = [];
  const from = performance.now();
  const response = await edge.fetch(request, envOf(env, reads), ctx);
  type Body = { verdict: string; release: string; results?: { verdict: string }[] };
  const body = (await response.json()) as Body;
  const to = performance.now();
  if (response.status !== 200) throw new Error(`the edge returned ${response.status}`);
  const verdicts = (body.results ?? [body]).map(({ verdict }) => verdict);
  return { from, to, verdicts, release: body.release, reads: [...reads] };
}

/** Bodies to time, by name. */
const bodies = new Map<string, { bytes: ArrayBuffer; client: string | null; type: string }>();
/** Warm-up rounds, so that the engine compiles hot code before anything is timed. */
const WARM_ROUNDS = 2;
/** Minimum bytes posted per turn, because a single short request is too fast to time. */
const TURN_BYTES = 524_288;

/** Runs the rounds. Each round posts every body. */
async function timeBodies(
  path: string,
  rounds: number,
  env: BenchEnv,
  ctx: ExecutionContext,
): Promise<BodyTimings> {
  const edgeEnv = envOf(env, []);
  const timings: Record<string, { status: number; ms: number[]; requests: number }> = {};
  for (let round = -WARM_ROUNDS; round < rounds; round++) {
    for (const [name, { bytes, client, type }] of bodies) {
      timings[name] ??= { status: 0, ms: [], requests: 0 };
      const timing = timings[name];
      const times = Math.ceil(TURN_BYTES / bytes.byteLength);
      timing.requests += times;
      const from = performance.now();
      for (let time = 0; time < times; time++) {
        const response = await edge.fetch(post(path, bytes, env, client, type), edgeEnv, ctx);
        await response.arrayBuffer();
        timing.status = response.status;
      }
      if (round >= 0) timing.ms.push((performance.now() - from) / times);
    }
  }
  bodies.clear();
  return timings;
}

const commands = serve<BenchEnv>({
  '/head': (query, body) => {
    head = { seq: Number(query.get('seq')), sealed: body };
  },
  '/set': (_query, body) => {
    Object.assign(settings, JSON.parse(new TextDecoder().decode(body)));
  },
  '/cold': () => resetIsolate(),
  '/check': (query, body, env, ctx) =>
    check(JSON.parse(new TextDecoder().decode(body)) as string[], query, env, ctx),
  '/body': (query, body) => {
    const type = query.get('type') ?? 'application/json';
    bodies.set(query.get('name')!, { bytes: body.buffer, client: query.get('client'), type });
  },
  '/time-bodies': (query, _body, env, ctx) =>
    timeBodies(query.get('path')!, Number(query.get('rounds')), env, ctx),
  '/read': async (query, _body, env) => {
    const from = performance.now();
    await env.LISTS.get(query.get('key')!, { type: 'arrayBuffer' });
    return performance.now() - from;
  },
});

/** Passes requests below `/v1/` to the edge. All other requests are commands. */
export default {
  fetch: (request: Request, env: BenchEnv, ctx: ExecutionContext): Promise<Response> =>
    new URL(request.url).pathname.startsWith('/v1/')
      ? Promise.resolve(edge.fetch(request as EdgeRequest, envOf(env, []), ctx))
      : commands.fetch(request, env, ctx),
};
