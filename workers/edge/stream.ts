/**
 * `POST /v1/check/stream`: any number of requests in constant memory. Each input line gets one output line,
 * all from the head pinned at the start. Backpressure reaches the sender. Over the quota, the stream waits
 * for the next window instead of failing.
 */

import { fieldError, oneOf } from '../../shared/fields.ts';
import {
  QUOTA_WINDOW_SECONDS,
  STREAM_BYTES_PER_NUMBER,
  STREAM_LINE_CHARS_MAX,
} from '../../shared/limits/requests.ts';
import type { ScreenRequest } from '../../shared/request.ts';
import { type Failure, ok, type Result } from '../../shared/result.ts';
import { formatDecision } from '../../shared/screening/check-response.ts';
import { CHECK_FIELDS, parseItem, parsePartyField, toRequest } from '../../shared/screening/parse-request.ts';
import type { Snapshot } from '../../shared/screening/snapshot.ts';
import { SUBJECTS, type Subject } from '../../shared/verdict.ts';
import { answerLines } from '../http/answered-lines.ts';
import type { Answer, RequestContext } from '../http/app.ts';
import { type Coding, codingOf, mediaType, readerOf } from '../http/body.ts';
import { parametersOf } from '../http/parameters.ts';
import { problem } from '../http/reply.ts';
import { admit, type ClientContext } from './client-context.ts';
import { addHeadHeaders, headVersion } from './head-version.ts';
import { formatItemError, ItemRuns } from './item-runs.ts';
import { countOf } from './quota.ts';

/** Characters that some readers treat as a line end. They are never echoed. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it is about
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/;

/** The limits on verifications apply per second. */
const SECOND_MS = 1000;

/** A parsed line. */
interface Line {
  /** Identifies the line in its answer: the text itself, or the id of a JSON request. */
  readonly name: string | null;
  readonly parsed: Result<ScreenRequest, LineError>;
  /** Numbers that the line counts as against the quota. */
  readonly numbers: number;
}

/** The error of one line, or of a field in it. */
interface LineError extends Failure {
  readonly field: string;
}

/** How lines of one media type are parsed and answered. */
interface LineFormat {
  /** @param line null if the line was too long to keep */
  parse(line: string | null): Line;
  /** Returns exactly one line. */
  answer(line: Line, snapshot: Snapshot): string;
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
  const coding = codingOf(request, true);
  if (!coding.ok) return coding;
  const parameters = parametersOf(url, { subject: 'text' });
  if (!parameters.ok) return parameters;
  const subject = oneOf(SUBJECTS, 'subject', parameters.value.text.subject ?? 'to');
  if (!subject.ok) return subject;
  const snapshot = await client.snapshot();
  const runs = new ItemRuns(snapshot, client.settings, context);
  await runs.begin();
  addHeadHeaders(reply, snapshot, client.settings);
  const format = type === 'text/plain' ? textFormat(client, subject.value) : jsonFormat(client);
  const lines = screenLines(context, coding.value, client, snapshot, runs, format);
  return reply.stream(lines, `${type}; charset=utf-8`);
}

/** `<number>,<verdict>,<code>` for each line with a number. */
function textFormat(client: ClientContext, subject: Subject): LineFormat {
  const { internationalPrefix } = client.settings;
  const options = { internationalPrefix, carrierPrefix: null };
  return {
    parse(line) {
      if (line === null) return TEXT_TOO_LONG;
      const party = parsePartyField(line, subject, options);
      if (!party.ok) return { name: line, parsed: party, numbers: 1 };
      const request = toRequest({ ...CHECK_FIELDS.none, [subject]: party.value });
      return { name: line, parsed: ok(request), numbers: 1 };
    },
    answer({ name, parsed }, snapshot) {
      const text = name ?? '';
      // Testing first takes half as long as a replace that finds nothing.
      const echo = CONTROL.test(text) ? text.replace(new RegExp(CONTROL, 'g'), ' ') : text;
      if (!parsed.ok) {
        client.countInvalidItem();
        return `${echo},error,${parsed.code}\n`;
      }
      const { verdict, reasons } = client.screen(parsed.value, snapshot);
      return `${echo},${verdict},${reasons[0]?.code ?? ''}\n`;
    },
  };
}

// Shared by all such lines, because lines stay in memory while their values load.
const TEXT_TOO_LONG: Line = { name: null, parsed: fieldError('NUMBER_TOO_LONG', 'line'), numbers: 1 };
const JSON_TOO_LONG = invalidLine(`has more than ${STREAM_LINE_CHARS_MAX} characters`);
const NO_JSON = invalidLine('is not JSON in UTF-8');

