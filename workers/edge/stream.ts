/**
 * `POST /v1/check/stream`: any number of requests in constant memory. Each input line gets one output line,
 * all from the head pinned at the start. Backpressure reaches the sender. Over the quota, the stream waits
 * for the next window instead of failing.
 */

import { fieldError, oneOf } from '../../shared/fields.ts';
import { QUOTA_WINDOW_SECONDS, STREAM_LINE_CHARS_MAX } from '../../shared/limits.ts';
import { LineSplitter } from '../../shared/line-splitter.ts';
import type { ScreenRequest } from '../../shared/request.ts';
import { type Failure, ok, type Result } from '../../shared/result.ts';
import { formatDecision } from '../../shared/screening/check-response.ts';
import { CHECK_FIELDS, parseItem, parsePartyField, toRequest } from '../../shared/screening/parse-request.ts';
import type { Snapshot } from '../../shared/screening/snapshot.ts';
import { SUBJECTS, type Subject } from '../../shared/verdict.ts';
import type { Answer, RequestContext } from '../http/app.ts';
import { mediaType } from '../http/body.ts';
import { parametersOf } from '../http/parameters.ts';
import { problem } from '../http/reply.ts';
import { admit, type ClientContext } from './client-context.ts';
import { addHeadHeaders, headVersion } from './head-version.ts';
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
interface LineFormat<Parsed extends Line> {
  /** @param line null if the line was too long to keep */
  parse(line: string | null): Parsed;
  /** Returns exactly one line. */
  answer(line: Parsed, snapshot: Snapshot): string;
}

interface TextLine extends Line {
  readonly text: string;
}

interface JsonLine extends Line {
  readonly id: string | null;
  readonly parsed: Result<ScreenRequest, LineError>;
}

/** The error of one line, or of a field in it. */
interface LineError extends Failure {
  readonly field: string;
}

export async function checkStream(context: RequestContext): Promise<Answer> {
  const admitted = await admit(context, 'check');
  if (!admitted.ok) return admitted;
  const client = admitted.value;
  const { request, reply, url } = context;
  const type = mediaType(request);
  if (type !== 'text/plain' && type !== 'application/x-ndjson') {
    return problem('CONTENT_TYPE_UNSUPPORTED', 'send content-type: text/plain or application/x-ndjson');
  }
  if (request.headers.has('content-encoding'))
    return problem('CONTENT_TYPE_UNSUPPORTED', 'send the lines without content-encoding');
  const parameters = parametersOf(url, { subject: 'text' });
  if (!parameters.ok) return parameters;
  const subject = oneOf(SUBJECTS, 'subject', parameters.value.text.subject ?? 'to');
  if (!subject.ok) return subject;
  const snapshot = await client.snapshot();
  const runs = new ItemRuns(snapshot.release, client);
  await runs.begin();
  addHeadHeaders(reply, snapshot);
  const answers =
    type === 'text/plain'
      ? screenLines(client, snapshot, runs, textLine(client, subject.value))
      : screenLines(client, snapshot, runs, jsonLine(client));
  return reply.stream(answers, `${type}; charset=utf-8`);
}

/** `<number>,<verdict>,<code>` for each line with a number. */
function textLine(context: ClientContext, subject: Subject): LineFormat<TextLine> {
  const { internationalPrefix } = context.client;
  const options = { internationalPrefix, carrierPrefix: null };
  return {
    parse(line) {
      if (line === null) return TEXT_TOO_LONG;
      const party = parsePartyField(line, subject, options);
      if (!party.ok) return { parsed: party, text: line, numbers: 1 };
      const request = toRequest({ ...CHECK_FIELDS.none, [subject]: party.value });
      return { parsed: ok(request), text: line, numbers: 1 };
    },
    answer({ parsed, text }, snapshot) {
      // Testing first takes half as long as a replace that finds nothing.
      const echo = CONTROL.test(text) ? text.replace(new RegExp(CONTROL, 'g'), ' ') : text;
      if (!parsed.ok) return `${echo},error,${parsed.code}\n`;
      const { verdict, reasons } = context.screen(parsed.value, snapshot);
      return `${echo},${verdict},${reasons[0]?.code ?? ''}\n`;
    },
  };
}

// Shared objects, not one per line: lines are held while their values load.
const TEXT_TOO_LONG: TextLine = { parsed: fieldError('NUMBER_TOO_LONG', 'line'), text: '', numbers: 1 };
const JSON_TOO_LONG = invalidLine(`has more than ${STREAM_LINE_CHARS_MAX} characters`);
const NO_JSON = invalidLine('is not JSON');

function invalidLine(detail: string): JsonLine {
  const error = { ok: false, code: 'JSON_INVALID', field: 'line', message: `"line" ${detail}` } as const;
  return { parsed: error, id: null, numbers: 1 };
}

/** One JSON response for each line with a JSON request. */
function jsonLine(context: ClientContext): LineFormat<JsonLine> {
  const convention = context.client.internationalPrefix;
  return {
    parse(line) {
      if (line === null) return JSON_TOO_LONG;
      let value: unknown;
      try {
        value = JSON.parse(line);
      } catch {
        return NO_JSON;
      }
      const { id, parsed } = parseItem(value, CHECK_FIELDS.none, CHECK_FIELDS, convention);
      return { id, parsed, numbers: countOf(value) };
    },
    answer({ parsed, id }, snapshot) {
      if (!parsed.ok) {
        const { code, field, message } = parsed;
        return `${JSON.stringify({ id, error: { code, field, message } })}\n`;
      }
      const response = formatDecision(parsed.value, context.screen(parsed.value, snapshot));
      return `${JSON.stringify({ id, ...response, ...headVersion(snapshot) })}\n`;
    },
  };
}

function screenLines<Parsed extends Line>(
  context: ClientContext,
  first: Snapshot,
  runs: ItemRuns,
  format: LineFormat<Parsed>,
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
    const parsed = lines.map(format.parse);
    let wanted = numbersOf(parsed);
    // Answer as many lines as the window allows, and the rest in later windows.
    for (let from = 0; from < parsed.length; ) {
      credit += context.take(wanted - credit);
      const to = endWithin(parsed, from, credit);
      if (to === from) {
        await nextWindow();
        pinned = await later(pinned, context);
        continue;
      }
      const admitted = parsed.slice(from, to);
      const numbers = numbersOf(admitted);
      credit -= numbers;
      wanted -= numbers;
      let out = '';
      await runs.answer(admitted, (line) => {
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
