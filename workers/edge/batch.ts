/**
 * `POST /v1/check/batch` and `POST /v1/gateway/check/batch`: up to 10,000 requests, answered in order from
 * one snapshot. An invalid item fails alone.
 */

import { isRecord, nameOf } from '../../shared/fields.ts';
import { BATCH_BODY_BYTES_MAX, BATCH_CHARS_PER_NUMBER, BATCH_ITEMS_MAX } from '../../shared/limits.ts';
import {
  type Convention,
  type ParsedRequest,
  parseDefaults,
  parseRequest,
  type RequestDefaults,
} from '../../shared/screening/parse-request.ts';
import type { Snapshot } from '../../shared/screening/snapshot.ts';
import type { Verdict } from '../../shared/verdict.ts';
import { parseJson, readJsonText } from '../http/body.ts';
import { noParameter, type Problem, problem } from '../http/reply.ts';
import { type ClientContext, forClients } from './context.ts';
import type { CheckEndpoint } from './endpoints.ts';
import { formatItemError, headVersion } from './format.ts';
import { ItemRuns } from './item-runs.ts';
import { countOf, numbersIn } from './quota.ts';

/** Which items to return: all, or only those that are not `allow`. */
const REPORTS = ['all', 'hits'] as const;

const FIELDS: readonly string[] = ['defaults', 'items', 'report'];

/** Items screened together. */
const ITEMS_PER_CHUNK = 500;
/** Minimum characters in a chunk of the response. Each chunk costs as much as a few hundred items. */
const CHARS_PER_CHUNK = 262_144;

/** A batch before its items are parsed: `items` is known to be a list within the size limit. */
interface WrittenBatch {
  readonly defaults: unknown;
  readonly items: readonly unknown[];
  readonly report: unknown;
}

interface Batch extends WrittenBatch {
  readonly defaults: RequestDefaults;
  readonly report: (typeof REPORTS)[number];
}

export const answerBatch = (endpoint: CheckEndpoint) =>
  forClients(endpoint.right, (context) => answer(context, endpoint));

async function answer(context: ClientContext, endpoint: CheckEndpoint): Promise<Response> {
  const { reply, url } = context;
  const parameter = noParameter(url);
  if (parameter !== null) return reply.problem(parameter, url.pathname);
  const text = await readJsonText(context.request, BATCH_BODY_BYTES_MAX);
  if (!text.ok) return reply.problem(problem(text.code, text.message), url.pathname);
  // The cost of parsing depends on the length of the text, not on its content.
  const refusedText = context.charge(Math.ceil(text.value.length / BATCH_CHARS_PER_NUMBER));
  if (refusedText !== null) return refusedText;
  const body = parseJson(text.value);
  if (!body.ok) return reply.problem(problem(body.code, body.message), url.pathname);
  const written = readBody(body.value, endpoint);
  if ('code' in written) return reply.problem(written, url.pathname);
  const refused = context.charge(numbersInAll(written));
  if (refused !== null) return refused;
  const batch = readBatch(written, endpoint, context.client.internationalPrefix);
  if ('code' in batch) return reply.problem(batch, url.pathname);
  const snapshot = await context.snapshot();
  const runs = new ItemRuns(snapshot.release, context);
  await runs.begin();
  return reply.stream(answering(batch, snapshot, runs, context, endpoint), 'application/json');
}

/**
 * Streams the response, which can be much larger than the request, without holding it in memory as a whole.
 * The summary comes last, when it is known.
 */
function answering(
  batch: Batch,
  snapshot: Snapshot,
  runs: ItemRuns,
  context: ClientContext,
  endpoint: CheckEndpoint,
): ReadableStream<Uint8Array> {
  const counts: Record<Verdict | 'error', number> = {
    allow: 0,
    label: 0,
    block: 0,
    indeterminate: 0,
    error: 0,
  };
  const encoder = new TextEncoder();
  const convention = context.client.internationalPrefix;
  let next = 0;
  let separator = '';
  const answerItem = (parsed: ParsedRequest): object | null => {
    const { id } = parsed;
    if (parsed.error !== null) {
      counts.error++;
      return { id, ...formatItemError(parsed.error) };
    }
    const { request } = parsed;
    const decision = context.screen(request, snapshot);
    counts[decision.verdict]++;
    const isHit = decision.verdict !== 'allow' || decision.unenforced !== undefined;
    // Format an item only if the client wants it: formatting costs more than screening.
    if (!isHit && batch.report !== 'all') return null;
    return { id, ...endpoint.format(request, decision, snapshot, context.client) };
  };
  return new ReadableStream({
    start(controller) {
      const names = JSON.stringify(headVersion(snapshot)).slice(0, -1);
      controller.enqueue(encoder.encode(`${names},"results":[`));
    },
    async pull(controller) {
      let text = '';
      // Always enqueue something: the runtime does not repeat a pull that enqueues nothing, and the response
      // would hang.
      while (text.length < CHARS_PER_CHUNK && next < batch.items.length) {
        const items = batch.items.slice(next, next + ITEMS_PER_CHUNK);
        next += items.length;
        const chunk = items.map((item) =>
          parseRequest(item, batch.defaults, true, endpoint.fields, convention),
        );
        const answers: object[] = [];
        await runs.answer(chunk, (parsed) => {
          const response = answerItem(parsed);
          if (response !== null) answers.push(response);
        });
        if (answers.length === 0) continue;
        // One call for many items: one call per item takes 1.5 times as long.
        text += separator + JSON.stringify(answers).slice(1, -1);
        separator = ',';
      }
      if (next === batch.items.length) {
        const summary = { total: batch.items.length, ...counts };
        text += `],"summary":${JSON.stringify(summary)}}`;
      }
      controller.enqueue(encoder.encode(text));
      if (next === batch.items.length) controller.close();
    },
  });
}

/** Numbers in the whole batch. Defaults count once, not once per item. */
function numbersInAll({ defaults, items }: WrittenBatch): number {
  return items.reduce<number>((sum, item) => sum + countOf(item), numbersIn(defaults));
}

function readBody(value: unknown, { more }: CheckEndpoint): WrittenBatch | Problem {
  if (!isRecord(value)) {
    return problem('FIELD_TYPE', 'body must be a JSON object with items', { field: 'body' });
  }
  // Stop at the first unknown field: collecting all of them can cost several times as much as reading the
  // body.
  for (const name in value) {
    if (FIELDS.includes(name)) continue;
    const field = nameOf(name);
    return problem('FIELD_UNKNOWN', `${field} is not a field of this request`, { field });
  }
  const { defaults, items, report = 'all' } = value;
  if (items === undefined)
    return problem('FIELD_MISSING', 'items is missing: a list of questions', { field: 'items' });
  if (!Array.isArray(items)) return problem('FIELD_TYPE', 'items must be a list', { field: 'items' });
  if (items.length > BATCH_ITEMS_MAX) {
    const message = `items has ${items.length} items, at most ${BATCH_ITEMS_MAX}; ${more}`;
    return problem('ITEMS_TOO_MANY', message, { field: 'items' });
  }
  return { defaults, items: items as unknown[], report };
}

function readBatch(
  { defaults, items, report }: WrittenBatch,
  { fields }: CheckEndpoint,
  convention: Convention,
): Batch | Problem {
  const known = REPORTS.find((candidate) => candidate === report);
  if (known === undefined)
    return problem('FIELD_VALUE', `report must be one of ${REPORTS.join(', ')}`, { field: 'report' });
  const read = parseDefaults(defaults, fields, convention);
  if ('code' in read) return problem(read.code, read.message, { field: read.field });
  return { defaults: read, items, report: known };
}