/** Stands for all lines that can no longer be read. */
const BROKEN_OFF: Line = {
  name: null,
  parsed: {
    ok: false,
    code: 'BODY_UNREADABLE',
    field: 'body',
    message: '"body" ended early, or is not valid gzip: send this line and all later lines again',
  },
  numbers: 0,
};

function invalidLine(detail: string): Line {
  const error = { ok: false, code: 'JSON_INVALID', field: 'line', message: `"line" ${detail}` } as const;
  return { name: null, parsed: error, numbers: 1 };
}

/** One JSON response for each line with a JSON request. */
function jsonFormat(client: ClientContext): LineFormat {
  const { internationalPrefix } = client.settings;
  return {
    parse(line) {
      if (line === null) return JSON_TOO_LONG;
      let value: unknown;
      try {
        value = JSON.parse(line);
      } catch {
        return NO_JSON;
      }
      const { id, parsed } = parseItem(value, CHECK_FIELDS.none, CHECK_FIELDS, internationalPrefix);
      return { name: id, parsed, numbers: countOf(value) };
    },
    answer({ name, parsed }, snapshot) {
      if (!parsed.ok) {
        client.countInvalidItem();
        return `${JSON.stringify({ id: name, ...formatItemError(parsed) })}\n`;
      }
      const response = formatDecision(parsed.value, client.screen(parsed.value, snapshot), snapshot);
      return `${JSON.stringify({ id: name, ...response, ...headVersion(snapshot, client.settings) })}\n`;
    },
  };
}

function screenLines(
  { request }: RequestContext,
  coding: Coding,
  client: ClientContext,
  first: Snapshot,
  runs: ItemRuns,
  format: LineFormat,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let pinned = first;
  /** Numbers counted but not answered yet. The first one was counted when the stream was admitted. */
  let credit = 1;
  const answerAll = async (
    lines: readonly (string | null)[],
    bytes: number,
    controller: ReadableStreamDefaultController<Uint8Array>,
  ): Promise<void> => {
    if (lines.length > 0) pinned = await later(pinned, client);
    const parsed = lines.map(format.parse);
    let wanted = numbersOf(parsed);
    await payFor(Math.floor(bytes / STREAM_BYTES_PER_NUMBER) - wanted, client);
    // Answer as many lines as the window allows, and the rest in later windows.
    for (let from = 0; from < parsed.length; ) {
      credit += client.take(wanted - credit);
      const to = endWithin(parsed, from, credit);
      if (to === from) {
        await nextWindow();
        pinned = await later(pinned, client);
        continue;
      }
      const admitted = parsed.slice(from, to);
      const numbers = numbersOf(admitted);
      credit -= numbers;
      wanted -= numbers;
      pinned = await client.withTexts(admitted, pinned);
      const at = await verifyAll(admitted, pinned, client);
      let out = '';
      await runs.answer(admitted, (line) => {
        out += format.answer(line, at);
      });
      controller.enqueue(encoder.encode(out));
      from = to;
    }
  };
  return answerLines(readerOf(request, coding), STREAM_LINE_CHARS_MAX, {
    answer: answerAll,
    brokenOff: () => format.answer(BROKEN_OFF, pinned),
  });
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
async function later(pinned: Snapshot, client: ClientContext): Promise<Snapshot> {
  const { seq, release, asOf, now } = await client.latest();
  // A head can be adopted in two steps: the same `seq`, but at first with the release of the previous head.
  const isSame = seq === pinned.seq && release === pinned.release;
  return { ...pinned, now, asOf: isSame ? asOf : pinned.asOf };
}

/**
 * Verifies all message tokens of these lines, over as many seconds as it takes. The returned snapshot keeps the
 * results of earlier seconds: the cache may evict them for other clients, and the stream would never proceed.
 */
async function verifyAll(lines: readonly Line[], pinned: Snapshot, client: ClientContext): Promise<Snapshot> {
  let at = await client.withTokens(lines, pinned);
  const isVerified = ({ parsed }: Line): boolean =>
    !parsed.ok || client.unverified(parsed.value, at) === null;
  while (at !== pinned && !lines.every(isVerified)) {
    await nextWindow(SECOND_MS);
    at = await client.withTokens(lines, await later(at, client));
  }
  return at;
}

/** Charges the numbers that the body costs beyond its lines, over as many windows as it takes. */
async function payFor(numbers: number, client: ClientContext): Promise<void> {
  for (let due = numbers; due > 0; ) {
    due -= client.take(due);
    if (due > 0) await nextWindow();
  }
}

async function nextWindow(windowMs = QUOTA_WINDOW_SECONDS * 1000): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, windowMs - (Date.now() % windowMs)));
}
