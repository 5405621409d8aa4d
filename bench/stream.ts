/**
 * Ten million numbers through the running service as one stream. Compares every verdict with a plain Set, and
 * measures the memory of the runtime. The baseline is a Worker that streams the same bytes back.
 *
 * The client does as little as possible, because it shares the machine with the service: it sends the same
 * prepared blocks of lines repeatedly and compares bytes with bytes.
 */
import { once } from 'node:events';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { type BenchOptions, sizesOf } from './options.ts';
import type { Questions } from './questions.ts';
import { atLeast, type Row, row, short } from './row.ts';
import { processorSeconds, residentMib } from './runtime.ts';
import { served } from './served.ts';

/** Target: numbers per second on one core. */
const RATE_REACH = 1_000_000;
/**
 * Growth of the runtime's memory over the second half of the stream, in MiB: constant memory, except for
 * noise.
 */
const GROWTH_REACH = 48;
export const LINES_PER_BLOCK = 20_000;
/** Number of different blocks. */
const BLOCKS = 25;
/** Interval between two memory samples, in ms. */
const LOOK_EVERY_MS = 50;

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
  const asked = options.small ? 200_000 : 10_000_000;
  const rows: Row[] = [];
  for (const count of sizesOf(options, [1_000_000], [100_000])) {
    rows.push(...(await streamOver(count, asked, options)));
  }
  return rows;
}

async function streamOver(count: number, asked: number, options: BenchOptions): Promise<Row[]> {
  const { questions, installation } = await served(count, options);
  const blocks = Array.from({ length: BLOCKS }, () => blockOf(questions));
  const { url, besideUrls, clientKey, runtimePids } = installation;
  const headers = { authorization: `Bearer ${clientKey}`, 'content-type': 'text/plain' };
  const times = asked / LINES_PER_BLOCK;
  const through = (blocksSent: number): Promise<Streamed> =>
    stream(`${url}/v1/check/stream`, headers, repeat(blocks, blocksSent), runtimePids);
  // Warm-up: the engine compiles hot code, and its heap grows to the needed size.
  await through(Math.ceil(times / 10));
  const ours = await through(times);
  const echoed = blocks.map(({ sent }) => ({ sent, expected: sent }));
  const floor = await stream(besideUrls.identity!, headers, repeat(echoed, times), runtimePids);
  const half = Math.floor(ours.memory.length / 2);
  const growth = Math.max(...ours.memory.slice(half)) - Math.max(...ours.memory.slice(0, half));
  const name = `stream, ${asked.toLocaleString('en')} numbers of ${count.toLocaleString('en')} listed`;
  const wall = asked / ours.seconds;
  const floorWall = asked / floor.seconds;
  const core = asked / ours.processorSeconds;
  const floorCore = asked / floor.processorSeconds;
  return [
    row(
      `${name}, 0 answers unlike a Set`,
      wall,
      'number/s',
      `the same bytes given back: ${short(floorWall)}`,
      wall / floorWall,
      null,
    ),
    row(
      `${name}, a second of the runtime's processor time (what one core does)`,
      core,
      'number/s',
      `the same bytes given back: ${short(floorCore)}`,
      null,
      atLeast(RATE_REACH),
    ),
    row(
      `${name}, processor time of the runtime for a million`,
      (ours.processorSeconds / asked) * 1e6,
      's',
      `the same bytes given back: ${short((floor.processorSeconds / asked) * 1e6)}`,
      null,
      null,
    ),
    row(`${name}, growth of memory, second half`, Math.max(0, growth), 'MiB', '', null, GROWTH_REACH),
    row(
      `${name}, peak memory of the runtime since it began`,
      Math.max(...ours.memory),
      'MiB',
      '',
      null,
      null,
    ),
  ];
}

export function blockOf(questions: Questions): Block {
  const asked = questions.ask(LINES_PER_BLOCK);
  const sent = asked.map(({ number }) => `${number}\n`);
  const expected = asked.map(
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
  const look = setInterval(() => memory.push(residentMib(pids)), LOOK_EVERY_MS);
  const sending = request(url, { method: 'POST', headers });
  try {
    const before = processorSeconds(pids);
    const start = performance.now();
    // Concurrently, because the service stops reading if the client does not read.
    await Promise.all([send(sending, blocks), receive(sending, blocks)]);
    const seconds = (performance.now() - start) / 1000;
    return { seconds, processorSeconds: processorSeconds(pids) - before, memory };
  } finally {
    clearInterval(look);
    sending.destroy();
  }
}

async function send(sending: ClientRequest, blocks: readonly Block[]): Promise<void> {
  for (const { sent } of blocks) if (!sending.write(sent)) await once(sending, 'drain');
  sending.end();
}

async function receive(sending: ClientRequest, blocks: readonly Block[]): Promise<void> {
  const [answers] = (await once(sending, 'response')) as [IncomingMessage];
  if (answers.statusCode !== 200) throw new Error(`the stream was answered ${answers.statusCode}`);
  await compare(answers, blocks);
}

/** Reads the response and throws at the first byte that differs. */
async function compare(answers: IncomingMessage, blocks: readonly Block[]): Promise<void> {
  let block = 0;
  let at = 0;
  for await (const chunk of answers as AsyncIterable<Buffer>) {
    for (let from = 0; from < chunk.length; ) {
      const expected = blocks[block]?.expected;
      if (expected === undefined) throw new Error('there are more answers than lines');
      const length = Math.min(chunk.length - from, expected.length - at);
      if (chunk.compare(expected, at, at + length, from, from + length) !== 0)
        throw new Error(`an answer to block ${block} is unlike the Set`);
      from += length;
      at += length;
      if (at < expected.length) continue;
      block++;
      at = 0;
    }
  }
  if (block !== blocks.length) throw new Error(`answers to ${block} of ${blocks.length} blocks came`);
}
