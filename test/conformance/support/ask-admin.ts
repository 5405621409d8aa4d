/**
 * Asks the control plane, with the checks of ask.ts on every answer; and waits for what was changed to
 * be visible.
 */
import { expect } from 'vitest';
import { type Answer, ask, check, document, type Reply, type Request, refused } from './ask.ts';
import { type TokenName, world } from './world.ts';

export interface AdminRequest extends Omit<Request, 'client'> {
  /** Whose token to send, or one as it is; null for none. */
  readonly token?: TokenName | { readonly key: string } | null;
}

/** How long a change may take to be visible: a poll, a copy of the data centre, and room for a busy machine. */
const VISIBLE_WAIT_MS = 240_000;

function requestOf({ token = 'root', headers, base = world().admin, ...request }: AdminRequest): Request {
  const key = typeof token === 'string' ? world().tokens[token] : token?.key;
  const authorization: Record<string, string> = key === undefined ? {} : { authorization: `Bearer ${key}` };
  return { ...request, base, client: null, headers: { ...authorization, ...headers } };
}

/** @param path behind `/v1/admin/`, with its query */
export function askAdmin(path: string, request: AdminRequest = {}): Promise<Reply> {
  return ask(`/v1/admin/${path}`, requestOf(request));
}

/** What the control plane says where it does what it is asked. */
export async function told<Value = Record<string, unknown>>(
  path: string,
  request: AdminRequest = {},
): Promise<Value> {
  const { status, text, json } = await askAdmin(path, request);
  if (status >= 300) expect.fail(`${path} answered ${status}: ${text}`);
  return json as unknown as Value;
}

/** The lines of an NDJSON answer, each as the document describes it. */
export async function toldLines<Value>(
  schema: string,
  path: string,
  request: AdminRequest = {},
): Promise<Value[]> {
  const { status, text } = await askAdmin(path, request);
  expect(status).toBe(200);
  const openapi = await document();
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => {
      const value = JSON.parse(line) as Value;
      expect(openapi.errorsAs(schema, value)).toBe('');
      return value;
    });
}

/** Expect a problem with this status, code and field. */
export function refusedAdmin(
  [path, request]: readonly [path: string, request: AdminRequest],
  problem: readonly [status: number, code: string, field?: string | undefined],
): Promise<Reply> {
  return refused([`/v1/admin/${path}`, requestOf(request)], problem);
}

/** Ask until the answer shows a change, or fail. @param seq of the change */
export async function checkFrom(
  seq: number,
  question: Record<string, unknown>,
  request: Request = {},
): Promise<Answer> {
  const deadline = Date.now() + VISIBLE_WAIT_MS;
  for (;;) {
    const answer = await check(question, { base: world().admin, ...request });
    if (answer.seq >= seq) return answer;
    if (Date.now() > deadline) expect.fail(`change ${seq} is not visible: the service shows ${answer.seq}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** One live change. @returns its `seq` */
export async function change(
  op: 'block' | 'unblock' | 'clear',
  items: readonly object[],
  rest: object = {},
  request: AdminRequest = {},
): Promise<number> {
  const body = { op, items, reason: 'a test', ...rest };
  return (await told<{ seq: number }>('entries', { ...request, body })).seq;
}
