/**
 * HTTP load with wrk (a Debian package). It sends prepared requests from one thread, one after the other on
 * each connection.
 */
import { execFile, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { temporaryFolder } from './cleanup.ts';

const run = promisify(execFile);

export interface WrkRequest {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface Load {
  readonly requests: number;
  readonly perSecond: number;
  /** Median latency, in ms. */
  readonly p50Ms: number;
}

export function hasWrk(): boolean {
  return spawnSync('wrk', ['--version']).error === undefined;
}

/** Requests that wrk can send, in a temporary folder. */
export class WrkScript {
  readonly #path = join(temporaryFolder('wrk'), 'requests.lua');

  constructor(requests: readonly WrkRequest[]) {
    // JSON strings in ASCII are also valid Lua strings.
    const texts = requests.map((request) => `  ${JSON.stringify(textOf(request))},\n`);
    writeFileSync(this.#path, `local requests = {\n${texts.join('')}}\n${SCRIPT}`);
  }

  /** @param url origin to send to @throws if a response is an error or is missing */
  async drive(url: string, connections: number, seconds: number): Promise<Load> {
    const args = ['-t', '1', '-c', String(connections), '-d', `${seconds}s`, '-s', this.#path, url];
    const { stdout } = await run('wrk', args);
    const line = stdout.split('\n').find((each) => each.startsWith(MARK));
    if (line === undefined) throw new Error(`wrk printed no figures: ${stdout}`);
    const [requests, microseconds, p50, errors] = line.slice(MARK.length).trim().split(' ').map(Number);
    if (errors !== 0 || !(requests! > 0)) throw new Error(`wrk: ${errors} errors in ${requests} requests`);
    return { requests: requests!, perSecond: (requests! / microseconds!) * 1e6, p50Ms: p50! / 1000 };
  }
}

function textOf({ method, path, headers, body = '' }: WrkRequest): string {
  const lines = [`${method} ${path} HTTP/1.1`, 'host: localhost'];
  for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`);
  if (method === 'POST') lines.push(`content-length: ${Buffer.byteLength(body)}`);
  return `${lines.join('\r\n')}\r\n\r\n${body}`;
}

const MARK = 'measured ';
/** Prints the figures, because wrk's own output is meant for people. */
const SCRIPT = `
local next = 0
function request()
  next = next % #requests + 1
  return requests[next]
end
function done(summary, latency)
  local e = summary.errors
  io.write(string.format("${MARK}%d %d %.3f %d\\n", summary.requests, summary.duration, latency:percentile(50),
    e.connect + e.read + e.write + e.status + e.timeout))
end
`;
