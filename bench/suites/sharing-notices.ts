/**
 * Seconds from a block to its event in the feed, and to the first request to an operator's webhook. Also counts notices that
 * are lost, doubled or out of order while the service is killed and the receiver fails.
 */
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { FEED_WAIT_MS_MAX } from '../../shared/limits/feed.ts';
import { type FeedInstallation, startFeedInstallations } from '../lib/feed-pair.ts';
import type { BenchOptions } from '../lib/options.ts';
import { quantile } from '../lib/statistics.ts';
import { type Row, row, withCommas } from '../lib/table.ts';

interface Load {
  /** Blocks that are timed, one after another. */
  readonly timed: number;
  /** Blocks during which the service is killed `kills` times. */
  readonly blocked: number;
  readonly kills: number;
  /** The receiver refuses each notice whose version is a multiple of this once. Each refusal takes 5 s. */
  readonly refusedEvery: number;
}

const FULL: Load = { timed: 200, blocked: 2_000, kills: 10, refusedEvery: 200 };
const SMALL: Load = { timed: 3, blocked: 40, kills: 1, refusedEvery: 20 };

const OPERATOR = 'operator';
const FIRST_NUMBER = 821_066_000_000;
/** Longest wait for notices, in ms. */
const ARRIVED_WAIT_MS = 600_000;
const LOOK_EVERY_MS = 5;
/** Pause between two timed blocks in ms, so that each one is processed alone. */
const PAUSE_MS = 50;
const BATCH = 20;

interface Received {
  readonly version: number;
  readonly number: string;
  readonly at: number;
}

export async function sharingNotices({ small }: BenchOptions): Promise<Row[]> {
  const load = small ? SMALL : FULL;
  const [installation] = (await startFeedInstallations('notices')) as [FeedInstallation];
  const receiver = await Receiver.start();
  try {
    await addOperator(installation, receiver);
    const reader = await FeedReader.start(installation);
    const { seconds, feedSeconds } = await timeBlocks(installation, receiver, reader, load);
    await reader.stop();
    await blockThroughDeaths(installation, receiver, load);
    const blocked = load.timed + load.blocked;
    const numbers = new Set(receiver.kept.map(({ number }) => number));
    const versions = receiver.kept.map(({ version }) => version);
    // Gaps are fine, because notices of other types have the versions in between.
    const disordered = versions.filter((version, index) => version <= (versions[index - 1] ?? 0)).length;
    const what = `${withCommas(blocked)} blocks, ${load.kills} kills, ${receiver.refused} refused`;
    const time = `${load.timed} blocks, one after another`;
    return [
      row('feed: block to a reader that waits, p50', quantile(feedSeconds, 0.5), 's', time),
      row('feed: block to a reader that waits, p99', quantile(feedSeconds, 0.99), 's', time, null, 15),
      row('notices: block to first attempt, p50', quantile(seconds, 0.5), 's', time),
      row('notices: block to first attempt, p99', quantile(seconds, 0.99), 's', time, null, 15),
      row('notices: blocks without a notice', blocked - numbers.size, 'notices', what, null, 0),
      row(
        'notices: doubled after dropping known IDs',
        versions.length - numbers.size,
        'notices',
        what,
        null,
        0,
      ),
      row('notices: out of order', disordered, 'notices', what, null, 0),
      row('notices: requests for a notice', receiver.requests / blocked, 'requests', 'with retries'),
    ];
  } finally {
    receiver.stop();
    await installation.service.kill();
  }
}

/** An operator with a webhook. */
async function addOperator({ admin }: FeedInstallation, { host }: Receiver): Promise<void> {
  const organisation = { id: OPERATOR, displayName: OPERATOR, roles: ['operator'], webhookHosts: [host] };
  await admin('PUT', `organisations/${OPERATOR}`, { organisation });
  const types = ['recipients.guidance'];
  await admin('POST', `organisations/${OPERATOR}/webhooks`, { url: `http://${host}/numgate`, types });
}

async function block({ admin }: FeedInstallation, first: number, count: number): Promise<void> {
  const items = Array.from({ length: count }, (_, index) => ({ number: `+${first + index}` }));
  await admin('POST', 'entries', { op: 'block', items });
}

async function timeBlocks(
  installation: FeedInstallation,
  receiver: Receiver,
  reader: FeedReader,
  { timed }: Load,
): Promise<{ seconds: number[]; feedSeconds: number[] }> {
  const seconds: number[] = [];
  const feedSeconds: number[] = [];
  for (let index = 0; index < timed; index++) {
    const begun = performance.now();
    await block(installation, FIRST_NUMBER + index, 1);
    await receiver.until(index + 1);
    seconds.push((receiver.kept[index]!.at - begun) / 1_000);
    feedSeconds.push(((await reader.seenAt(FIRST_NUMBER + index)) - begun) / 1_000);
    await sleep(PAUSE_MS);
  }
  return { seconds, feedSeconds };
}

