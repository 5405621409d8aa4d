/**
 * `POST /v1/check/batch`: up to 10,000 questions, answered in order from one head.
 * A bad item is that item's error alone.
 */
import { BATCH_BODY_BYTES_MAX, BATCH_ITEMS_MAX } from '../shared/limits.ts';
import { type Defaults, readDefaults, readQuestion } from '../shared/question.ts';
import { screen } from '../shared/screen.ts';
import type { Verdict } from '../shared/verdict.ts';
import { headNames, itemError } from './answers.ts';
import { readJson } from './body.ts';
import type { ClientCall } from './call.ts';
import { type Problem, problem } from './http.ts';
import { ensureAll } from './shards.ts';

/** Which items come back: all, or those that are not `allow`. */
const REPORTS = ['all', 'hits'] as const;

interface Batch {
  readonly defaults: Defaults;
  readonly items: readonly unknown[];
  readonly report: (typeof REPORTS)[number];
}

export async function checkBatch(call: ClientCall): Promise<Response> {
  const { reply, url, env, ctx, client } = call;
  const body = await readJson(call.request, BATCH_BODY_BYTES_MAX);
  if (!body.ok) return reply.problem(problem(body.code, body.message), url.pathname);
  const batch = readBatch(body.value);
  if ('code' in batch) return reply.problem(batch, url.pathname);
  const refused = call.charge(batch.items.length);
  if (refused !== null) return refused;
  const snapshot = await call.snapshot();
  if (snapshot.release !== null) await ensureAll(snapshot.release, env.LISTS, ctx);
  const counts: Record<Verdict | 'error', number> = {
    allow: 0,
    label: 0,
    block: 0,
    indeterminate: 0,
    error: 0,
  };
  const results: object[] = [];
  for (const item of batch.items) {
    const asked = readQuestion(item, batch.defaults, true);
    const { id } = asked;
    if (asked.error !== null) {
      counts.error++;
      results.push({ id, ...itemError(asked.error) });
      continue;
    }
    const answered = screen(asked.question, snapshot, client);
    counts[answered.verdict]++;
    if (batch.report === 'all' || answered.verdict !== 'allow') results.push({ id, ...answered });
  }
  return reply.json({ summary: { total: batch.items.length, ...counts }, ...headNames(snapshot), results });
}

function readBatch(value: unknown): Batch | Problem {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return problem('FIELD_TYPE', 'the body must be a JSON object with items', { field: 'items' });
  }
  const { defaults, items, report = 'all', ...rest } = value as Record<string, unknown>;
  const unknown = Object.keys(rest)[0];
  if (unknown !== undefined) {
    const field = unknown.slice(0, 64);
    return problem('FIELD_UNKNOWN', `${field} is not a field of this request`, { field });
  }
  if (items === undefined)
    return problem('FIELD_MISSING', 'items is missing: a list of questions', { field: 'items' });
  if (!Array.isArray(items)) return problem('FIELD_TYPE', 'items must be a list', { field: 'items' });
  if (items.length > BATCH_ITEMS_MAX) {
    const message = `items has ${items.length} items, at most ${BATCH_ITEMS_MAX}; for more, use /v1/check/stream`;
    return problem('ITEMS_TOO_MANY', message, { field: 'items' });
  }
  const known = REPORTS.find((candidate) => candidate === report);
  if (known === undefined)
    return problem('FIELD_VALUE', `report must be one of ${REPORTS.join(', ')}`, { field: 'report' });
  const read = readDefaults(defaults);
  if ('code' in read) return problem(read.code, read.message, { field: read.field });
  return { defaults: read, items: items as unknown[], report: known };
}
