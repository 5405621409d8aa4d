/**
 * `POST /v1/check/stream`: any number of requests in constant memory. Each input line gets one output line,
 * all from the head pinned at the start. Backpressure reaches the sender. Over the quota, the stream waits
 * for the next window instead of failing.
 */

import { QUOTA_WINDOW_SECONDS, STREAM_LINE_CHARS_MAX } from '../../shared/limits.ts';
import { LineSplitter } from '../../shared/line-splitter.ts';
import {
  CHECK_FIELDS,
  parsePartyField,
  parseRequest,
  toRequest,
} from '../../shared/screening/parse-request.ts';
import { formatDecision } from '../../shared/screening/screen.ts';
import type { Snapshot } from '../../shared/screening/snapshot.ts';
import { SUBJECTS, type Subject } from '../../shared/verdict.ts';
import { mediaType } from '../http/body.ts';
import { parametersOf } from '../http/parameters.ts';
import { problem } from '../http/reply.ts';
import type { ClientContext } from './context.ts';
import { addHeadHeaders, formatItemError, headVersion } from './format.ts';
import { ItemRuns, type RunItem } from './item-runs.ts';
import { countOf } from './quota.ts';

/** Characters that some readers treat as a line end. They are never echoed. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it is about
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/;

/** Maximum bytes per read. */
const CHUNK_BYTES = 65_536;

/** A parsed line. */
interface Line extends RunItem {
  /** What the line counts against the quota. */
  readonly numbers: number;
}

/** How lines of one media type are parsed and answered. */
interface LineFormat<Read extends Line> {
  /** @param line null if the line was too long to keep */
  read(line: string | null): Read;
  /** Returns exactly one line. */
  answer(line: Read, snapshot: Snapshot): string;
}

interface TextLine extends Line {
  readonly text: string;
  /** The error code; empty if the line is valid. */
  readonly code: string;
}

interface JsonLine extends Line {
  readonly id: string | null;
  /** The error as sent; null if the line is valid. */
  readonly error: object | null;
}

export async function checkStream(context: ClientContext): Promise<Response> {
  const { request, reply, url } = context;
  const type = mediaType(request);
  const fail = (...parts: Parameters<typeof problem>): Response =>
    reply.problem(problem(...parts), url.pathname);
  if (type !== 'text/plain' && type !== 'application/x-ndjson') {
    return fail('CONTENT_TYPE_UNSUPPORTED', 'send content-type: text/plain or application/x-ndjson');
  }
  if (request.headers.has('content-encoding'))
    return fail('CONTENT_TYPE_UNSUPPORTED', 'send the lines as they are, without content-encoding');
  const given = parametersOf(url, { subject: 'text' });
  if ('code' in given) return reply.problem(given, url.pathname);
  const subject = SUBJECTS.find((candidate) => candidate === (given.text.subject ?? 'to'));
  if (subject === undefined)
    return fail('FIELD_VALUE', `subject must be one of ${SUBJECTS.join(', ')}`, { field: 'subject' });
  const snapshot = await context.snapshot();
  const runs = new ItemRuns(snapshot.release, context);
  await runs.begin();
  addHeadHeaders(reply, snapshot);
  const answers =
    type === 'text/plain'
      ? answering(context, snapshot, runs, textLine(context, subject))
      : answering(context, snapshot, runs, jsonLine(context));
  return reply.stream(answers, `${type}; charset=utf-8`);
}

/** `<number>,<verdict>,<code>` for each line with a number. */
function textLine(context: ClientContext, subject: Subject): LineFormat<TextLine> {
  const { internationalPrefix } = context.client;
  const options = { internationalPrefix, carrierPrefix: null };
  return {
    read(line) {
      if (line === null) return { request: null, text: '', code: 'NUMBER_TOO_LONG', numbers: 1 };
      const read = parsePartyField(line, subject, options);
      if ('error' in read) return { request: null, text: line, code: read.error.code, numbers: 1 };
      const request = toRequest({ ...CHECK_FIELDS.none, [subject]: read.party });
      return { request: request, text: line, code: '', numbers: 1 };
    },
    answer({ request, text, code }, snapshot) {
      // Testing first takes half as long as a replace that finds nothing.
      const echo = CONTROL.test(text) ? text.replace(new RegExp(CONTROL, 'g'), ' ') : text;
      if (request === null) return `${echo},error,${code}\n`;
      const { verdict, reasons } = context.screen(request, snapshot);
      return `${echo},${verdict},${reasons[0]?.code ?? ''}\n`;
    },
  };
}

