/**
 * The price of a billion verdicts (`billion.ts`), from the CPU time of a verdict measured in this run: the
 * processor time of the runtime during the requests, for each request type. It includes HTTP and other work
 * of the runtime, which Cloudflare does not bill, so it is an upper estimate.
 */
import { checkBatch } from './batch.ts';
import { billionRows, CPU_UNIT, nameOf, WAYS } from './billion.ts';
import { Client } from './client.ts';
import type { Installation } from './installation.ts';
import { type BenchOptions, sizesOf } from './options.ts';
import type { Asked, Questions } from './questions.ts';
import { type Row, row } from './row.ts';
import { median, processorSeconds } from './runtime.ts';
import { served } from './served.ts';
import { blockOf, LINES_PER_BLOCK, repeat, stream } from './stream.ts';

/** Connections: enough to keep the runtime busy, because an idle runtime wakes up for every request. */
const CONNECTIONS = 4;
const ROUNDS = 3;
/**
 * Requests per round, for some tenths of a second. Larger requests are limited by this number of verdicts.
 */
const REQUESTS = 3_000;
const VERDICTS_MAX = 200_000;
/** The CPU time per line does not depend on the number of lines. */
const STREAMED = 400_000;
/** A small run divides the counts by this. */
const SMALL = 20;

/** Sends the requests of one round. @returns processor time of the runtime, in s */
type Round = () => Promise<number>;

interface Measured {
  readonly round: Round;
  readonly verdicts: number;
}

export async function priceBench(options: BenchOptions): Promise<Row[]> {
  const [count] = sizesOf(options, [1_000_000], [100_000]);
  const { questions, installation } = await served(count!, options);
  const part = options.small ? SMALL : 1;
  const rows: Row[] = [];
  for (const [way, perRequest] of Object.entries(WAYS)) {
    const { round, verdicts } = way.startsWith('stream')
      ? streamed(questions, installation, STREAMED / part)
      : requested(questions, installation, perRequest, REQUESTS / part);
    // This round checks the responses and lets the engine compile hot code before the measurement.
    await round();
    const seconds: number[] = [];
    for (let left = options.small ? 1 : ROUNDS; left > 0; left--) seconds.push(await round());
    const cpuUs = (median(seconds) / verdicts) * 1e6;
    const peer = `with HTTP: an upper estimate; ${count!.toLocaleString('en')} listed`;
    rows.push(row(nameOf(way), cpuUs, CPU_UNIT, peer, null, null));
    rows.push(...billionRows(way, perRequest, cpuUs));
  }
  return rows;
}

function streamed(
  questions: Questions,
  { url, clientKey, runtimePids }: Installation,
  lines: number,
): Measured {
  const headers = { authorization: `Bearer ${clientKey}`, 'content-type': 'text/plain' };
  const blocks = repeat([blockOf(questions)], lines / LINES_PER_BLOCK);
  const round: Round = async () =>
    (await stream(`${url}/v1/check/stream`, headers, blocks, runtimePids)).processorSeconds;
  return { round, verdicts: lines };
}

/** @param perRequest numbers in each request, 1 for `/v1/check` @param requests maximum number of requests */
function requested(
  questions: Questions,
  { url, clientKey, runtimePids }: Installation,
  perRequest: number,
  requests: number,
): Measured {
  const headers = { authorization: `Bearer ${clientKey}`, 'content-type': 'application/json' };
  const many = Math.ceil(Math.min(requests, VERDICTS_MAX / perRequest));
  const prepared = Array.from({ length: many }, () => {
    const asked = questions.ask(perRequest);
    const items = asked.map(({ number }) => ({ to: number }));
    return { asked, body: Buffer.from(JSON.stringify(perRequest === 1 ? items[0] : { items })) };
  });
  const address = `${url}/v1/check${perRequest === 1 ? '' : '/batch'}`;
  const checkAnswer = perRequest === 1 ? checkSingle : checkBatch;
  const round: Round = async () => {
    const answers: Buffer[] = [];
    let next = 0;
    const oneAfterAnother = async (): Promise<void> => {
      const client = new Client(headers);
      try {
        for (let at = next++; at < many; at = next++)
          answers[at] = await client.send('POST', address, prepared[at]!.body);
      } finally {
        client.close();
      }
    };
    const before = processorSeconds(runtimePids);
    await Promise.all(Array.from({ length: CONNECTIONS }, oneAfterAnother));
    const seconds = processorSeconds(runtimePids) - before;
    for (const [at, { asked }] of prepared.entries()) checkAnswer(answers[at]!, asked);
    return seconds;
  };
  return { round, verdicts: many * perRequest };
}

function checkSingle(answer: Buffer, [asked]: readonly Asked[]): void {
  const { verdict } = JSON.parse(answer.toString()) as { verdict?: string };
  if (verdict !== (asked!.listed ? 'block' : 'allow')) throw new Error(`unlike the Set: ${answer}`);
}
