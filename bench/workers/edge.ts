/**
 * Measuring Worker around the product's edge: the same code in the same isolate, with its own coordinator, a
 * KV that records its reads and can be slowed down, and a clock that can be set forward.
 */
import { resetIsolate } from '../../workers/edge/isolate.ts';
import edge from '../../workers/edge.ts';
import type { Env } from '../../workers/env.ts';
import type { Asked, BodyTurns, Knobs, Read } from '../told.ts';

type MeasuredEnv = Pick<Env, 'LISTS' | 'LIST_KEY' | 'RELEASE_PUBLIC_KEYS'> & { readonly CLIENT_KEY: string };

/** Concurrent KV reads per request: the limit of the platform. */
const READS_AT_ONCE = 6;

const knobs: Knobs = { kvMs: 0, authorityAnswers: true, aheadMs: 0 };
const realNow = Date.now;
Date.now = () => realNow() + knobs.aheadMs;

let head = { seq: 0, sealed: new Uint8Array(0) };

const authority = {
  getByName: () => ({
    head: async () => {
      if (!knobs.authorityAnswers) throw new Error('the coordinator does not answer');
      return head;
    },
    value: async () => null,
  }),
};

function slow(kv: KVNamespace, reads: Read[]): KVNamespace {
  let free = READS_AT_ONCE;
  const queue: (() => void)[] = [];
  const get = async (key: string, options: object): Promise<unknown> => {
    if (free === 0) await new Promise<void>((resolve) => queue.push(resolve));
    else free--;
    const from = performance.now();
    try {
      if (knobs.kvMs > 0) await new Promise((resolve) => setTimeout(resolve, knobs.kvMs));
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

function envOf(env: MeasuredEnv, reads: Read[]): Env {
  const { LIST_KEY, RELEASE_PUBLIC_KEYS } = env;
  const QUOTA = { limit: async () => ({ success: true }) } as unknown as RateLimit;
  return {
    LISTS: slow(env.LISTS, reads),
    QUOTA,
    COORDINATOR: authority as unknown as Env['COORDINATOR'],
    LIST_KEY,
    RELEASE_PUBLIC_KEYS,
  };
}

async function ask(numbers: readonly string[], env: MeasuredEnv, ctx: ExecutionContext): Promise<Asked> {
  const single = numbers.length === 1;
  const request = new Request(`https://edge.test/v1/check${single ? '' : '/batch'}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${env.CLIENT_KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify(single ? { to: numbers[0] } : { items: numbers.map((to) => ({ to })) }),
  });
  const reads: Read[] = [];
  const from = performance.now();
  const response = await edge.fetch(request as Parameters<typeof edge.fetch>[0], envOf(env, reads), ctx);
  type Answer = { verdict: string; release: string; results?: { verdict: string }[] };
  const answer = (await response.json()) as Answer;
  const to = performance.now();
  if (response.status !== 200) throw new Error(`the edge answered ${response.status}`);
  const verdicts = (answer.results ?? [answer]).map(({ verdict }) => verdict);
  return { from, to, verdicts, release: answer.release, reads: [...reads] };
}

/** Bodies that take turns, by name. */
const bodies = new Map<string, ArrayBuffer>();
/** Warm-up rounds before anything is timed, so that the engine compiles hot code. */
const WARM_ROUNDS = 2;
/** Minimum bytes posted per turn, because a single short request is too fast to time. */
const TURN_BYTES = 524_288;

/** Runs the rounds. Each round posts each body once. */
async function takeTurns(
  path: string,
  rounds: number,
  env: MeasuredEnv,
  ctx: ExecutionContext,
): Promise<BodyTurns> {
  const bound = envOf(env, []);
  const headers = { authorization: `Bearer ${env.CLIENT_KEY}`, 'content-type': 'application/json' };
  const turns: Record<string, { status: number; ms: number[] }> = {};
  for (let round = -WARM_ROUNDS; round < rounds; round++) {
    for (const [name, body] of bodies) {
      turns[name] ??= { status: 0, ms: [] };
      const turn = turns[name];
      const times = Math.ceil(TURN_BYTES / body.byteLength);
      const from = performance.now();
      for (let time = 0; time < times; time++) {
        const request = new Request(`https://edge.test${path}`, { method: 'POST', headers, body });
        const response = await edge.fetch(request as Parameters<typeof edge.fetch>[0], bound, ctx);
        await response.arrayBuffer();
        turn.status = response.status;
      }
      if (round >= 0) turn.ms.push((performance.now() - from) / times);
    }
  }
  bodies.clear();
  return turns;
}

async function told(url: URL, request: Request, env: MeasuredEnv, ctx: ExecutionContext): Promise<unknown> {
  switch (url.pathname) {
    case '/head':
      head = {
        seq: Number(url.searchParams.get('seq')),
        sealed: new Uint8Array(await request.arrayBuffer()),
      };
      return null;
    case '/set':
      Object.assign(knobs, await request.json());
      return null;
    case '/cold':
      resetIsolate();
      return null;
    case '/ask':
      return ask(await request.json(), env, ctx);
    case '/body':
      bodies.set(url.searchParams.get('name')!, await request.arrayBuffer());
      return null;
    case '/turns':
      return takeTurns(url.searchParams.get('path')!, Number(url.searchParams.get('rounds')), env, ctx);
    case '/read': {
      const from = performance.now();
      const bytes = await env.LISTS.get(url.searchParams.get('key')!, { type: 'arrayBuffer' });
      return { ms: performance.now() - from, bytes: bytes?.byteLength ?? 0 };
    }
    default:
      throw new Error(`there is no ${url.pathname}`);
  }
}

export default {
  async fetch(request: Request, env: MeasuredEnv, ctx: ExecutionContext): Promise<Response> {
    try {
      return Response.json(await told(new URL(request.url), request, env, ctx));
    } catch (error) {
      return new Response(String(error), { status: 500 });
    }
  },
};
