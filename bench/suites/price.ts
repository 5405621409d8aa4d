/**
 * The cost of a billion verdicts per month on Cloudflare, by type of request. The CPU time of a verdict is measured as the
 * processor time of the runtime during the requests. It includes HTTP and other work of the runtime that Cloudflare does not
 * bill, so it is an upper estimate. The rest follows from the price list.
 */
import { BATCH_ITEMS_MAX } from '../../shared/limits/requests.ts';
import {
  cost,
  fullCost,
  KV_READS,
  objectCost,
  WORKER_CPU_MS,
  WORKER_REQUESTS,
} from '../lib/cloudflare-prices.ts';
import { HttpClient } from '../lib/http-client.ts';
import { type BenchOptions, sizesOf } from '../lib/options.ts';
import { processorSeconds } from '../lib/process-usage.ts';
import { sharedService } from '../lib/shared-service.ts';
import { median } from '../lib/statistics.ts';
import { type Row, row, short } from '../lib/table.ts';
import { checkBatch } from './batch.ts';
import { blockOf, LINES_PER_BLOCK, repeat, stream } from './stream.ts';

const VERDICTS = 1e9;
/** Verdicts per request, by type of request. */
export const REQUEST_TYPES = {
  single: 1,
  'batch of 100': 100,
  'batch of 10,000': BATCH_ITEMS_MAX,
  'stream of 1,000,000': 1_000_000,
};
/** Verdicts per round, which takes some tenths of a second. The length of a stream does not affect its CPU time per line. */
const VERDICTS_PER_ROUND = { single: 3_000, stream: 400_000, batch: 200_000 };
/** A small run divides these numbers by this. */
const SMALL = 200;
const ROUNDS = 3;
/** Connections: enough to keep the runtime busy, because an idle runtime wakes up for every request. */
const CONNECTIONS = 4;

type Service = Awaited<ReturnType<typeof sharedService>>;

export async function priceBench(options: BenchOptions): Promise<Row[]> {
  const [count] = sizesOf(options, [1_000_000], [10_000]);
  const service = await sharedService(count!, options);
  const rows: Row[] = [];
  for (const [type, perRequest] of Object.entries(REQUEST_TYPES)) {
    const kind = type.split(' ')[0] as keyof typeof VERDICTS_PER_ROUND;
    const least = options.small && kind === 'stream' ? LINES_PER_BLOCK : perRequest;
    const verdicts = Math.max(least, VERDICTS_PER_ROUND[kind] / (options.small ? SMALL : 1));
    const round =
      kind === 'stream' ? streamRound(service, verdicts) : requestRound(service, verdicts, perRequest);
    // The first round checks the responses and lets the engine compile hot code.
    await round();
    const seconds: number[] = [];
    for (let left = options.small ? 1 : ROUNDS; left > 0; left--) seconds.push(await round());
    rows.push(...priceRows(type, perRequest, (median(seconds) / verdicts) * 1e6));
  }
  return rows;
}

/**
 * The baselines read one KV key per verdict, or call one Durable Object per verdict, in the same number of requests. Their CPU
 * time is left out, in their favour.
 * @param cpuUs CPU time of a verdict, in µs; rounded to three digits, as printed
 */
export function priceRows(type: string, perRequest: number, cpuUs: number): Row[] {
  const name = `a billion verdicts, ${type}`;
  const requests = VERDICTS / perRequest;
  const cpuMs = (Number(cpuUs.toPrecision(3)) * VERDICTS) / 1e3;
  const ofRequests = cost(WORKER_REQUESTS, requests);
  const month = ofRequests + cost(WORKER_CPU_MS, cpuMs);
  const kv = ofRequests + cost(KV_READS, VERDICTS);
  const object = ofRequests + objectCost(VERDICTS);
  const full = [fullCost(WORKER_REQUESTS, requests), fullCost(WORKER_CPU_MS, cpuMs)] as const;
  const parts = `${short(requests / 1e6)} M requests: $${short(full[0])}, ${short(cpuMs / 1e6)} M ms: $${short(full[1])}`;
  return [
    row(name, cpuUs, 'µs CPU', 'upper estimate, HTTP included'),
    row(name, month, '$', `one KV read per verdict: $${short(kv)}`, month / kv, 1),
    row(name, month, '$', `one Durable Object call per verdict: $${short(object)}`, month / object, 1),
    row(`${name}, included usage not deducted`, full[0] + full[1], '$', parts),
  ];
}

/** Sends the requests of one round. @returns processor time of the runtime, in s */
type Round = () => Promise<number>;

function streamRound({ samples, url, clientKey, runtimePids }: Service, lines: number): Round {
  const headers = { authorization: `Bearer ${clientKey}`, 'content-type': 'text/plain' };
  const blocks = repeat([blockOf(samples)], Math.ceil(lines / LINES_PER_BLOCK));
  return async () => (await stream(`${url}/v1/check/stream`, headers, blocks, runtimePids)).processorSeconds;
}

function requestRound(
  { samples, url, clientKey, runtimePids }: Service,
  verdicts: number,
  perRequest: number,
): Round {
  const isSingle = perRequest === 1;
  const requests = Array.from({ length: Math.ceil(verdicts / perRequest) }, () => {
    const numbers = samples.draw(perRequest);
    const items = numbers.map(({ number }) => ({ to: number }));
    return { numbers, body: Buffer.from(JSON.stringify(isSingle ? items[0] : { items })) };
  });
  const address = `${url}/v1/check${isSingle ? '' : '/batch'}`;
  return async () => {
    const bodies: Buffer[] = [];
    const queue = requests.entries();
    const sendAll = async (): Promise<void> => {
      const client = new HttpClient({
        authorization: `Bearer ${clientKey}`,
        'content-type': 'application/json',
      });
      for (const [index, { body }] of queue) bodies[index] = await client.send('POST', address, body);
      client.close();
    };
    const before = processorSeconds(runtimePids);
    await Promise.all(Array.from({ length: CONNECTIONS }, sendAll));
    const seconds = processorSeconds(runtimePids) - before;
    for (const [index, { numbers }] of requests.entries())
      checkBatch(isSingle ? `{"results":[${bodies[index]}]}` : String(bodies[index]), numbers);
    return seconds;
  };
}
