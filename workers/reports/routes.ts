/**
 * The routes for partners: `POST /v1/reports`, with one report, a list or a stream of lines, and
 * `POST /v1/reports/withdraw`.
 */
import * as v from 'valibot';
import { fieldError, isRecord, nameOf } from '../../shared/fields.ts';
import {
  REPORT_LINE_CHARS_MAX,
  REPORTS_BODY_BYTES_MAX,
  REPORTS_PER_REQUEST_MAX,
} from '../../shared/limits/intake.ts';
import { reportIdSchema } from '../../shared/reports/report.ts';
import { ok, type Result } from '../../shared/result.ts';
import { MINUTE_MS } from '../../shared/time.ts';
import { validateJson } from '../../shared/validate-json.ts';
import type { ControlEnv } from '../env.ts';
import { answerLines } from '../http/answered-lines.ts';
import type { Answer, Handler, RequestContext, Route } from '../http/app.ts';
import { codingOf, mediaType, parseJson, readerOf, readJsonText } from '../http/body.ts';
import { parametersOf } from '../http/parameters.ts';
import { type Problem, problem } from '../http/reply.ts';
import { warnFailed } from '../log.ts';
import { intakeOf, type Partner } from '../storage/reports-port.ts';
import { admitPartner } from './partner-admission.ts';
import { formatReceived, type Received, receive } from './receive.ts';

/** A route for the clients of partners. */
function forPartners(handle: (context: RequestContext, partner: Partner) => Promise<Answer>): Handler {
  return async (context) => {
    const admitted = await admitPartner(context);
    if (!admitted.ok) return admitted;
    const parameters = parametersOf(context.url, {});
    return parameters.ok ? handle(context, admitted.value) : parameters;
  };
}

const postReports = forPartners(async (context, partner) => {
  const { request, reply } = context;
  const env = context.env as unknown as ControlEnv;
  if (mediaType(request) === 'application/x-ndjson') return streamReports(context);
  const text = await readJsonText(request, REPORTS_BODY_BYTES_MAX, { mayBeGzip: true });
  if (!text.ok) return text;
  const body = parseJson(text.value);
  if (!body.ok) return body;
  if (!isRecord(body.value))
    return fieldError('FIELD_TYPE', 'body', 'must be a report, or an object with "items"');
  if (!('items' in body.value)) {
    const [received] = await receive([body.value], partner, env);
    return received!.result.ok ? reply.json(formatReceived(received!)) : received!.result;
  }
  const items = itemsOf(body.value);
  if (!items.ok) return items;
  const received = await receive(items.value, partner, env);
  const over = received.find(isOverQuota);
  // One header for all items. The wait for the next day is the longest.
  if (over !== undefined && !over.result.ok)
    reply.header('retry-after', String(over.result.retryAfterSeconds));
  return reply.json({ results: received.map((each) => formatReceived(each)) });
});

function itemsOf(body: Readonly<Record<string, unknown>>): Result<readonly unknown[], Problem> {
  for (const name in body) if (name !== 'items') return fieldError('FIELD_UNKNOWN', nameOf(name));
  const { items } = body;
  if (!Array.isArray(items)) return fieldError('FIELD_TYPE', 'items', 'must be a list');
  if (items.length > 0 && items.length <= REPORTS_PER_REQUEST_MAX) return ok(items as unknown[]);
  if (items.length === 0) return fieldError('FIELD_VALUE', 'items', 'must not be empty');
  const message = `"items" has ${items.length} items, but at most ${REPORTS_PER_REQUEST_MAX} are allowed`;
  return problem('ITEMS_TOO_MANY', `${message}: send several requests, or a stream`, { field: 'items' });
}

function isOverQuota({ result }: Received): boolean {
  return !result.ok && result.retryAfterSeconds !== undefined;
}

/** Answers each line. If the limit of reports per minute is reached, the stream waits instead of failing. */
async function streamReports(context: RequestContext): Promise<Answer> {
  const { request, reply } = context;
  const env = context.env as unknown as ControlEnv;
  const coding = codingOf(request, true);
  if (!coding.ok) return coding;
  const encoder = new TextEncoder();
  let answered = 0;
  const lines = answerLines(readerOf(request, coding.value), REPORT_LINE_CHARS_MAX, {
    async answer(all, _bytes, controller) {
      for (let from = 0; from < all.length; from += REPORTS_PER_REQUEST_MAX) {
        const some = all.slice(from, from + REPORTS_PER_REQUEST_MAX);
        // A partner can be removed while its stream is open.
        const admitted = await admitPartner(context);
        const answers = admitted.ok
          ? await receiveLines(some, answered, admitted.value, env)
          : some.map((_, index) => lineError(answered + index, admitted.code, 'line', admitted.message));
        answered += some.length;
        controller.enqueue(encoder.encode(answers.map((each) => `${JSON.stringify(each)}\n`).join('')));
      }
    },
    brokenOff: () => {
      const message = '"body" ended early, or is not valid gzip: send this line and all later lines again';
      return `${JSON.stringify(lineError(answered, 'BODY_UNREADABLE', 'body', message))}\n`;
    },
  });
  return reply.stream(lines, 'application/x-ndjson; charset=utf-8');
}

