/**
 * A batch of 10,000 through the running service. The baselines are a Worker in the same process that only
 * parses the same request and serializes the same response, and Redis, which looks up the same numbers in one
 * command on a persistent connection. The client measures from the first byte written to the last byte read.
 * They take turns, and each ratio compares two turns of one round.
 */
import { BATCH_ITEMS_MAX } from '../../shared/limits/requests.ts';
import { HttpClient } from '../lib/http-client.ts';
import { type BenchOptions, sizesOf } from '../lib/options.ts';
import { command, membership, Redis } from '../lib/redis.ts';
import type { SampleNumber, SampleNumbers } from '../lib/sample-numbers.ts';
import { sharedService } from '../lib/shared-service.ts';
import { median, medianRatio } from '../lib/statistics.ts';
import { type Row, row, short, withCommas } from '../lib/table.ts';

/** Target, relative to JSON alone. */
const JSON_TARGET = 3;
/** Target, relative to Redis. */
const REDIS_TARGET = 1;
const ROUNDS = 60;
const ROUNDS_SMALL = 1;
/** Warm-up rounds, so that the engine compiles hot code first. A small run measures nothing. */
const WARM_ROUNDS = 20;
const WARM_ROUNDS_SMALL = 0;

/** Does the measured work once. The response has been checked before. */
type Turn = () => Promise<unknown>;

interface BatchBody {
  readonly results: readonly {
    readonly verdict: string;
    readonly reasons: readonly { readonly code: string }[];
  }[];
}

export async function batchBench(options: BenchOptions): Promise<Row[]> {
  const redis = await Redis.start('batch');
  const rows: Row[] = [];
  for (const count of sizesOf(options, [1_000_000], [10_000]))
    rows.push(...(await batchRows(count, options, redis)));
  await redis?.stop();
  return rows;
}

async function batchRows(count: number, options: BenchOptions, redis: Redis | null): Promise<Row[]> {
  const { samples, url, besideUrls, clientKey } = await sharedService(count, options);
  const numbers = samples.draw(BATCH_ITEMS_MAX);
  const items = numbers.map(({ number }) => ({ to: number }));
  const client = new HttpClient({ authorization: `Bearer ${clientKey}`, 'content-type': 'application/json' });
  const turns: Record<string, Turn> = {};
  for (const report of ['all', 'hits'] as const) {
    const body = Buffer.from(JSON.stringify(report === 'all' ? { items } : { report, items }));
    const response = await client.send('POST', `${url}/v1/check/batch`, body);
    checkBatch(String(response), report === 'all' ? numbers : numbers.filter(({ listed }) => listed));
    const jsonUrl = `${besideUrls.json}/${report}`;
    await client.send('PUT', jsonUrl, response);
    turns[report] = () => client.send('POST', `${url}/v1/check/batch`, body);
    turns[`${report}, json`] = () => client.send('POST', jsonUrl, body);
  }
  if (redis !== null) turns.redis = await redisTurn(redis, samples, numbers);
  const ms = await (options.small
    ? takeTurns(turns, ROUNDS_SMALL, WARM_ROUNDS_SMALL)
    : takeTurns(turns, ROUNDS, WARM_ROUNDS));
  client.close();
  return ['all', 'hits'].flatMap((report) => {
    const what = report === 'all' ? 'every result' : 'hits only';
    const name = `batch of ${withCommas(BATCH_ITEMS_MAX)} over ${withCommas(count)} listed, ${what}`;
    const own = ms[report]!;
    const compare = (baseline: string, times: readonly number[], target: number): Row =>
      row(
        name,
        median(own),
        'ms',
        `${baseline}: ${short(median(times))} ms`,
        medianRatio(own, times),
        target,
      );
    return [
      compare('a Worker that parses and writes the same JSON', ms[`${report}, json`]!, JSON_TARGET),
      ...(ms.redis === undefined
        ? []
        : [compare('Redis, SMISMEMBER: one bit each, no reasons', ms.redis, REDIS_TARGET)]),
    ];
  });
}

/** Loads the same set into Redis, checks the result once, and returns a turn that looks up the same numbers. */
async function redisTurn(
  redis: Redis,
  { listed }: SampleNumbers,
  numbers: readonly SampleNumber[],
): Promise<Turn> {
  const key = await redis.fill(listed);
  const sent = command('SMISMEMBER', key, ...numbers.map(({ number }) => number));
  const expected = membership(numbers.map((each) => each.listed));
  const turn = (): Promise<Buffer> => redis.send(sent, expected.length);
  if (!(await turn()).equals(expected)) throw new Error('Redis and the Set do not agree');
  return turn;
}

/** @param expected the expected results, in this order */
export function checkBatch(body: string, expected: readonly SampleNumber[]): void {
  const { results } = JSON.parse(body) as BatchBody;
  if (results.length !== expected.length)
    throw new Error(`${results.length} results instead of ${expected.length}`);
  for (const [index, { verdict, reasons }] of results.entries()) {
    const isBlocked = verdict === 'block' && reasons[0]?.code === 'NUMBER_SUSPENDED';
    if (expected[index]!.listed ? !isBlocked : verdict !== 'allow')
      throw new Error(`result ${index} differs from the Set: ${verdict}`);
  }
}

/** Takes turns, so that other load on the machine affects all of them. @returns the time of each turn, in ms */
async function takeTurns(
  turns: Readonly<Record<string, Turn>>,
  rounds: number,
  warmRounds: number,
): Promise<Record<string, number[]>> {
  const times = Object.fromEntries(Object.keys(turns).map((name): [string, number[]] => [name, []]));
  for (let round = -warmRounds; round < rounds; round++) {
    for (const [name, turn] of Object.entries(turns)) {
      const start = performance.now();
      await turn();
      if (round >= 0) times[name]!.push(performance.now() - start);
    }
  }
  return times;
}
