/**
 * A separate Redis on loopback without persistence: what a set in the memory of a server costs. It uses a
 * plain socket (RESP2), so that no client library is measured.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { freePort } from './free-port.ts';
import { onExit, temporaryFolder } from './leftovers.ts';

const HOST = '127.0.0.1';
/** Longest wait until it responds, in ms. */
const START_MS = 10_000;
const TRY_EVERY_MS = 50;
/** Members per command when filling a set. */
const MEMBERS_PER_COMMAND = 5_000;
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
  readonly #end: () => Promise<void>;
  readonly #socket: Socket;

  private constructor(end: () => Promise<void>, socket: Socket) {
    this.#end = end;
    this.#socket = socket;
  }

  /** @returns null if redis-server is not installed */
  static async start(): Promise<Redis | null> {
    if (spawnSync('redis-server', ['--version']).error !== undefined) return null;
    const folder = temporaryFolder('redis');
    const port = await freePort();
    const settings = { port, bind: HOST, dir: folder.path, save: '', appendonly: 'no', daemonize: 'no' };
    const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
    const server = spawn('redis-server', args, { stdio: 'ignore' });
    const kill = onExit(() => server.kill());
    const end = async (): Promise<void> => {
      const gone = server.exitCode === null && server.signalCode === null ? once(server, 'exit') : null;
      kill();
      await gone;
      folder.remove();
    };
    try {
      const redis = new Redis(end, await connected(server, port));
      await redis.ask(command('PING'));
      return redis;
    } catch (error) {
      await end();
      throw error;
    }
  }

  /**
   * Sends a command and reads its whole reply.
   * @param bytes of the reply, if it has more than one line
   * @throws if the reply is an error
   */
  async ask(sent: Buffer, bytes: number | null = null): Promise<Buffer> {
    const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
    const chunks: Buffer[] = [];
    let length = 0;
    const onData = (chunk: Buffer): void => {
      chunks.push(chunk);
      length += chunk.length;
      const isError = chunks[0]![0] === '-'.charCodeAt(0);
      if (isError ? chunk.at(-1) === 10 : bytes === null ? chunk.at(-1) === 10 : length >= bytes) {
        if (isError) reject(new Error(`redis: ${Buffer.concat(chunks).toString().trim()}`));
        else resolve(Buffer.concat(chunks));
      }
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
    const reply = (await this.ask(command(...words))).toString();
    const [, digits] = /^:(\d+)\r\n$/.exec(reply) ?? [];
    if (digits === undefined) throw new Error(`redis: ${words[0]} gave ${reply}`);
    return Number(digits);
  }

  /** Makes a set of these distinct members. */
  async fill(key: string, members: readonly string[]): Promise<void> {
    for (let from = 0; from < members.length; from += MEMBERS_PER_COMMAND)
      await this.ask(command('SADD', key, ...members.slice(from, from + MEMBERS_PER_COMMAND)));
    const count = await this.#number('SCARD', key);
    if (count !== members.length) throw new Error(`redis has ${count} of ${members.length} members`);
  }

  /** Bytes that a key and all its content take. */
  memoryOf(key: string): Promise<number> {
    // Of all members, not of a sample.
    return this.#number('MEMORY', 'USAGE', key, 'SAMPLES', '0');
  }

  async stop(): Promise<void> {
    this.#socket.destroy();
    await this.#end();
  }
}

async function connected(server: ChildProcess, port: number): Promise<Socket> {
  for (const start = performance.now(); performance.now() - start < START_MS; ) {
    if (server.exitCode !== null) break;
    const socket = connect({ host: HOST, port, noDelay: true });
    try {
      await once(socket, 'connect');
      return socket;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, TRY_EVERY_MS));
    }
  }
  throw new Error('redis-server did not start');
}
