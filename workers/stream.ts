/**
 * `POST /v1/check/stream`: any number of questions in constant memory, one line out for each line in,
 * all from the head of the start. Backpressure reaches the sender; over the quota the stream waits for
 * the next window instead of breaking off.
 */
import { QUOTA_WINDOW_SECONDS, STREAM_LINE_CHARS_MAX } from '../shared/limits.ts';
import { LineSplitter } from '../shared/line-splitter.ts';
import { NO_DEFAULTS, readParty, readQuestion } from '../shared/question.ts';
import { type Snapshot, screen } from '../shared/screen.ts';
import { SUBJECTS, type Subject } from '../shared/verdict.ts';
import { headNames, itemError } from './answers.ts';
import { mediaType } from './body.ts';
import type { ClientCall } from './call.ts';
import { problem } from './http.ts';
import { ensureAll } from './shards.ts';

/** Turns one line into one line; null stands for a line that was too long to keep. */
type AnswerLine = (line: string | null) => string;

export async function checkStream(call: ClientCall): Promise<Response> {
  const { request, reply, url, env, ctx } = call;
  const type = mediaType(request);
  const fail = (...parts: Parameters<typeof problem>): Response =>
    reply.problem(problem(...parts), url.pathname);
  if (type !== 'text/plain' && type !== 'application/x-ndjson') {
    return fail('CONTENT_TYPE_UNSUPPORTED', 'send content-type: text/plain or application/x-ndjson');
  }
  const unknown = [...url.searchParams.keys()].find((name) => name !== 'subject');
  if (unknown !== undefined)
    return fail('FIELD_UNKNOWN', 'only subject is a parameter here', { field: unknown.slice(0, 64) });
  const given = url.searchParams.get('subject') ?? 'to';
  const subject = SUBJECTS.find((candidate) => candidate === given);
  if (subject === undefined)
    return fail('FIELD_VALUE', `subject must be one of ${SUBJECTS.join(', ')}`, { field: 'subject' });
  if (request.body === null) return fail('BODY_MISSING', 'send one question a line as the body');
  // Refused here if nothing is left; later the stream waits instead.
  const refused = call.charge(1);
  if (refused !== null) return refused;
  const snapshot = await call.snapshot();
  if (snapshot.release !== null) await ensureAll(snapshot.release, env.LISTS, ctx);
  const { release, seq, asOf, stale } = headNames(snapshot);
  reply.header('numgate-release', release ?? '');
  reply.header('numgate-seq', String(seq));
  reply.header('numgate-as-of', asOf ?? '');
  reply.header('numgate-stale', String(stale));
  const answerLine = type === 'text/plain' ? textLine(call, snapshot, subject) : jsonLine(call, snapshot);
  return reply.stream(request.body.pipeThrough(answering(call, answerLine)), type);
}

/** `<number>,<verdict>,<code>` for a number on a line. */
function textLine({ client }: ClientCall, snapshot: Snapshot, subject: Subject): AnswerLine {
  return (line) => {
    if (line === null) return ',error,NUMBER_TOO_LONG\n';
    const read = readParty(line, subject);
    if ('error' in read) return `${line},error,${read.error.code}\n`;
    const { party } = read;
    const question = { from: null, to: null, channel: NO_DEFAULTS.channel, [subject]: party };
    const { verdict, reasons } = screen(question, snapshot, client);
    return `${line},${verdict},${reasons[0]?.code ?? ''}\n`;
  };
}

/** A verdict object for a question object on a line. */
function jsonLine({ client }: ClientCall, snapshot: Snapshot): AnswerLine {
  const names = headNames(snapshot);
  const invalid = (message: string): string =>
    `${JSON.stringify({ id: null, error: { code: 'JSON_INVALID', field: 'line', message } })}\n`;
  return (line) => {
    if (line === null) return invalid(`the line has more than ${STREAM_LINE_CHARS_MAX} characters`);
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch {
      return invalid('the line is not JSON');
    }
    const asked = readQuestion(value, NO_DEFAULTS, true);
    const { id } = asked;
    if (asked.error !== null) return `${JSON.stringify({ id, ...itemError(asked.error) })}\n`;
    return `${JSON.stringify({ id, ...screen(asked.question, snapshot, client), ...names })}\n`;
  };
}

function answering(call: ClientCall, answerLine: AnswerLine): TransformStream<Uint8Array, Uint8Array> {
  const splitter = new LineSplitter(STREAM_LINE_CHARS_MAX);
  const encoder = new TextEncoder();
  const answerAll = async (
    lines: readonly (string | null)[],
    controller: TransformStreamDefaultController<Uint8Array>,
  ): Promise<void> => {
    if (lines.length === 0) return;
    await chargeOrWait(call, lines.length);
    let out = '';
    for (const line of lines) out += answerLine(line);
    controller.enqueue(encoder.encode(out));
  };
  return new TransformStream({
    transform: (chunk, controller) => answerAll(splitter.push(chunk), controller),
    flush: (controller) => answerAll(splitter.end(), controller),
  });
}

async function chargeOrWait(call: ClientCall, items: number): Promise<void> {
  while (call.charge(items) !== null) {
    const windowMs = QUOTA_WINDOW_SECONDS * 1000;
    await new Promise((resolve) => setTimeout(resolve, windowMs - (Date.now() % windowMs)));
  }
}
