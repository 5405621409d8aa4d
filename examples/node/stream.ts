/**
 * Sends any number of items in constant memory, in requests of bounded size. Browsers cannot send a body while
 * they read the response, and a small request can be sent again if it breaks. Each response is read line by
 * line, no faster than the caller takes the results.
 */
import {
  type Attempt,
  type Call,
  Cutoff,
  type Failure,
  failureOf,
  invalidResponse,
  pauseBeforeRetry,
  send,
} from './attempts.ts';
import type { Connection } from './connection.ts';
import { linesOf } from './lines.ts';

/** Limits of one request. It is large enough that its latency does not matter, and small enough to keep in memory. */
const REQUEST_LINES_MAX = 5_000;
const REQUEST_CHARS_MAX = 1_048_576;
/** Default for the longest time without a result, in ms. Longer than a window of the quota. */
export const STREAM_DEADLINE_MS = 120_000;
/** Longest wait for the next line, in ms. The service may wait for the next window of the quota, of 60 s. */
const LINE_TIMEOUT_MS = 90_000;
/** Longest wait for the end of a response after its last result, in ms. */
const END_TIMEOUT_MS = 1_000;

/** Items, or lines of NDJSON with one item each. */
export type LineSource<Item> = Iterable<Item | string> | AsyncIterable<Item | string>;

/** Where to send items, and how to read their results. */
export interface StreamTarget<Result> {
  readonly path: string;
  /** Longest time without a result, in ms. */
  readonly deadlineMs: number;
  /** Returns null if the JSON is not a result. */
  readonly read: (json: unknown) => Result | null;
}

/**
 * Yields one result for each item, in order.
 * @throws NumgateError if no result arrives within the deadline, or if the service rejects the request. All
 *   results before that are valid.
 */
export async function* sendInStreams<Item extends object, Result>(
  connection: Connection,
  source: LineSource<Item>,
  target: StreamTarget<Result>,
  call: Call,
): AsyncGenerator<Result, void, undefined> {
  for await (const lines of requestsOf(source, call.signal)) {
    let sent = 0;
    let end = performance.now() + target.deadlineMs;
    for (let tried = 1; sent < lines.length; tried++) {
      const answers = answersOf(connection, lines.slice(sent), target, end, call);
      let failure: Failure | null = null;
      for await (const answer of answers) {
        if (!answer.ok) failure = answer.failure;
        else {
          // This is progress, so earlier failures and the time that the caller takes do not count.
          sent++;
          tried = 0;
          yield answer.value;
        }
      }
      if (failure === null || sent === lines.length) continue;
      if (tried === 0) end = performance.now() + target.deadlineMs;
      if (!(await pauseBeforeRetry(failure, Math.max(tried, 1), end, connection, call.signal))) {
        throw failure.error;
      }
    }
  }
}

/** Sends one request. Yields one result for each line, or a failure after the results that arrived. */
async function* answersOf<Result>(
  connection: Connection,
  lines: readonly string[],
  { path, deadlineMs, read }: StreamTarget<Result>,
  end: number,
  call: Call,
): AsyncGenerator<Attempt<Result>, void, undefined> {
  call.signal?.throwIfAborted();
  const cutoff = new Cutoff(call.signal);
  let lineEnd = end;
  const arm = (): void => cutoff.arm(Math.min(LINE_TIMEOUT_MS, Math.max(0, lineEnd - performance.now())));
  try {
    arm();
    const content = { type: 'application/x-ndjson', body: `${lines.join('\n')}\n` };
    const posted = await send(connection, path, content, call, cutoff.signal);
    if (!posted.ok) return yield posted;
    let count = 0;
    const answered = linesOf(posted.value.body!)[Symbol.asyncIterator]();
    while (count < lines.length) {
      // Also needed if all results arrived at once.
      call.signal?.throwIfAborted();
      arm();
      const next = await answered.next();
      // The caller may take any time to process a result.
      cutoff.disarm();
      const value = next.done === true ? null : read(JSON.parse(next.value));
      if (value === null) return yield { ok: false, failure: invalidResponse(call) };
      count++;
      yield { ok: true, value };
      lineEnd = performance.now() + deadlineMs;
    }
    // A connection can be reused only after its response has been read to the end.
    cutoff.arm(END_TIMEOUT_MS);
    await answered.next();
  } catch (error) {
    yield { ok: false, failure: failureOf(error, cutoff, call) };
  } finally {
    cutoff.close();
  }
}

/**
 * Collects the lines of one request: all available lines, but at least one, so that a slow source does not
 * delay results. Reads no further ahead.
 */
async function* requestsOf<Item extends object>(
  source: LineSource<Item>,
  signal: AbortSignal | undefined,
): AsyncGenerator<readonly string[], void, undefined> {
  const iterator =
    Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
  /** A line that was requested from the source and not yet taken. */
  let next: Promise<IteratorResult<Item | string>> | null = null;
  let isOver = false;
  /** @returns the next line, or null if the source is over or `turn` comes first */
  const take = async (turn: Promise<null> | null): Promise<string | null> => {
    next ??= Promise.resolve(iterator.next());
    const taken = await (turn === null ? unlessAborted(next, signal) : Promise.race([next, turn]));
    if (taken === null) return null;
    next = null;
    isOver = taken.done === true;
    return taken.done === true ? null : lineOf(taken.value);
  };
  try {
    while (!isOver) {
      const lines: string[] = [];
      let chars = 0;
      let turn: Promise<null> | null = null;
      try {
        while (lines.length < REQUEST_LINES_MAX && chars < REQUEST_CHARS_MAX) {
          const line: string | null = await take(turn);
          if (line === null) break;
          lines.push(line);
          chars += line.length;
          turn ??= new Promise((resolve) => setTimeout(resolve, 0, null));
        }
      } finally {
        // If the source throws, its earlier lines are sent first.
        if (lines.length > 0) yield lines;
      }
    }
  } finally {
    const ended = isOver ? null : Promise.resolve(iterator.return?.());
    // A source that is still producing an item cannot end before that.
    if (next === null) await ended;
    else ended?.catch(() => undefined);
  }
}

/** @throws the reason of the signal, even if `value` never settles */
function unlessAborted<Value>(value: Promise<Value>, signal: AbortSignal | undefined): Promise<Value> {
  if (signal === undefined) return value;
  // Do not race with one shared promise, which would keep a closure of each value until the end.
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    value.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

function lineOf(item: object | string): string {
  if (typeof item !== 'string') return JSON.stringify(item);
  if (item.includes('\n')) throw new TypeError('a line of NDJSON must not contain a line end');
  return item;
}
