/**
 * Ten million numbers through the running service as one stream. Compares every verdict with a plain Set, and
 * measures the memory of the runtime. The baseline is a Worker that streams the same bytes back.
 *
 * The client does as little as possible, because it shares the machine with the service: it repeatedly sends
 * the same prepared blocks of lines and compares bytes with bytes.
 */
import { once } from 'node:events';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { type BenchOptions, sizesOf } from '../lib/options.ts';
import { processorSeconds, residentMib } from '../lib/process-usage.ts';
import type { SampleNumbers } from '../lib/sample-numbers.ts';
import { sharedService } from '../lib/shared-service.ts';
import { type Row, row, short, withCommas } from '../lib/table.ts';

/** Target: numbers per second on one core. */
const RATE_TARGET = 1_000_000;
/**
 * Growth of the runtime's memory over the second half of the stream, in MiB: constant memory, except for
 * noise.
 */
const GROWTH_TARGET = 48;
export const LINES_PER_BLOCK = 20_000;
/** Number of different blocks. */
const BLOCKS = 25;
/** Interval between two memory samples, in ms. */
const SAMPLE_EVERY_MS = 50;

/** Lines to send, and the expected response. */
interface Block {
  readonly sent: Buffer;
  readonly expected: Buffer;
}

interface Streamed {
  readonly seconds: number;
  /** Processor time of the runtime. */
  readonly processorSeconds: number;
  /** Resident memory, in MiB, in order of sampling. */
  readonly memory: readonly number[];
}

export async function streamBench(options: BenchOptions): Promise<Row[]> {
  const rows: Row[] = [];
  for (const count of sizesOf(options, [1_000_000], [10_000]))
    rows.push(...(await streamRows(count, options)));
  return rows;
}

async function streamRows(count: number, options: BenchOptions): Promise<Row[]> {
  const { samples, url, besideUrls, clientKey, runtimePids } = await sharedService(count, options);
  const numbers = options.small ? 40_000 : 10_000_000;
  const blocks = Array.from({ length: BLOCKS }, () => blockOf(samples));
  const headers = { authorization: `Bearer ${clientKey}`, 'content-type': 'text/plain' };
  const times = numbers / LINES_PER_BLOCK;
  const send = (count: number): Promise<Streamed> =>
    stream(`${url}/v1/check/stream`, headers, repeat(blocks, count), runtimePids);
  // Warm-up, so that the engine compiles hot code and its heap grows to the needed size.
  await send(Math.ceil(times / 10));
  const { seconds, processorSeconds, memory } = await send(times);
  const echoed = repeat(blocks, times).map(({ sent }) => ({ sent, expected: sent }));
  const floor = await stream(besideUrls.identity!, headers, echoed, runtimePids);
  const half = Math.floor(memory.length / 2);
  const growth = Math.max(0, Math.max(...memory.slice(half)) - Math.max(...memory.slice(0, half)));
  const name = `stream, ${withCommas(numbers)} numbers of ${withCommas(count)} listed`;
  const returned = (numbersPerSecond: number): string =>
    `the same bytes returned: ${short(numbersPerSecond)}`;
  const [rate, floorRate] = [numbers / seconds, numbers / floor.seconds];
  const core = `${name}, per second of processor time of the runtime (one core)`;
  const coreRate = numbers / processorSeconds;
  const floorCoreRate = returned(numbers / floor.processorSeconds);
  return [
    row(`${name}, 0 results differ from a Set`, rate, 'number/s', returned(floorRate), rate / floorRate),
    row(core, coreRate, 'number/s', floorCoreRate, null, { atLeast: RATE_TARGET }),
    row(`${name}, growth of memory, second half`, growth, 'MiB', '', null, GROWTH_TARGET),
    row(`${name}, peak memory of the runtime since it started`, Math.max(...memory), 'MiB'),
  ];
}

export function blockOf(samples: SampleNumbers): Block {
  const numbers = samples.draw(LINES_PER_BLOCK);
  const sent = numbers.map(({ number }) => `${number}\n`);
  const expected = numbers.map(
    ({ number, listed }) => `${number},${listed ? 'block,NUMBER_SUSPENDED' : 'allow,'}\n`,
  );
  return { sent: Buffer.from(sent.join('')), expected: Buffer.from(expected.join('')) };
}

export function repeat(blocks: readonly Block[], times: number): Block[] {
  return Array.from({ length: times }, (_, index) => blocks[index % blocks.length]!);
}

/**
 * Sends these lines as one stream. @param pids of the runtime @throws if the response differs from the
 * expected one
 */
export async function stream(
  url: string,
  headers: Record<string, string>,
  blocks: readonly Block[],
  pids: readonly number[],
): Promise<Streamed> {
  const memory = [residentMib(pids)];
  const sampler = setInterval(() => memory.push(residentMib(pids)), SAMPLE_EVERY_MS);
  const sending = request(url, { method: 'POST', headers });
  try {
    const before = processorSeconds(pids);
    const start = performance.now();
    // Concurrently, because the service stops reading if the client does not read.
    await Promise.all([send(sending, blocks), receive(sending, blocks)]);
    const seconds = (performance.now() - start) / 1000;
    return { seconds, processorSeconds: processorSeconds(pids) - before, memory };
  } finally {
    clearInterval(sampler);
    sending.destroy();
  }
}

async function send(sending: ClientRequest, blocks: readonly Block[]): Promise<void> {
  for (const { sent } of blocks) if (!sending.write(sent)) await once(sending, 'drain');
  sending.end();
}

/** Reads the response and throws at the first byte that differs. */
async function receive(sending: ClientRequest, blocks: readonly Block[]): Promise<void> {
  const [response] = (await once(sending, 'response')) as [IncomingMessage];
  if (response.statusCode !== 200) throw new Error(`the stream returned ${response.statusCode}`);
  let block = 0;
  let at = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    for (let from = 0; from < chunk.length; ) {
      const expected = blocks[block]?.expected;
      if (expected === undefined) throw new Error('the response has more results than lines');
      const length = Math.min(chunk.length - from, expected.length - at);
      if (chunk.compare(expected, at, at + length, from, from + length) !== 0)
        throw new Error(`a result of block ${block} differs from the Set`);
      from += length;
      at += length;
      if (at < expected.length) continue;
      block++;
      at = 0;
    }
  }
  if (block !== blocks.length) throw new Error(`only ${block} of ${blocks.length} blocks have results`);
}
