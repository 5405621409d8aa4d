/** Checks any number of items with as few batch requests as the limits of the service allow. */
import { type Attempt, type Call, request } from './attempts.ts';
import type { Connection } from './connection.ts';
import { readAnswer } from './fail-policy.ts';
import type { CheckAnswer, FailPolicy, Head, ItemError } from './types.ts';

/** Limits of the service for one batch. */
export const BATCH_ITEMS_MAX = 10_000;
const BATCH_BYTES_MAX = 8_388_608;

export interface BatchLimits {
  readonly timeoutMs: number;
  readonly retries: number;
  /** Deadline for all requests together, in ms. */
  readonly deadlineMs: number;
}

export interface Batch<Item> {
  readonly path: string;
  readonly items: readonly Item[];
  readonly defaults: object;
  readonly failPolicy: FailPolicy;
}

const encoder = new TextEncoder();

/**
 * A batch that is too large is split, and its parts are sent one after the other.
 * @returns one result for each item, in order. All items of a request that failed share its failure.
 */
export async function checkInBatches<Item, Answer extends CheckAnswer>(
  connection: Connection,
  batch: Batch<Item>,
  limits: BatchLimits,
  call: Call,
): Promise<Attempt<Answer | ItemError>[]> {
  const until = { ...limits, end: performance.now() + limits.deadlineMs };
  const send = async (items: readonly Item[]): Promise<Attempt<Answer | ItemError>[]> => {
    const body = JSON.stringify({ defaults: batch.defaults, items });
    const canSplit = items.length > 1;
    if (canSplit && isTooLarge(body)) return halves(items);
    const read = (json: unknown) => readResults<Answer>(json, items.length, batch.failPolicy);
    const attempt = await request(connection, batch.path, body, read, until, call);
    if (attempt.ok) return attempt.value.map((value) => ({ ok: true, value }));
    const { error } = attempt.failure;
    // A service may have lower limits than this client knows.
    if (canSplit && (error.status === 413 || error.code === 'ITEMS_TOO_MANY')) return halves(items);
    return items.map(() => attempt);
  };
  const halves = async (items: readonly Item[]): Promise<Attempt<Answer | ItemError>[]> => {
    const middle = Math.ceil(items.length / 2);
    return [...(await send(items.slice(0, middle))), ...(await send(items.slice(middle)))];
  };
  const results: Attempt<Answer | ItemError>[] = [];
  for (let start = 0; start < batch.items.length; start += BATCH_ITEMS_MAX) {
    results.push(...(await send(batch.items.slice(start, start + BATCH_ITEMS_MAX))));
  }
  return results;
}

/** UTF-8 takes at most three bytes per UTF-16 unit, so most bodies need not be encoded to know their size. */
function isTooLarge(body: string): boolean {
  if (body.length * 3 <= BATCH_BYTES_MAX) return false;
  return encoder.encode(body).length > BATCH_BYTES_MAX;
}

/** @returns null if the response does not have one result for each item */
function readResults<Answer extends CheckAnswer>(
  json: unknown,
  count: number,
  failPolicy: FailPolicy,
): (Answer | ItemError)[] | null {
  const { results, release, seq, asOf, stale, mock } = (json ?? {}) as Partial<Head> & { results?: unknown };
  if (!Array.isArray(results) || results.length !== count) return null;
  const read = results.map((result) => readAnswer<Answer>(result, failPolicy));
  if (read.includes(null)) return null;
  return (read as (Answer | ItemError)[]).map((answer) =>
    'error' in answer ? answer : { ...answer, release, seq, asOf, stale, ...(mock === true ? { mock } : {}) },
  );
}
