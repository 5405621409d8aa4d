/**
 * `POST /v1/check/batch` and `POST /v1/gateway/check/batch`: up to 10,000 requests, answered in order from
 * one snapshot. An invalid item fails alone.
 */

import { fieldError, isRecord, nameOf, oneOf } from '../../shared/fields.ts';
import {
  BATCH_BODY_BYTES_MAX,
  BATCH_CHARS_PER_NUMBER,
  BATCH_ITEMS_MAX,
} from '../../shared/limits/requests.ts';
import type { ScreenRequest } from '../../shared/request.ts';
import { type Failure, ok, type Result } from '../../shared/result.ts';
import type { Decision } from '../../shared/screening/decision.ts';
import {
  type Item,
  parseDefaults,
  parseItem,
  type RequestDefaults,
} from '../../shared/screening/parse-request.ts';
import type { Snapshot } from '../../shared/screening/snapshot.ts';
import type { Verdict } from '../../shared/verdict.ts';
import type { Handler } from '../http/app.ts';
import { parseJson, readJsonText } from '../http/body.ts';
import { parametersOf } from '../http/parameters.ts';
import { type Problem, problem } from '../http/reply.ts';
import { admit, type ClientContext } from './client-context.ts';
import type { CheckEndpoint } from './endpoints.ts';
import { headVersion } from './head-version.ts';
import { formatItemError, ItemRuns } from './item-runs.ts';
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

interface Batch {
  readonly items: readonly unknown[];
  readonly defaults: RequestDefaults;
  readonly report: (typeof REPORTS)[number];
}

/** The result for one item: its decision, or why the item is invalid. */
type Screened =
  | { readonly ok: true; readonly request: ScreenRequest; readonly decision: Decision }
  | (Failure & { readonly field: string });

export function checkBatch(endpoint: CheckEndpoint): Handler {
  return async (context) => {
    const admitted = await admit(context, endpoint.right);
    if (!admitted.ok) return admitted;
    const client = admitted.value;
    const parameters = parametersOf(context.url, {});
    if (!parameters.ok) return parameters;
    const text = await readJsonText(context.request, BATCH_BODY_BYTES_MAX, {
      mayBeGzip: true,
      mustBeUtf8: endpoint.mustBeUtf8,
    });
    if (!text.ok) return text;
    // The cost of parsing depends on the length of the text, not on its content.
    const chargedText = client.charge(Math.ceil(text.value.length / BATCH_CHARS_PER_NUMBER));
    if (!chargedText.ok) return chargedText;
    const body = parseJson(text.value);
    if (!body.ok) return body;
    const written = readBody(body.value, endpoint);
    if (!written.ok) return written;
    const charged = client.charge(numbersInAll(written.value));
    if (!charged.ok) return charged;
    const { items } = written.value;
    const report = oneOf(REPORTS, 'report', written.value.report);
    if (!report.ok) return report;
    const { internationalPrefix } = client.settings;
    const defaults = parseDefaults(written.value.defaults, endpoint.fields, internationalPrefix);
    if (!defaults.ok) return defaults;
    const snapshot = await client.snapshot();
    const runs = new ItemRuns(snapshot, client.settings, context);
    await runs.begin();
    const batch = { items, defaults: defaults.value, report: report.value };
    const results = screenAll(batch, snapshot, runs, client, endpoint);
    return context.reply.stream(results, 'application/json');
  };
}

/**
 * Streams the response, which can be much larger than the request, without holding it in memory as a whole.
 * The summary comes last, when it is known.
 */
function screenAll(
  batch: Batch,
  snapshot: Snapshot,
  runs: ItemRuns,
  client: ClientContext,
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
  const { internationalPrefix } = client.settings;
  let next = 0;
  let separator = '';
  /** The snapshot, with the results for the texts of the previous chunk. */
  let pinned = snapshot;
  const isPart = batch.report !== 'all';
  let index = -1;
  const named = (id: string | null, answer: object): object =>
    isPart ? { id, index, ...answer } : { id, ...answer };
  const screenItem = ({ parsed: written }: Item, at: Snapshot): Screened => {
    const parsed = written.ok ? (client.unverified(written.value, at) ?? written) : written;
    if (!parsed.ok) {
      counts.error++;
      client.countInvalidItem();
      return parsed;
    }
    const decision = client.screen(parsed.value, at);
    counts[decision.verdict]++;
    return { ok: true, request: parsed.value, decision };
  };
  const answerItem = (id: string | null, screened: Screened, at: Snapshot): object | null => {
    index++;
    if (!screened.ok) return named(id, formatItemError(screened));
    const { request, decision } = screened;
    const isHit = decision.verdict !== 'allow' || decision.unenforced !== undefined;
    // Format an item only if the client wants it: formatting costs more than screening.
    if (!isHit && isPart) return null;
    return named(id, endpoint.format(request, decision, at, client.settings));
  };
  return new ReadableStream({
    start(controller) {
      const names = JSON.stringify(headVersion(snapshot, client.settings)).slice(0, -1);
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
          parseItem(item, batch.defaults, endpoint.fields, internationalPrefix),
        );
        const screened: Screened[] = [];
        pinned = await client.withTexts(chunk, pinned);
        const at = await client.withTokens(chunk, pinned);
        await runs.answer(chunk, (item) => screened.push(screenItem(item, at)));
        // Format after screening the whole chunk: each step then finds more of its data in the caches.
        const answers: object[] = [];
        for (const [number, each] of screened.entries()) {
          const answer = answerItem(chunk[number]!.id, each, at);
          if (answer !== null) answers.push(answer);
        }
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

function readBody(value: unknown, { more }: CheckEndpoint): Result<WrittenBatch, Problem> {
  if (!isRecord(value)) return fieldError('FIELD_TYPE', 'body', 'must be a JSON object with "items"');
  // Stop at the first unknown field: collecting all of them can cost several times as much as reading the
  // body.
  for (const name in value) {
    if (!FIELDS.includes(name)) return fieldError('FIELD_UNKNOWN', nameOf(name));
  }
  const { defaults, items, report = 'all' } = value;
  if (items === undefined) return fieldError('FIELD_MISSING', 'items', 'is missing: send a list of requests');
  if (!Array.isArray(items)) return fieldError('FIELD_TYPE', 'items', 'must be a list');
  if (items.length > BATCH_ITEMS_MAX) {
    const message = `"items" has ${items.length} items, but at most ${BATCH_ITEMS_MAX} are allowed: ${more}`;
    return problem('ITEMS_TOO_MANY', message, { field: 'items' });
  }
  return ok({ defaults, items: items as unknown[], report });
}
