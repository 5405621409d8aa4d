/**
 * `POST /v1/check/stream`: any number of questions in constant memory, one line out for each line in,
 * all from the head of the start. Backpressure reaches the sender; over the quota the stream waits for
 * the next window instead of breaking off.
 */
import { CHECK_FIELDS, questionOf, readParty, readQuestion } from '../shared/asked.ts';
import { QUOTA_WINDOW_SECONDS, STREAM_LINE_CHARS_MAX } from '../shared/limits.ts';
import { LineSplitter } from '../shared/line-splitter.ts';
import { tell } from '../shared/screen.ts';
import type { Snapshot } from '../shared/snapshot.ts';
import { SUBJECTS, type Subject } from '../shared/verdict.ts';
import { headNames, itemError, nameHead } from './answers.ts';
import { mediaType } from './body.ts';
import type { ClientCall } from './call.ts';
import { problem } from './http.ts';
import { parametersOf } from './parameters.ts';
import { countOf } from './quota.ts';
import { type Asking, Runs } from './runs.ts';

/** What some readers take for the end of a line: never echoed. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it is about
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/;

/** Most that is read at a time. */
const CHUNK_BYTES = 65_536;

/** A line that was read. */
interface Line extends Asking {
  /** What it counts against the quota. */
  readonly numbers: number;
}

/** How lines of one media type are read and answered. */
interface LineFormat<Read extends Line> {
  /** @param line null for one that was too long to keep */
  read(line: string | null): Read;
  /** One line for one line. */
  answer(line: Read, snapshot: Snapshot): string;
}

interface TextLine extends Line {
  readonly text: string;
  /** Why it asks nothing. */
  readonly code: string;
}

interface JsonLine extends Line {
  readonly id: string | null;
  /** Why it asks nothing, as that is told. */
  readonly error: object | null;
}

export async function checkStream(call: ClientCall): Promise<Response> {
  const { request, reply, url } = call;
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
  const snapshot = await call.snapshot();
  const runs = new Runs(snapshot.release, call);
  await runs.begin();
  nameHead(reply, snapshot);
  const answers =
    type === 'text/plain'
      ? answering(call, snapshot, runs, textLine(call, subject))
      : answering(call, snapshot, runs, jsonLine(call));
  return reply.stream(answers, `${type}; charset=utf-8`);
}

/** `<number>,<verdict>,<code>` for a number on a line. */
function textLine(call: ClientCall, subject: Subject): LineFormat<TextLine> {
  const { internationalPrefix } = call.client;
  const options = { internationalPrefix, carrierPrefix: null };
  return {
    read(line) {
      if (line === null) return { question: null, text: '', code: 'NUMBER_TOO_LONG', numbers: 1 };
      const read = readParty(line, subject, options);
      if ('error' in read) return { question: null, text: line, code: read.error.code, numbers: 1 };
      const question = questionOf({ ...CHECK_FIELDS.none, [subject]: read.party });
      return { question, text: line, code: '', numbers: 1 };
    },
    answer({ question, text, code }, snapshot) {
      // To look whether there is one takes half as long as to replace none.
      const echo = CONTROL.test(text) ? text.replace(new RegExp(CONTROL, 'g'), ' ') : text;
      if (question === null) return `${echo},error,${code}\n`;
      const { verdict, reasons } = call.judge(question, snapshot);
      return `${echo},${verdict},${reasons[0]?.code ?? ''}\n`;
    },
  };
}

function invalid(message: string): JsonLine {
  const error = { error: { code: 'JSON_INVALID', field: 'line', message } };
  return { question: null, id: null, error, numbers: 1 };
}
// Once each, not once a line: lines are kept while what they need is loaded.
const JSON_TOO_LONG = invalid(`the line has more than ${STREAM_LINE_CHARS_MAX} characters`);
const NO_JSON = invalid('the line is not JSON');

/** A verdict object for a question object on a line. */
function jsonLine(call: ClientCall): LineFormat<JsonLine> {
  const convention = call.client.internationalPrefix;
  return {
    read(line) {
      if (line === null) return JSON_TOO_LONG;
      let value: unknown;
      try {
        value = JSON.parse(line);
      } catch {
        return NO_JSON;
      }
      const { question, id, error } = readQuestion(value, CHECK_FIELDS.none, true, CHECK_FIELDS, convention);
      return { question, id, error: error === null ? null : itemError(error), numbers: countOf(value) };
    },
    answer({ question, id, error }, snapshot) {
      if (question === null) return `${JSON.stringify({ id, ...error })}\n`;
      const answered = tell(question, call.judge(question, snapshot));
      return `${JSON.stringify({ id, ...answered, ...headNames(snapshot) })}\n`;
    },
  };
}

function answering<Read extends Line>(
  call: ClientCall,
  first: Snapshot,
  runs: Runs,
  format: LineFormat<Read>,
): ReadableStream<Uint8Array> {
  const splitter = new LineSplitter(STREAM_LINE_CHARS_MAX);
  const encoder = new TextEncoder();
  let pinned = first;
  /** Numbers that are counted and not answered yet: the first was counted when the stream was let in. */
  let credit = 1;
  const answerAll = async (
    lines: readonly (string | null)[],
    controller: ReadableStreamDefaultController<Uint8Array>,
  ): Promise<void> => {
    if (lines.length > 0) pinned = await later(pinned, call);
    const read = lines.map(format.read);
    let wanted = numbersOf(read);
    // As many as the window still lets pass, then the rest in the windows that follow.
    for (let from = 0; from < read.length; ) {
      credit += call.take(wanted - credit);
      const to = endWithin(read, from, credit);
      if (to === from) {
        await nextWindow();
        pinned = await later(pinned, call);
        continue;
      }
      const answered = read.slice(from, to);
      const numbers = numbersOf(answered);
      credit -= numbers;
      wanted -= numbers;
      let out = '';
      await runs.answer(answered, (line) => {
        out += format.answer(line, pinned);
      });
      controller.enqueue(encoder.encode(out));
      from = to;
    }
  };
  // Into a buffer of ours: what is piped comes in pieces of 4 KB, each of which costs as much as some 30 lines.
  const reader = call.request.body?.getReader({ mode: 'byob' });
  let buffer = new ArrayBuffer(CHUNK_BYTES);
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        // Until there is something to give: a pull that gives nothing is not repeated.
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
    // Nothing is read before somebody wants the answers to it.
    { highWaterMark: 0 },
  );
}

function numbersOf(lines: readonly Line[]): number {
  return lines.reduce((sum, { numbers }) => sum + numbers, 0);
}

/** Where the lines end that this credit is enough for. */
function endWithin(lines: readonly Line[], from: number, credit: number): number {
  let left = credit;
  let to = from;
  while (to < lines.length && lines[to]!.numbers <= left) left -= lines[to++]!.numbers;
  return to;
}

/**
 * The head of the start, as old as it is now: dates go on, and while it is still the current one it is
 * as fresh as any. A stream that outlives its head grows stale, and says so.
 */
async function later(pinned: Snapshot, call: ClientCall): Promise<Snapshot> {
  const { seq, release, asOf, now } = await call.latest();
  // A head may be taken up in two steps: under the same `seq`, but with the release of the head before at first.
  const isSame = seq === pinned.seq && release === pinned.release;
  return { ...pinned, now, asOf: isSame ? asOf : pinned.asOf };
}

async function nextWindow(): Promise<void> {
  const windowMs = QUOTA_WINDOW_SECONDS * 1000;
  await new Promise((resolve) => setTimeout(resolve, windowMs - (Date.now() % windowMs)));
}
