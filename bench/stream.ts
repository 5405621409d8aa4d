/**
 * A million numbers through the running service as one stream: every answer against a plain Set, and
 * the memory of the runtime while it runs.
 */
import { readFileSync } from 'node:fs';
import { TAILS } from '../shared/numbers/number.ts';
import { startInstallation } from './installation.ts';
import type { BenchOptions } from './options.ts';
import { type Row, row } from './row.ts';
import { randomFrom } from './sets.ts';

/** Growth of the runtime's memory over the second half of the stream, in MiB: constant memory, but for noise. */
const GROWTH_REACH = 48;
const LINES_PER_CHUNK = 1_000;

export async function streamBench({ small, seed }: BenchOptions): Promise<Row[]> {
  const count = small ? 100_000 : 1_000_000;
  const random = randomFrom(seed + 3);
  const listed = new Set<string>();
  while (listed.size < count / 10) listed.add(numberOf(random()));
  const installation = await startInstallation([...listed]);
  try {
    const { url, clientKey, runtimePids } = installation;
    const asked: string[] = [];
    const sample = [...listed];
    while (asked.length < count)
      asked.push(random() % 2 === 0 ? numberOf(random()) : sample[random() % sample.length]!);
    await streamThrough(url, clientKey, asked.slice(0, count / 10), listed, () => undefined);
    const peaks: number[] = [];
    const start = performance.now();
    await streamThrough(url, clientKey, asked, listed, () => peaks.push(residentMib(runtimePids)));
    const seconds = (performance.now() - start) / 1000;
    const half = Math.floor(peaks.length / 2);
    const growth = Math.max(...peaks.slice(half)) - Math.max(...peaks.slice(0, half));
    const name = `stream, ${count.toLocaleString('en')} numbers, 0 answers unlike a Set`;
    return [
      row(name, count / seconds, 'number/s', '', null, null),
      row(`${name}: growth of memory, second half`, Math.max(0, growth), 'MiB', '', null, GROWTH_REACH),
      row(`${name}: peak memory of the runtime`, Math.max(...peaks), 'MiB', '', null, null),
    ];
  } finally {
    await installation.stop();
  }
}

/** Numbers of 010 that exist. */
function numberOf(random: number): string {
  return `010${String(20_000_000 + (random % (TAILS - 20_000_000))).padStart(8, '0')}`;
}

async function streamThrough(
  url: string,
  clientKey: string,
  asked: readonly string[],
  listed: ReadonlySet<string>,
  onChunk: () => void,
): Promise<void> {
  let sent = 0;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      const lines = asked.slice(sent, sent + LINES_PER_CHUNK);
      sent += lines.length;
      if (lines.length === 0) controller.close();
      else controller.enqueue(new TextEncoder().encode(`${lines.join('\n')}\n`));
    },
  });
  const headers = { authorization: `Bearer ${clientKey}`, 'content-type': 'text/plain' };
  const response = await fetch(`${url}/v1/check/stream`, {
    method: 'POST',
    headers,
    body,
    duplex: 'half',
  } as RequestInit);
  if (response.body === null || !response.ok) throw new Error(`stream answered ${response.status}`);
  const decoder = new TextDecoder();
  let carry = '';
  let answered = 0;
  for await (const chunk of response.body) {
    const lines = (carry + decoder.decode(chunk, { stream: true })).split('\n');
    carry = lines.pop()!;
    for (const line of lines) {
      const number = asked[answered++]!;
      const expected = listed.has(number) ? `${number},block,NUMBER_SUSPENDED` : `${number},allow,`;
      if (line !== expected) throw new Error(`answer ${answered} is unlike the Set`);
    }
    onChunk();
  }
  if (answered !== asked.length || carry !== '')
    throw new Error(`${answered} answers for ${asked.length} lines`);
}

/** Resident memory of processes (Linux), in MiB. */
function residentMib(pids: readonly number[]): number {
  let kib = 0;
  for (const pid of pids) {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    kib += Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0);
  }
  return kib / 1024;
}
