/**
 * A batch of 10,000 through the running service. Baselines: a Worker in the same process that only parses the
 * same request and serializes the same response, and Redis, which looks up the same numbers in one command on
 * a persistent connection. The client measures from the first byte written to the last byte read. They take
 * turns, and each ratio compares two turns of one round.
 */
import { BATCH_ITEMS_MAX } from '../shared/limits.ts';
import { Client } from './client.ts';
import { type BenchOptions, sizesOf } from './options.ts';
import type { Asked, Questions } from './questions.ts';
import { command, membership, Redis } from './redis.ts';
import { type Row, row, short } from './row.ts';
import { median, medianRatio } from './runtime.ts';
import { served } from './served.ts';
import { skip } from './skipped.ts';

/** Target, relative to JSON alone. */
const JSON_REACH = 3;
/** Target, relative to Redis. */
const REDIS_REACH = 1;
const ROUNDS = 60;
const ROUNDS_SMALL = 5;
/** Warm-up rounds, so that the engine compiles hot code first. */
const WARM_ROUNDS = 20;
const KEY = 'listed';
const ITEMS = BATCH_ITEMS_MAX.toLocaleString('en');

/** Does the measured work once. The response was checked before. */
type Turn = () => Promise<unknown>;

interface BatchAnswer {
  readonly results: readonly {
    readonly verdict: string;
    readonly reasons: readonly { readonly code: string }[];
  }[];
}

export async function batchBench(options: BenchOptions): Promise<Row[]> {
  const redis = await Redis.start();
  if (redis === null) skip('redis-server', 'batch: there is no redis-server, so no row against it');
  try {
    const rows: Row[] = [];
    for (const count of sizesOf(options, [1_000_000], [100_000])) {
      rows.push(...(await batchOver(count, options, redis)));
    }
    return rows;
  } finally {
    await redis?.stop();
  }
}

async function batchOver(count: number, options: BenchOptions, redis: Redis | null): Promise<Row[]> {
  const { questions, installation } = await served(count, options);
  const asked = questions.ask(BATCH_ITEMS_MAX);
  const authorization = `Bearer ${installation.clientKey}`;
  const client = new Client({ authorization, 'content-type': 'application/json' });
  try {
    const turns: Record<string, Turn> = {};
    for (const report of ['all', 'hits'] as const) {
      const items = asked.map(({ number }) => ({ to: number }));
      const body = Buffer.from(JSON.stringify(report === 'all' ? { items } : { report, items }));
      const ours: Turn = () => client.send('POST', `${installation.url}/v1/check/batch`, body);
      const answer = (await ours()) as Buffer;
      checkBatch(answer, report === 'all' ? asked : asked.filter(({ listed }) => listed));
      const jsonUrl = `${installation.besideUrls.json}/${report}`;
      await client.send('PUT', jsonUrl, answer);
      turns[report] = ours;
      turns[`${report}, json`] = () => client.send('POST', jsonUrl, body);
      await turns[`${report}, json`]!();
    }
    if (redis !== null) turns.redis = await redisTurn(redis, questions, asked);
    const ms = await takeTurns(turns, options.small ? ROUNDS_SMALL : ROUNDS);
    return rowsOf(ms, count);
  } finally {
    client.close();
  }
}

/** @param ms time of each turn, by name, one value per round */
function rowsOf(ms: Readonly<Record<string, readonly number[]>>, count: number): Row[] {
  const rows: Row[] = [];
  for (const report of ['all', 'hits']) {
    const what = report === 'all' ? 'every answer' : 'hits only';
    const name = `batch of ${ITEMS} over ${count.toLocaleString('en')} listed, ${what}`;
    const ours = ms[report]!;
    const against = (peer: string, times: readonly number[], reach: number): void => {
      const named = `${peer}: ${short(median(times))} ms`;
      rows.push(row(name, median(ours), 'ms', named, medianRatio(ours, times), reach));
    };
    against('a Worker that parses and makes the same JSON', ms[`${report}, json`]!, JSON_REACH);
    if (ms.redis !== undefined) against('Redis, SMISMEMBER: a bit each, no reasons', ms.redis, REDIS_REACH);
  }
  return rows;
}

/** Looks up the same numbers in Redis, after loading the same set. Checked once. */
async function redisTurn(redis: Redis, { listed }: Questions, asked: readonly Asked[]): Promise<Turn> {
  await redis.ask(command('DEL', KEY));
  await redis.fill(KEY, listed);
  const sent = command('SMISMEMBER', KEY, ...asked.map(({ number }) => number));
  const expected = membership(asked.map((each) => each.listed));
  const turn = (): Promise<Buffer> => redis.ask(sent, expected.length);
  if (!(await turn()).equals(expected)) throw new Error('Redis and the Set do not agree');
  return turn;
}

/** @param expected the expected results, in this order */
export function checkBatch(answer: Buffer, expected: readonly Asked[]): void {
  const { results } = JSON.parse(answer.toString()) as BatchAnswer;
  if (results.length !== expected.length) throw new Error(`${results.length} answers came`);
  for (const [index, { verdict, reasons }] of results.entries()) {
    const isBlocked = verdict === 'block' && reasons[0]?.code === 'NUMBER_SUSPENDED';
    if (expected[index]!.listed ? !isBlocked : verdict !== 'allow')
      throw new Error(`answer ${index} is unlike the Set: ${verdict}`);
  }
}

/** In turns, so that other load on the machine affects all of them. @returns the time of each turn, in ms */
async function takeTurns(
  turns: Readonly<Record<string, Turn>>,
  rounds: number,
): Promise<Record<string, number[]>> {
  const times = Object.fromEntries(Object.keys(turns).map((name): [string, number[]] => [name, []]));
  for (let round = -WARM_ROUNDS; round < rounds; round++) {
    for (const [name, turn] of Object.entries(turns)) {
      const start = performance.now();
      await turn();
      if (round >= 0) times[name]!.push(performance.now() - start);
    }
  }
  return times;
}