/** Blocks in batches, while the service dies and the receiver refuses some notices. */
async function blockThroughDeaths(
  installation: FeedInstallation,
  receiver: Receiver,
  { timed, blocked, kills, refusedEvery }: Load,
): Promise<void> {
  receiver.refusedEvery = refusedEvery;
  const killEvery = Math.max(1, Math.floor(blocked / BATCH / kills));
  for (let at = 0; at < blocked; at += BATCH) {
    await block(installation, FIRST_NUMBER + timed + at, Math.min(BATCH, blocked - at));
    // The delay varies, so that the kill hits different stages of the work that the block started.
    if ((at / BATCH) % killEvery === killEvery - 1) {
      await sleep((at * 7) % 200);
      await installation.restart();
    }
  }
  await receiver.until(timed + blocked);
}

/** A consumer of the unencrypted feed. It always has a request waiting. */
class FeedReader {
  readonly #seen = new Map<string, number>();
  readonly #ended = new AbortController();
  #cursor = '';
  #reading: Promise<void> = Promise.resolve();

  static async start(installation: FeedInstallation): Promise<FeedReader> {
    const options = ['--rights', 'feed', '--feed', 'none'];
    const { key } = (await installation.numgate('clients', 'add', 'reader', ...options)) as { key: string };
    const reader = new FeedReader();
    // A new client is unknown for up to a second, until control has read it.
    while (!(await reader.#read(installation.service.url, key, 0))) await sleep(PAUSE_MS);
    reader.#reading = reader.#readOn(installation.service.url, key);
    return reader;
  }

  /** Time of the first event about a number, in the time of `performance.now()`. */
  async seenAt(n: number): Promise<number> {
    for (const end = Date.now() + ARRIVED_WAIT_MS; ; await sleep(LOOK_EVERY_MS)) {
      const at = this.#seen.get(`+${n}`);
      if (at !== undefined) return at;
      if (Date.now() > end) throw new Error(`the feed has no event after ${ARRIVED_WAIT_MS} ms`);
    }
  }

  async stop(): Promise<void> {
    this.#ended.abort();
    await this.#reading.catch(() => undefined);
  }

  async #readOn(url: string, key: string): Promise<void> {
    while (!this.#ended.signal.aborted) await this.#read(url, key, FEED_WAIT_MS_MAX);
  }

  /** @returns whether the service knows the client */
  async #read(url: string, key: string, timeout: number): Promise<boolean> {
    const after = this.#cursor === '' ? '' : `&lastEventId=${this.#cursor}`;
    const response = await fetch(`${url}/v1/feed?timeout=${timeout}${after}`, {
      headers: { authorization: `Bearer ${key}` },
      signal: this.#ended.signal,
    });
    if (!response.ok) return false;
    type Event = { readonly data: { readonly entry: { readonly number: string } | null } };
    const events = (await response.json()) as Event[];
    const at = performance.now();
    for (const { data } of events)
      if (data.entry !== null && !this.#seen.has(data.entry.number)) this.#seen.set(data.entry.number, at);
    this.#cursor = response.headers.get('numgate-cursor') ?? this.#cursor;
    return true;
  }
}

/** Keeps each notice under its ID, as docs/sharing.md says. */
class Receiver {
  readonly kept: Received[] = [];
  readonly host: string;
  readonly #server: Server;
  readonly #ids = new Set<string>();
  readonly #refused = new Set<string>();
  requests = 0;
  /** Refuses versions that are a multiple of this; 0 refuses none. */
  refusedEvery = 0;

  private constructor(server: Server) {
    this.#server = server;
    this.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  static async start(): Promise<Receiver> {
    let receiver: Receiver | null = null;
    const server = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => {
        body += chunk.toString();
      });
      request.on('end', () => response.writeHead(receiver!.#take(request, body)).end());
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    receiver = new Receiver(server);
    return receiver;
  }

  /** Notices that were refused once. */
  get refused(): number {
    return this.#refused.size;
  }

  /** Waits until this many notices are kept. */
  async until(count: number): Promise<void> {
    for (const end = Date.now() + ARRIVED_WAIT_MS; this.kept.length < count; await sleep(LOOK_EVERY_MS))
      if (Date.now() > end)
        throw new Error(`${this.kept.length} of ${count} notices after ${ARRIVED_WAIT_MS} ms`);
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  #take({ headers }: IncomingMessage, body: string): number {
    const at = performance.now();
    this.requests++;
    const id = String(headers['webhook-id']);
    if (this.#ids.has(id)) return 204;
    const { version, data } = JSON.parse(body) as { version: number; data: { number: string } };
    if (this.refusedEvery > 0 && version % this.refusedEvery === 0 && !this.#refused.has(id)) {
      this.#refused.add(id);
      return 503;
    }
    this.#ids.add(id);
    this.kept.push({ version, number: data.number, at });
    return 204;
  }
}
