/**
 * `POST /v1/check/batch`, `/v1/gateway/check/batch`: up to 10,000 questions, answered in order from one head.
 * A bad item is that item's error alone.
 */
import { type Asked, type Convention, type Defaults, readDefaults, readQuestion } from '../shared/asked.ts';
import { isRecord, nameOf } from '../shared/fields.ts';
import { BATCH_BODY_BYTES_MAX, BATCH_CHARS_PER_NUMBER, BATCH_ITEMS_MAX } from '../shared/limits.ts';
import type { Snapshot } from '../shared/snapshot.ts';
import type { Verdict } from '../shared/verdict.ts';
import { headNames, itemError } from './answers.ts';
import { parseJson, readJsonText } from './body.ts';
import { type ClientCall, forClients } from './call.ts';
import { noParameter, type Problem, problem } from './http.ts';
import type { Kind } from './question-kind.ts';
import { countOf, numbersIn } from './quota.ts';
import { Runs } from './runs.ts';

/** Which items come back: all, or those that are not `allow`. */
const REPORTS = ['all', 'hits'] as const;

/** Fields of a batch. */
const FIELDS: readonly string[] = ['defaults', 'items', 'report'];

/** Items answered at a time. */
const ITEMS_PER_CHUNK = 500;
/** Text that is given at a time, in characters, at the least: each piece costs as much as some hundred items. */
const CHARS_PER_CHUNK = 262_144;

/** A batch as it was written: only its items are known to be a list, and not too many. */
interface WrittenBatch {
  readonly defaults: unknown;
  readonly items: readonly unknown[];
  readonly report: unknown;
}

interface Batch extends WrittenBatch {
  readonly defaults: Defaults;
  readonly report: (typeof REPORTS)[number];
}

export const answerBatch = (kind: Kind) => forClients(kind.right, (call) => answer(call, kind));

async function answer(call: ClientCall, kind: Kind): Promise<Response> {
  const { reply, url } = call;
  const parameter = noParameter(url);
  if (parameter !== null) return reply.problem(parameter, url.pathname);
  const text = await readJsonText(call.request, BATCH_BODY_BYTES_MAX);
  if (!text.ok) return reply.problem(problem(text.code, text.message), url.pathname);
  // Parsing costs as much as the text is long, whatever is in it.
  const refusedText = call.charge(Math.ceil(text.value.length / BATCH_CHARS_PER_NUMBER));
  if (refusedText !== null) return refusedText;
  const body = parseJson(text.value);
  if (!body.ok) return reply.problem(problem(body.code, body.message), url.pathname);
  const written = readBody(body.value, kind);
  if ('code' in written) return reply.problem(written, url.pathname);
  const refused = call.charge(numbersInAll(written));
  if (refused !== null) return refused;
  const batch = readBatch(written, kind, call.client.internationalPrefix);
  if ('code' in batch) return reply.problem(batch, url.pathname);
  const snapshot = await call.snapshot();
  const runs = new Runs(snapshot.release, call);
  await runs.begin();
  return reply.stream(answering(batch, snapshot, runs, call, kind), 'application/json');
}

/**
 * The answer as it is made: it may be much larger than the question, and is never held whole.
 * The summary comes last, when it is known.
 */
function answering(
  batch: Batch,
  snapshot: Snapshot,
  runs: Runs,
  call: ClientCall,
  kind: Kind,
): ReadableStream<Uint8Array> {
  const counts: Record<Verdict | 'error', number> = {
    allow: 0,
    label: 0,
    block: 0,
    indeterminate: 0,
    error: 0,
  };
  const encoder = new TextEncoder();
  const convention = call.client.internationalPrefix;
  let next = 0;
  let separator = '';
  const answerItem = (asked: Asked): object | null => {
    const { id } = asked;
    if (asked.error !== null) {
      counts.error++;
      return { id, ...itemError(asked.error) };
    }
    const { question } = asked;
    const judged = call.judge(question, snapshot);
    counts[judged.verdict]++;
    const isHit = judged.verdict !== 'allow' || judged.unenforced !== undefined;
    // Told only where it is asked for: that costs more than the verdict.
    if (!isHit && batch.report !== 'all') return null;
    return { id, ...kind.tell(question, judged, snapshot, call.client) };
  };
  return new ReadableStream({
    start(controller) {
      const names = JSON.stringify(headNames(snapshot)).slice(0, -1);
      controller.enqueue(encoder.encode(`${names},"results":[`));
    },
    async pull(controller) {
      let text = '';
      // A pull that gives nothing is not repeated, and the answer hangs.
      while (text.length < CHARS_PER_CHUNK && next < batch.items.length) {
        const items = batch.items.slice(next, next + ITEMS_PER_CHUNK);
        next += items.length;
        const chunk = items.map((item) => readQuestion(item, batch.defaults, true, kind.fields, convention));
        const answers: object[] = [];
        await runs.answer(chunk, (asked) => {
          const answered = answerItem(asked);
          if (answered !== null) answers.push(answered);
        });
        if (answers.length === 0) continue;
        // Many at once: a call for each takes half as long again.
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

/** Numbers of the whole batch. Defaults count once, and not for each item: they are the same in all of them. */
function numbersInAll({ defaults, items }: WrittenBatch): number {
  return items.reduce<number>((sum, item) => sum + countOf(item), numbersIn(defaults));
}

function readBody(value: unknown, { more }: Kind): WrittenBatch | Problem {
  if (!isRecord(value)) {
    return problem('FIELD_TYPE', 'body must be a JSON object with items', { field: 'body' });
  }
  // One after the other: to gather what is not known costs several times what reading the body did, where it is much.
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
  { fields }: Kind,
  convention: Convention,
): Batch | Problem {
  const known = REPORTS.find((candidate) => candidate === report);
  if (known === undefined)
    return problem('FIELD_VALUE', `report must be one of ${REPORTS.join(', ')}`, { field: 'report' });
  const read = readDefaults(defaults, fields, convention);
  if ('code' in read) return problem(read.code, read.message, { field: read.field });
  return { defaults: read, items, report: known };
}
