/**
 * A separate Redis on loopback without persistence, to measure the cost of a set in a server's memory. It uses
 * a plain socket (RESP2), so that no client library is measured.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../cli/local/free-port.ts';
import { onExit, temporaryFolder } from './cleanup.ts';
import { skipMissing } from './skip-missing.ts';

const HOST = '127.0.0.1';
/** Longest wait for the first response, in ms. */
const START_MS = 10_000;
/** Members per command when filling a set. */
const MEMBERS_PER_COMMAND = 5_000;
const KEY = 'listed';
const CRLF = '\r\n';

/** Encodes a command. */
export function command(...words: readonly string[]): Buffer {
  const parts = words.map((word) => `$${Buffer.byteLength(word)}${CRLF}${word}${CRLF}`);
  return Buffer.from(`*${words.length}${CRLF}${parts.join('')}`);
}

/** The SMISMEMBER reply for members (true) and non-members (false). */
export function membership(are: readonly boolean[]): Buffer {
  return Buffer.from(`*${are.length}${CRLF}${are.map((is) => `:${is ? 1 : 0}${CRLF}`).join('')}`);
}

export class Redis {
  readonly #server: ChildProcess;
  readonly #socket: Socket;

  private constructor(server: ChildProcess, socket: Socket) {
    this.#server = server;
    this.#socket = socket;
  }

  /** Starts Redis. @param bench that uses it @returns null, after a message, if redis-server is not installed */
  static async start(bench: string): Promise<Redis | null> {
    if (spawnSync('redis-server', ['--version']).error !== undefined) {
      skipMissing(
        'redis-server',
        `${bench}: redis-server is not installed, so no row is compared with Redis`,
      );
      return null;
    }
    const port = await freePort();
    const settings = { port, bind: HOST, dir: temporaryFolder('redis'), save: '', appendonly: 'no' };
    const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
    const server = spawn('redis-server', args, { stdio: 'ignore' });
    onExit(() => server.kill());
    return new Redis(server, await connectTo(server, port));
  }

  /**
   * Sends a command and reads its whole reply.
   * @param bytes length of the reply, if it has more than one line
   * @throws if the reply is an error
   */
  async send(sent: Buffer, bytes: number | null = null): Promise<Buffer> {
    const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
    const chunks: Buffer[] = [];
    let length = 0;
    const onData = (chunk: Buffer): void => {
      chunks.push(chunk);
      length += chunk.length;
      const isError = chunks[0]![0] === '-'.charCodeAt(0);
      if (isError || bytes === null ? chunk.at(-1) !== 10 : length < bytes) return;
      if (isError) reject(new Error(`redis: ${Buffer.concat(chunks).toString().trim()}`));
      else resolve(Buffer.concat(chunks));
    };
    this.#socket.on('data', onData).once('error', reject).once('close', reject);
    this.#socket.write(sent);
    try {
      return await promise;
    } finally {
      this.#socket.off('data', onData).off('error', reject).off('close', reject);
    }
  }

  async #number(...words: readonly string[]): Promise<number> {
    const reply = (await this.send(command(...words))).toString();
    const [, digits] = /^:(\d+)\r\n$/.exec(reply) ?? [];
    if (digits === undefined) throw new Error(`redis: ${words[0]} returned ${reply}`);
    return Number(digits);
  }

  /** Creates a set of these distinct members, and removes the previous set. @returns its key */
  async fill(members: readonly string[]): Promise<string> {
    await this.send(command('DEL', KEY));
    for (let from = 0; from < members.length; from += MEMBERS_PER_COMMAND)
      await this.send(command('SADD', KEY, ...members.slice(from, from + MEMBERS_PER_COMMAND)));
    const count = await this.#number('SCARD', KEY);
    if (count !== members.length) throw new Error(`redis has ${count} of ${members.length} members`);
    return KEY;
  }

  /** Size of the set in bytes, measured over all members. */
  memoryBytes(): Promise<number> {
    return this.#number('MEMORY', 'USAGE', KEY, 'SAMPLES', '0');
  }

  async stop(): Promise<void> {
    this.#socket.destroy();
    const ended = once(this.#server, 'exit');
    this.#server.kill();
    await ended;
  }
}

async function connectTo(server: ChildProcess, port: number): Promise<Socket> {
  for (const start = performance.now(); performance.now() - start < START_MS; await sleep(50)) {
    if (server.exitCode !== null) break;
    const socket = connect({ host: HOST, port, noDelay: true });
    try {
      await once(socket, 'connect');
      return socket;
    } catch {
      // It does not listen yet.
    }
  }
  throw new Error('redis-server did not start');
}
