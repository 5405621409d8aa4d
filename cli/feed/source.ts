/**
 * Reads the feed of another installation over HTTP, as a client with the right `feed`. The size of bodies is bounded. If the
 * service does not respond or is busy, requests are tried again for a while.
 */
import { setTimeout } from 'node:timers/promises';
import {
  PULLED_LINE_CHARS_MAX,
  PULLED_NOTE_BYTES_MAX,
  PULLED_PAGE_BYTES_MAX,
} from '../../shared/limits/feed-pull.ts';
import { LineSplitter } from '../../shared/line-splitter.ts';
import { pauseMs, Unreachable } from '../admin.ts';
import { CommandFailure } from '../failure.ts';
import { type Problem, problemFailure } from '../problem.ts';
import { note } from '../terminal/output.ts';

/** Total of the pauses before a pull gives up, in ms. A service that restarts is back by then. */
const PATIENCE_MS = 120_000;
/** Tries before the pull says that it waits. */
const QUIET_TRIES = 3;
/** Longest silence of the service within a response, in ms. The time that a request asks it to wait comes on top. */
const RESPONSE_WAIT_MS = 60_000;
/** The connection failed, or the service did not respond in time. */
class Disconnected extends Error {}

export interface SourceSettings {
  /** Base URL of the service. */
  readonly url: string;
  /** Key of a client with the right `feed`. */
  readonly clientKey: string;
  readonly patienceMs?: number;
  readonly pause?: (ms: number) => Promise<unknown>;
}

/** All methods throw CommandFailure with the code of the problem, and Unreachable once the pauses reach `patienceMs`. */
export class FeedSource {
  readonly url: string;
  readonly #settings: SourceSettings;
  /** Bytes of all bodies that were read. */
  bytes = 0;

  constructor(settings: SourceSettings) {
    this.url = settings.url.replace(/\/+$/, '');
    this.#settings = settings;
  }