/** @param before number of lines of the stream before these */
async function receiveLines(
  lines: readonly (string | null)[],
  before: number,
  partner: Partner,
  env: ControlEnv,
): Promise<readonly object[]> {
  const answers: (object | null)[] = lines.map(() => null);
  const items = lines.flatMap((line, index) => {
    const parsed = parseLine(line);
    if (!parsed.ok) answers[index] = lineError(before + index, 'JSON_INVALID', 'line', parsed.message);
    return parsed.ok ? [{ index, item: parsed.value }] : [];
  });
  for (let open = items; open.length > 0; ) {
    const received = await receive(
      open.map(({ item }) => item),
      partner,
      env,
    );
    received.forEach((each, at) => {
      const { index } = open[at]!;
      answers[index] = formatReceived(each, before + index + 1);
    });
    open = open.filter((_, at) => {
      const { result } = received[at]!;
      return (
        !result.ok && result.retryAfterSeconds !== undefined && result.retryAfterSeconds * 1000 <= MINUTE_MS
      );
    });
    if (open.length > 0) await new Promise((resolve) => setTimeout(resolve, MINUTE_MS));
  }
  return answers as object[];
}

function parseLine(line: string | null): Result<unknown, Problem> {
  if (line === null)
    return problem('JSON_INVALID', `"line" has more than ${REPORT_LINE_CHARS_MAX} characters`);
  try {
    const value: unknown = JSON.parse(line);
    return ok(value);
  } catch {
    return problem('JSON_INVALID', '"line" is not JSON in UTF-8');
  }
}

/** @param before number of lines of the stream before this one */
function lineError(before: number, code: string, field: string, message: string): object {
  return { reportId: null, line: before + 1, error: { code, message, field } };
}

const withdrawSchema = v.strictObject({
  reportIds: v.pipe(
    v.array(reportIdSchema),
    v.minLength(1, 'must not be empty'),
    v.maxLength(REPORTS_PER_REQUEST_MAX, `must have at most ${REPORTS_PER_REQUEST_MAX} IDs`),
  ),
});

const withdrawReports = forPartners(async ({ request, reply, env }, partner) => {
  const text = await readJsonText(request, REPORTS_BODY_BYTES_MAX, { mayBeGzip: true });
  if (!text.ok) return text;
  const body = parseJson(text.value);
  if (!body.ok) return body;
  if (!isRecord(body.value)) return fieldError('FIELD_TYPE', 'body', 'must be an object with "reportIds"');
  const valid = validateJson(withdrawSchema, body.value);
  if (!valid.ok) return fieldError(valid.code, nameOf(valid.path.join('.')), valid.message);
  const { reportIds } = valid.value;
  const withdrawn = new Map<string, boolean>();
  let isOver = false;
  const byIntake = Map.groupBy(reportIds, (id) => intakeOf(partner, id));
  try {
    await Promise.all(
      [...byIntake].map(async ([intake, ids]) => {
        const found = await (env as unknown as ControlEnv).REPORTS.getByName(intake).withdraw(ids);
        if (found === null) isOver = true;
        ids.forEach((id, index) => {
          withdrawn.set(id, found?.[index] === true);
        });
      }),
    );
  } catch (error) {
    warnFailed('reportsNotWithdrawn', error);
    return problem('UNAVAILABLE', 'a store does not respond: send the same request again');
  }
  if (isOver) {
    const message =
      'too many reports and withdrawals from the partner in this minute: send the same request again later';
    return problem('QUOTA_EXCEEDED', message, { field: 'reportIds', retryAfterSeconds: MINUTE_MS / 1000 });
  }
  const results = reportIds.map((reportId) => ({
    reportId,
    status: withdrawn.get(reportId) === true ? 'withdrawn' : 'unknown',
  }));
  return reply.json({ results });
});

export const REPORT_ROUTES: readonly Route[] = [
  { method: 'POST', path: '/v1/reports', handle: postReports },
  { method: 'POST', path: '/v1/reports/withdraw', handle: withdrawReports },
];