function invalid(message: string): JsonLine {
  const error = { error: { code: 'JSON_INVALID', field: 'line', message } };
  return { request: null, id: null, error, numbers: 1 };
}
// Shared objects, not one per line: lines are held while their values load.
const JSON_TOO_LONG = invalid(`the line has more than ${STREAM_LINE_CHARS_MAX} characters`);
const NO_JSON = invalid('the line is not JSON');

/** One JSON response for each line with a JSON request. */
function jsonLine(context: ClientContext): LineFormat<JsonLine> {
  const convention = context.client.internationalPrefix;
  return {
    read(line) {
      if (line === null) return JSON_TOO_LONG;
      let value: unknown;
      try {
        value = JSON.parse(line);
      } catch {
        return NO_JSON;
      }
      const { request, id, error } = parseRequest(value, CHECK_FIELDS.none, true, CHECK_FIELDS, convention);
      return {
        request: request,
        id,
        error: error === null ? null : formatItemError(error),
        numbers: countOf(value),
      };
    },
    answer({ request, id, error }, snapshot) {
      if (request === null) return `${JSON.stringify({ id, ...error })}\n`;
      const response = formatDecision(request, context.screen(request, snapshot));
      return `${JSON.stringify({ id, ...response, ...headVersion(snapshot) })}\n`;
    },
  };
}

function answering<Read extends Line>(
  context: ClientContext,
  first: Snapshot,
  runs: ItemRuns,
  format: LineFormat<Read>,
): ReadableStream<Uint8Array> {
  const splitter = new LineSplitter(STREAM_LINE_CHARS_MAX);
  const encoder = new TextEncoder();
  let pinned = first;
  /** Numbers counted but not answered yet. The first one was counted when the stream was admitted. */
  let credit = 1;
  const answerAll = async (
    lines: readonly (string | null)[],
    controller: ReadableStreamDefaultController<Uint8Array>,
  ): Promise<void> => {
    if (lines.length > 0) pinned = await later(pinned, context);
    const read = lines.map(format.read);
    let wanted = numbersOf(read);
    // Answer as many lines as the window allows, and the rest in later windows.
    for (let from = 0; from < read.length; ) {
      credit += context.take(wanted - credit);
      const to = endWithin(read, from, credit);
      if (to === from) {
        await nextWindow();
        pinned = await later(pinned, context);
        continue;
      }
      const response = read.slice(from, to);
      const numbers = numbersOf(response);
      credit -= numbers;
      wanted -= numbers;
      let out = '';
      await runs.answer(response, (line) => {
        out += format.answer(line, pinned);
      });
      controller.enqueue(encoder.encode(out));
      from = to;
    }
  };
  // Read into our own buffer: piped data arrives in 4 KB chunks, and each chunk costs as much as about 30
  // lines.
  const reader = context.request.body?.getReader({ mode: 'byob' });
  let buffer = new ArrayBuffer(CHUNK_BYTES);
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        // Loop until there is output: the runtime does not repeat a pull that enqueues nothing.
        for (let given = false; !given; ) {
          const read = await reader?.read(new Uint8Array(buffer));
          const lines = read?.value === undefined || read.done ? splitter.end() : splitter.push(read.value);
          await answerAll(lines, controller);
          given = lines.length > 0;
          if (read === undefined || read.done) {
            controller.close();
            return;
          }
          buffer = read.value.buffer as ArrayBuffer;
        }
      },
      cancel: (reason) => reader?.cancel(reason),
    },
    // Read nothing until the client reads responses.
    { highWaterMark: 0 },
  );
}

function numbersOf(lines: readonly Line[]): number {
  return lines.reduce((sum, { numbers }) => sum + numbers, 0);
}

/** The end of the lines that this credit covers (exclusive). */
function endWithin(lines: readonly Line[], from: number, credit: number): number {
  let left = credit;
  let to = from;
  while (to < lines.length && lines[to]!.numbers <= left) left -= lines[to++]!.numbers;
  return to;
}

/**
 * The snapshot from the start with the current time. While its head is still current, its `asOf` advances
 * too. If the stream outlives its head, its responses become stale and say so.
 */
async function later(pinned: Snapshot, context: ClientContext): Promise<Snapshot> {
  const { seq, release, asOf, now } = await context.latest();
  // A head can be adopted in two steps: the same `seq`, but at first with the release of the previous head.
  const isSame = seq === pinned.seq && release === pinned.release;
  return { ...pinned, now, asOf: isSame ? asOf : pinned.asOf };
}

async function nextWindow(): Promise<void> {
  const windowMs = QUOTA_WINDOW_SECONDS * 1000;
  await new Promise((resolve) => setTimeout(resolve, windowMs - (Date.now() % windowMs)));
}