  /** The events after a cursor: the rest of its page. @param waitMs how long the service may wait for the first event */
  page(cursor: string | null, waitMs = 0): Promise<unknown> {
    const query = new URLSearchParams();
    if (cursor !== null) query.set('lastEventId', cursor);
    if (waitMs > 0) query.set('timeout', String(waitMs));
    const path = query.size === 0 ? '' : `?${query}`;
    return this.#get(path, waitMs, async (response) => {
      const text = await this.#text(response, PULLED_PAGE_BYTES_MAX);
      try {
        return JSON.parse(text) as unknown;
      } catch {
        throw this.#unexpected('is not JSON');
      }
    });
  }

  checkpoint(): Promise<string> {
    return this.#get('/checkpoint', 0, (response) => this.#text(response, PULLED_NOTE_BYTES_MAX));
  }

  /** The signed statement of an epoch. */
  epoch(epoch: number): Promise<string> {
    return this.#get(`/epochs/${epoch}`, 0, (response) => this.#text(response, PULLED_NOTE_BYTES_MAX));
  }

  /** Reads a snapshot to its end. A snapshot that breaks off is read again from its start. */
  snapshot<Value>(read: (lines: AsyncIterable<string>) => Promise<Value>): Promise<Value> {
    return this.#get('/snapshot?format=ndjson', 0, (response) => read(this.#lines(response)));
  }

  async #get<Value>(
    path: string,
    waitMs: number,
    read: (response: Response) => Promise<Value>,
  ): Promise<Value> {
    const { pause = setTimeout, patienceMs = PATIENCE_MS } = this.#settings;
    let pausedMs = 0;
    for (let tried = 0; ; tried++) {
      let failure: CommandFailure;
      let retryAfter: string | null = null;
      try {
        const response = await this.#fetch(path, waitMs);
        if (response.ok) return await read(response);
        failure = await this.#problem(response);
        if (!isTemporary(response.status, failure)) throw failure;
        retryAfter = response.headers.get('retry-after');
      } catch (error) {
        if (!(error instanceof Disconnected)) throw error;
        failure = new Unreachable(`${this.url} does not respond: ${error.message}`, '', false);
      }
      if (pausedMs >= patienceMs) throw failure;
      const ms = pauseMs(tried, retryAfter);
      if (tried === QUIET_TRIES) note(`${this.url} does not respond yet: trying again\n`);
      pausedMs += ms;
      await pause(ms);
    }
  }

  async #fetch(path: string, waitMs: number): Promise<Response> {
    const abort = new AbortController();
    const late = globalThis.setTimeout(
      () => abort.abort(new Error(`no response after ${(RESPONSE_WAIT_MS + waitMs) / 1000} s`)),
      RESPONSE_WAIT_MS + waitMs,
    );
    try {
      return await fetch(`${this.url}/v1/feed${path}`, {
        headers: { authorization: `Bearer ${this.#settings.clientKey}` },
        // The key must not go to another address.
        redirect: 'manual',
        signal: abort.signal,
      });
    } catch (error) {
      throw disconnected(error);
    } finally {
      clearTimeout(late);
    }
  }

  /** The chunks of a body, each within RESPONSE_WAIT_MS. */
  async *#chunks(response: Response): AsyncGenerator<Uint8Array> {
    if (response.body === null) return;
    const reader = response.body.getReader();
    try {
      for (;;) {
        let late: NodeJS.Timeout | undefined;
        const timeout = new Promise<never>((_, reject) => {
          late = globalThis.setTimeout(
            () => reject(new Error(`the response stalled for ${RESPONSE_WAIT_MS / 1000} s`)),
            RESPONSE_WAIT_MS,
          );
        });
        const { done, value } = await Promise.race([reader.read(), timeout])
          .catch((error: unknown) => {
            throw disconnected(error);
          })
          .finally(() => clearTimeout(late));
        if (done) return;
        this.bytes += value.length;
        yield value;
      }
    } finally {
      // Stop the transfer of a body that was not read to its end.
      await reader.cancel().catch(() => undefined);
    }
  }

  async #text(response: Response, bytesMax: number): Promise<string> {
    const chunks: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of this.#chunks(response)) {
      size += chunk.length;
      if (size > bytesMax) throw this.#unexpected(`is longer than ${bytesMax} bytes`);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks).toString('utf8');
  }

  async *#lines(response: Response): AsyncGenerator<string> {
    const splitter = new LineSplitter(PULLED_LINE_CHARS_MAX);
    const checked = (line: string | null): string => {
      if (line === null) throw this.#unexpected(`has a line longer than ${PULLED_LINE_CHARS_MAX} characters`);
      return line;
    };
    for await (const chunk of this.#chunks(response))
      for (const line of splitter.push(chunk)) yield checked(line);
    for (const line of splitter.end()) yield checked(line);
  }

  async #problem(response: Response): Promise<CommandFailure> {
    const { status } = response;
    try {
      const problem = JSON.parse(await this.#text(response, PULLED_NOTE_BYTES_MAX)) as Partial<Problem>;
      if (typeof problem.code === 'string' && typeof problem.message === 'string') {
        const failure = problemFailure(problem as Problem);
        if (problem.code !== 'UNAUTHENTICATED') return failure;
        return new CommandFailure(
          `UNAUTHENTICATED: ${problem.message}\ncheck the client key in NUMGATE_FEED_KEY, and that the client has the right "feed"`,
          1,
          failure.extras,
        );
      }
    } catch (error) {
      if (error instanceof CommandFailure) return error;
      if (error instanceof Disconnected) throw error;
    }
    return this.#unexpected(`has the status ${status} and is not from numgate`);
  }

  #unexpected(what: string): CommandFailure {
    return new CommandFailure(`the response of ${this.url} ${what}: check that it is the URL of numgate`);
  }
}

/** fetch gives the reason only in `cause`. */
function disconnected(error: unknown): Disconnected {
  const { message, cause } = error as Error;
  return new Disconnected(cause instanceof Error && cause.message !== '' ? cause.message : message);
}

function isTemporary(status: number, { details: { code } }: CommandFailure): boolean {
  return (status === 503 && code !== 'NOT_CONFIGURED') || status === 429 || status === 502 || status === 504;
}
